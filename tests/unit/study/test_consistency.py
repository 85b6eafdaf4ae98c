"""Values that make no sense together are refused with the way out, and no others are."""

import json

import pytest
from studies import convolutional, corruption, load, refused, residual

from directions.study import consistency, run_table
from directions.study.catalogue import FIGURES


def test_a_study_without_experiments():
    paper = load(study="paper")
    nothing = {key: dict.fromkeys(paper[key]) for key in ("experiments", "draw")}
    message = refused(study="paper", **nothing)
    assert "experiments: the study has none, so there is nothing to do" in message


def test_figures_of_unknown_experiments_and_without_their_analysis():
    message = refused(
        study="paper",
        draw={"fig1a": "mnist_coruption", "fig7a": "mnist_corruption", "fig2a": "mnist_selectivity"},
    )
    assert "draw.fig1a: mnist_coruption is not an experiment" in message
    assert "did you mean mnist_corruption?" in message
    assert "draw.fig7a: needs ablate_single, which experiments.mnist_corruption.analyses" in message
    assert "draw.fig7a: needs measure_units, which experiments.mnist_corruption.analyses" in message
    assert "draw.fig2a: needs add_noise, which experiments.mnist_selectivity.analyses" in message


@pytest.mark.parametrize(
    ("over", "message"),
    [
        (
            {"training": {"keep_epochs": [640, 641]}},
            "keep_epochs has 641, but training ends after 640 epochs",
        ),
        ({"training": {"images": 60_001}}, "images 60001 is more than the 60000 training images of mnist"),
        ({"training": {"images": 100}}, "batch 128 is more than the 100 images trained on"),
        ({"training": {"batch": 60_001}}, "batch 60001 is more than the 60000 images trained on"),
        ({"vary": {"images": [5000, 60_001]}}, "images 60001 is more than the 60000"),
        ({"training": {"dataset": "imagefolder"}}, "needs `imagefolder: {path: ..., size: ...}`"),
        ({"training": {"optimizer": "adam", "momentum": 0.9}}, "momentum is read only by optimizer sgd"),
        (
            {"training": {"optimizer": "adam"}, "vary": {"momentum": [0.5]}},
            "momentum is read only by optimizer",
        ),
        ({"vary": {"optimizer": ["sgd", "adam"], "momentum": [0.5, 0.9]}}, "would be the same training"),
        ({"training": {"method": "mae", "limit_lambda": 1}}, "limit_lambda is read only by method limit"),
        ({"training": {"method": "limit", "limit_lambda": 1}}, "method limit needs limit_loss; set or vary"),
        ({"training": {"method": "limit", "limit_loss": "laplace"}}, "method limit needs limit_lambda"),
        ({"training": {"method": "limits"}}, "null: cross_entropy; did you mean limit?"),
        ({"training": {"init": "hee"}}, "did you mean he?"),  # may be null as well
        ({"training": {"seed": 3}}, "seed is both fixed in training and varied"),
        ({"vary": {"corrupt": [0, 0.0, 0.2, 0.2]}}, "vary.corrupt: 0.0 appears 2 times"),
        ({"vary": {"hidden": [[8, 8], [8, 8]]}}, "hidden: 8x8 appears 2 times"),
        ({"add_noise": {"lowest": 10, "highest": 10}}, "lowest 10.0 must be below highest 10.0"),
        (
            {"ablate_cumulative": {"norm_images": 500, "clamp": ["zero", "mean"]}},
            "ablate_cumulative: norm_images 500 needs clamp: [zero] and precision: float32; change one",
        ),
        (
            {"ablate_cumulative": {"norm_images": 500, "precision": "bf16"}},
            "norm_images 500 needs clamp: [zero] and",
        ),
        (
            {"ablate_cumulative": {"norm_images": 500, "images": 499}},
            "ablate_cumulative: norm_images 500 is more than images 499; change one",
        ),
        (
            {"ablate_cumulative": {"images": 60_001}},
            "ablate_cumulative: images 60001 is more than the 60000 train images of a network",
        ),
        (
            {"ablate_cumulative": {"norm_images": 60_001}},
            "ablate_cumulative: norm_images 60001 is more than the 60000 train images of a network",
        ),
        ({"ablate_single": {"split": "train"}}, "ablate_single: is set, but analyses does not list it"),
        ({"analyses": []}, "analyses: is empty, and no figure shows this experiment"),
    ],
)
def test_impossible_combinations(over, message):
    said = refused(**corruption(**over))
    assert "experiments.mnist_corruption" in said
    assert message in said


def test_the_same_fault_of_many_runs_is_said_once():
    assert refused(**corruption(training={"images": 60_001})).count("60001") == 1


