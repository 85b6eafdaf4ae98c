"""A small data set and the settings of a small network."""

import numpy as np

from directions import data

SETTINGS = {
    "dataset": "toy", "images": "all", "model": "mlp", "hidden": [8, 6], "optimizer": "sgd",
    "learning_rate": 0.05, "momentum": 0.9, "weight_decay": 0.0, "batch": 16, "epochs": 6, "dropout": 0.0,
    "corrupt": 0.0, "seed": 3, "keep_epochs": [], "evaluate_every": 1, "require_train_accuracy": None,
    "precision": "float32", "width": None, "batch_norm": None, "pad": None, "norm_batch": None, "steps": None,
    "schedule": "constant", "augment": False,
}  # fmt: skip


def toy_dataset() -> data.Dataset:
    """64 training and 40 test images of 1 x 4 x 4 in 4 classes that can be told apart."""
    rng = np.random.default_rng(0)
    prototypes = rng.integers(0, 200, (4, 1, 4, 4))

    def split(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count) % 4
        return (prototypes[labels] + rng.integers(0, 56, (count, 1, 4, 4))).astype(np.uint8), labels

    train, test = split(64), split(40)
    return data.Dataset("toy", ("a", "b", "c", "d"), *train, *test)
