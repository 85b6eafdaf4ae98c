"""As test_consistency.py, where training is large: images in their files, batch norm in groups, steps."""

import pytest
from studies import convolutional, corruption, load, refused, residual

STREAM = {"path": "photos", "size": 32, "stream": True}


@pytest.mark.parametrize(
    ("over", "message"),
    [
        (residual(training={"augment": True}), "augment does not go with corrupt 0.2"),
        (
            residual("resnet_selectivity", vary={"corrupt": [0.0, 0.2]}),
            "augment does not go with corrupt 0.2",
        ),
        (residual("resnet_selectivity", training={"corrupt": 0.2}), "augment does not go with corrupt 0.2"),
        (corruption(training={"augment": True}), "augment is for images streamed from their files"),
        (residual("resnet_selectivity", training={"dataset": "cifar10"}), "not for cifar10; set augment"),
        (
            residual("resnet_selectivity", training={"dataset": "imagefolder"})
            | {"imagefolder": STREAM | {"stream": False}},
            "not for imagefolder; set augment: false",
        ),
        (residual(training={"norm_batch": 48}), "norm_batch 48 does not divide batch 1024 into whole groups"),
        (residual(training={"norm_batch": 2048}), "norm_batch 2048 does not divide batch 1024"),
        (
            convolutional("conv_selectivity", training={"norm_batch": 16, "batch_norm": False}),
            "norm_batch 16 needs batch norm, but batch_norm is false; set norm_batch: null",
        ),
        (
            convolutional("conv_normalization", training={"norm_batch": 16}),
            "norm_batch 16 needs batch norm, but batch_norm is false",
        ),
        (convolutional("conv_sweep", training={"norm_batch": 32}), "norm_batch 32 does not divide batch 16"),
        (
            corruption(training={"norm_batch": 32}),
            "norm_batch is read only by model conv11 and conv11_mean and resnet50",
        ),
        (residual(training={"images": 1000}), "batch 1024 is more than the 1000 images trained on"),
        (residual(training={"epochs": 5}), "epochs is not read where training ends after steps (200000)"),
        (residual(vary={"epochs": [5, 9]}), "epochs is not read where training ends after steps (200000)"),
        (
            residual(training={"keep_epochs": [160, 161]}),
            "keep_epochs has 161, but training ends after 160 epochs (200000 steps)",
        ),
        (  # the last 1,000 of 5,096 images make no whole batch of 1,024 and are left out: 4 steps an epoch
            residual(training={"images": 5096, "steps": 13, "keep_epochs": [4, 5]}),
            "keep_epochs has 5, but training ends after 4 epochs (13 steps)",
        ),
        (  # without norm_batch they make a fifth step
            residual(training={"images": 5096, "steps": 16, "norm_batch": None, "keep_epochs": [4, 5]}),
            "keep_epochs has 5, but training ends after 4 epochs (16 steps)",
        ),
    ],
)
def test_settings_of_large_training_that_do_not_fit(over, message):
    assert message in refused(**over)


def test_settings_of_large_training_that_fit():
    load(**residual(training={"keep_epochs": [160]}))
    load(**residual(training={"images": 5096, "steps": 13, "keep_epochs": [4]}))
    load(**residual(training={"images": 5096, "steps": 16, "norm_batch": None, "keep_epochs": [4]}))
    load(**residual(training={"steps": None, "epochs": 5}))
    load(**residual(training={"images": 1025}))  # one image over is left out with the last batch
    load(**convolutional("conv_selectivity", training={"norm_batch": 16}))
    folder = residual("resnet_selectivity", training={"dataset": "imagefolder"})
    load(**folder, imagefolder=STREAM)
    unknown = residual(training={"dataset": "imagefolder", "keep_epochs": [999]})
    load(**unknown, imagefolder=STREAM)  # only its files know how long an epoch is
    load(**residual(training={"dataset": "imagefolder", "keep_every": 200_000}), imagefolder=STREAM)