def test_possible_combinations_stay_possible():
    load(**corruption(training={"keep_epochs": [0, 640]}))
    load(**corruption(training={"images": 128}))
    load(**corruption(training={"images": 60_000}))
    load(**corruption(training={"optimizer": "adam"}))  # the inherited momentum is not read, and does no harm
    load(**corruption(vary={"optimizer": ["sgd", "adam"]}, training={"momentum": 0.5}))
    folder = {"path": "photos", "size": 32}
    own = corruption(training={"dataset": "imagefolder", "images": 10**6})
    assert load(**own, imagefolder=folder)["imagefolder"] == folder


@pytest.mark.parametrize(
    ("over", "message"),
    [
        (
            corruption(training={"model": "conv11", "hidden": [8]}),
            "hidden is read only by model mlp, which no",
        ),
        (
            corruption(training={"width": 0.5}),
            "width is read only by model conv11 and conv11_mean and resnet50, which no run",
        ),
        (
            corruption(training={"pad": 2}),
            "pad is read only by model conv11 and conv11_mean and resnet50, which no run has",
        ),
        (
            convolutional("conv_normalization", training={"model": "resnet50"}),
            "batch_norm is read only by model conv11 and conv11_mean, which no run has",
        ),
        (convolutional("conv_selectivity", training={"dropout": 0.1}), "dropout 0.1 works only in model mlp"),
        (corruption(ablate_cumulative={"layers": 3}), "layers 3 is more than the 2 layers of units of mlp"),
        (
            corruption(flip_images={"layers": 3}),
            "flip_images: layers 3 is more than the 2 layers of units of mlp",
        ),
        (corruption(ablate_parts={"layers": ["relu9"]}), "ablate_parts.layers: "),
        (
            convolutional("mnist_early_stopping", ablate_checkpoints={"layers": 3}),
            "mnist_early_stopping.ablate_checkpoints: layers 3 is more than the 2 layers of units of mlp",
        ),
        (
            convolutional("mnist_early_stopping", training={"keep_every": None}),
            "ablate_checkpoints needs checkpoints; list epochs in training.keep_epochs, or set",
        ),
        (
            {"experiments": {"mnist_examples": {"training": {"keep_epochs": []}}}},
            "measure_kernel needs checkpoints; list epochs in training.keep_epochs, or set",
        ),
        (
            {"experiments": {"mnist_examples": {"training": {"keep_epochs": [3, 200]}}}},
            "measure_examples needs the weights before training; add 0 to training.keep_epochs",
        ),
        (
            convolutional("mnist_early_stopping", training={"keep_epochs": [26, 27, 30]}),
            "keep_epochs has 27, 30, but training ends after 26 epochs",
        ),
        (
            convolutional("mnist_early_stopping", training={"keep_every": 12195}),
            "keep_every 12195 is more than the 12194 steps of training",
        ),
        (
            convolutional("conv_selectivity", training={"keep_every": 156_301}),
            "keep_every 156301 is more than the 156300 steps of training",
        ),
        (
            convolutional("mnist_early_stopping", ablate_checkpoints={"images": 60_001}),
            "mnist_early_stopping.ablate_checkpoints: images 60001 is more than the 60000 train images",
        ),
        (
            convolutional("mnist_early_stopping", ablate_checkpoints={"images": 10_001, "split": "test"}),
            "mnist_early_stopping.ablate_checkpoints: images 10001 is more than the 10000 test images",
        ),
        (
            corruption(ablate_cumulative={"layers": ["relu2", "relu3"]}),
            "mnist_corruption.ablate_cumulative.layers: no layer of units of this network is called relu3; "
            "nearest of its 2: relu2, relu1",
        ),
        (
            residual(ablate_cumulative={"layers": ["blok16.relu3"]}),
            "no layer of units of this network is called blok16.relu3; nearest of its 49: block16.relu3,",
        ),
        (convolutional("conv_selectivity", training={"images": 97}), "batch 32 leaves one image in a batch"),
        (convolutional("conv_sweep", vary={"batch": [1, 32]}), "batch 1 leaves one image in a batch"),
        (
            convolutional("conv_selectivity", select_settings={"subsets": 9}),
            "select_settings: is set, but analyses does not list ablate_cumulative, on which it depends",
        ),
        (
            convolutional("conv_selectivity", ablate_checkpoints={"layers": 3}),
            "ablate_checkpoints: is set, but analyses does not list it",
        ),
    ],
)
def test_settings_that_do_not_fit_the_network(over, message):
    assert message in refused(**over)


def test_settings_that_fit_the_network():
    load(**convolutional("conv_ensemble", ablate_cumulative={"layers": 11}))
    load(**convolutional("conv_ensemble", ablate_cumulative={"layers": ["relu1", "relu1[01]"]}))
    load(**residual(ablate_cumulative={"layers": ["stem.*", "block16.*", "block*.relu3"]}))
    load(**convolutional("mnist_early_stopping", training={"keep_every": 12194}))
    load(**convolutional("mnist_early_stopping", training={"keep_every": None, "keep_epochs": [26]}))
    load(**convolutional("mnist_early_stopping", ablate_checkpoints={"images": 10_000, "split": "test"}))
    load(**convolutional("conv_sweep", select_settings={"subsets": 9}))
    load(**convolutional("conv_selectivity", training={"images": 96}))
    load(**convolutional("conv_selectivity", training={"images": 97, "batch_norm": False}))
    load(**corruption(training={"images": 129}))  # 128 + 1: no batch norm in an mlp
    load(**corruption(ablate_cumulative={"layers": 2}))


def test_layers_of_units_are_known_as_the_networks_have_them():
    from directions import models as _models

    assert set(run_table.MODELS) == set(_models.MODELS)
    settings = {"seed": 0, "hidden": [8, 8, 8], "width": 0.05, "batch_norm": True, "pad": 2, "dropout": 0.0}
    for model in _models.MODELS:
        network = _models.build(settings | {"model": model}, (1, 28, 28), 10)
        assert consistency.unit_layers(settings | {"model": model}) == list(_models.unit_layers(network))


def controls(**over) -> dict:
    """The paper study with this in the experiment of figure controls."""
    return {"study": "paper", "experiments": {"mlp_controls": over}}


def bounded(**over) -> dict:
    """The paper study with this in the experiment of figure cmi."""
    return {"study": "paper", "experiments": {"mnist_cmi": over}}


@pytest.mark.parametrize(
    ("over", "message"),
    [
        (
            bounded(measure_cmi={"pairs": [75, 5896]}),
            "mnist_cmi.measure_cmi: 5896 pairs need 11792 images, and the networks train on 11791; lower",
        ),
        (bounded(training={"images": 1999}), "measure_cmi: 1000 pairs need 2000 images, and the networks"),
        (
            convolutional("conv_selectivity", analyses=["measure_cmi"]),
            "conv_selectivity.measure_cmi: retrains only networks of model mlp, without dropout, by",
        ),
    ],
)
def test_networks_that_cannot_be_retrained(over, message):
    assert message in refused(**over)


def test_networks_that_can_be_retrained():
    load(**bounded(training={"images": 2000}))
    load(**bounded(measure_cmi={"pairs": [5895]}))


def limited(**over) -> dict:
    """The paper study with this in the experiment of figure limit."""
    return {"study": "paper", "experiments": {"mnist_limit": over}}


@pytest.mark.parametrize(
    ("over", "message"),
    [
        (
            convolutional("conv_normalization", vary={"batch_norm": [True]}),
            "draw.fig5b: compares values of batch_norm, experiments.conv_normalization has one",
        ),
        (
            {"study": "paper", "draw": {"fig6a": "conv_selectivity"}},
            "draw.fig6a: compares values of batch_norm",
        ),
        (
            {"study": "paper", "draw": {"fig3b": "conv_corruption"}},
            "draw.fig3b: compares values of learning_r",
        ),
        (
            convolutional("conv_ensemble", vary={"learning_rate": [0.001], "seed": [0]}),
            "draw.fig3a: needs 2 networks or more, experiments.conv_ensemble has 1",
        ),
        (
            convolutional("conv_sweep", vary={"learning_rate": [0.1, 0.2, 0.3], "batch": [32]}),
            "draw.fig4c: needs 4 settings or more, experiments.conv_sweep has 3",
        ),
        (
            convolutional("conv_corruption", ablate_cumulative={"clamp": ["zero"]}),
            "draw.figA1: needs mean in experiments.conv_corruption.ablate_cumulative.clamp",
        ),
        (limited(vary={"corrupt": [0.0, 0.5]}), "draw.limit: shows one corrupt, experiments.mnist_limit"),
        (limited(training={"steps": 50}, vary={"epochs": None}), "draw.limit: compares epochs, experiments"),
        (limited(ablate_cumulative={"split": "train"}), "mnist_limit.ablate_cumulative.split: test, not"),
        (limited(vary={"method": ["mae"]}), "draw.limit: compares values of method"),
        (
            {"study": "paper", "experiments": {"mnist_limit_dropout": {"vary": {"dropout": [0.3]}}}},
            "draw.limit_dropout: compares values of dropout, experiments.mnist_limit_dropout has one",
        ),
        (
            {"study": "paper", "experiments": {"mnist_limit_dropout": {"vary": {"dropout": [0.3, 0.6]}}}},
            "draw.limit_dropout: compares with networks without dropout, experiments.mnist_limit_dropout has",
        ),
        (
            {"study": "paper", "experiments": {"conv_limit": {"training": {"corrupt": 0.0}}}},
            "draw.limit_conv: needs wrong labels, experiments.conv_limit has networks with corrupt 0",
        ),
        (controls(vary={"dataset": ["pvr"]}), "draw.controls: compares values of dataset"),
        (
            controls(vary={"dropout": [0.0, 0.1]}),
            "draw.controls: shows one dropout, experiments.mlp_controls",
        ),
        (bounded(vary={"corrupt": [0.5]}), "draw.cmi: compares values of corrupt"),
        (bounded(vary={"hidden": [[8], [9]]}), "draw.cmi: shows one hidden, experiments.mnist_cmi varies it"),
        (
            {
                "draw": {"limit": "mnist_dropout"},
                "study": "paper",
                "experiments": {
                    "mnist_dropout": {
                        "analyses": ["ablate_cumulative", "measure_pairs", "measure_memorization"]
                    }
                },
            },
            "draw.limit: compares values of method, experiments.mnist_dropout has one",
        ),
    ],
)
def test_figures_that_would_have_nothing_to_compare(over, message):
    assert message in refused(**over)


def test_no_analysis_is_fine_where_a_figure_needs_none(monkeypatch):
    monkeypatch.setitem(FIGURES, "fig0", ("runs", "history"))
    bare = {"vary": {"seed": [0]}, "analyses": []}
    study = load(study="paper", experiments={"bare": bare}, draw={"fig0": "bare"})
    assert study["tables"]["bare"] == ["runs", "history"]
    assert "experiments.bare.analyses: is empty" in refused(study="paper", experiments={"bare": bare})


# Data sets and models of the user's own


def test_a_figure_shows_one_model_so_no_experiment_may_vary_it():
    message = refused(**corruption(vary={"model": ["mlp", "conv11"]}))
    assert "draw.fig1a: shows one model, experiments.mnist_corruption varies it; make an" in message


def own(tmp_path, training=(), datasets=(), models=()) -> dict:
    """A study with a data set and a model of the user's own, and these values on top."""
    mine = tmp_path / "mine.py"
    mine.write_text("def read(): ...\n\n\ndef net(settings, shape, classes): ...\n")
    study = corruption(training={"dataset": "strokes", "model": "net", "hidden": None} | dict(training))
    return study | {
        "figures": "fig1a",
        "datasets": {"strokes": f"{mine}:read"} | dict(datasets),
        "models": {"net": {"build": f"{mine}:net"}} | dict(models),
    }


def test_they_can_be_used_and_what_a_model_does_not_read_is_no_setting_of_it(tmp_path):
    study = load(**own(tmp_path))
    found = run_table.expand(study)["mnist_corruption"].values()
    assert {(row["dataset"], row["model"], row["hidden"], row["width"]) for row in found} == {
        ("strokes", "net", None, None)
    }
    reads = {"net": {"build": f"{tmp_path}/mine.py:net", "reads": ["hidden"]}}
    study = load(**own(tmp_path, {"hidden": [9, 8, 7]}, models=reads))
    found = run_table.expand(study)["mnist_corruption"].values()
    assert {(tuple(row["hidden"]), row["width"]) for row in found} == {((9, 8, 7), None)}


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ({"datasets": {"mnist": "MINE:read"}}, "datasets.mnist: this name is built in"),
        ({"models": {"mlp": {"build": "MINE:net"}}}, "models.mlp: this name is built in"),
        (
            {"datasets": {"strokes": "gone.py:read"}},
            "datasets.strokes: gone.py:read: there is no file gone.py",
        ),
        ({"datasets": {"strokes": "MINE:red"}}, "mine.py has no function red; it has read, net"),
        ({"datasets": {"strokes": "mine.py"}}, "allowed is a function of yours that returns the four arrays"),
        ({"datasets": {"My-Data": "MINE:read"}}, "a name of lower-case letters, digits and _"),
        (
            {"models": {"net": {}}},
            "models.net (in config.yaml, --configfile or the command line): lacks build",
        ),
        ({"models": {"net": {"build": "MINE:net", "reads": ["widht"]}}}, "did you mean width?"),
        ({"training": {"model": "nett"}}, "did you mean net?"),
        ({"training": {"dataset": "stroke"}}, "did you mean strokes?"),
    ],
)
def test_what_is_wrong_with_them_is_named(tmp_path, over, message):
    over = json.loads(json.dumps(over).replace("MINE", f"{tmp_path}/mine.py"))
    assert message in refused(**own(tmp_path, **over))
