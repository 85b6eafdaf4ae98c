"""Images with the labels that a network is trained or measured on."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from directions import data, labels
from directions.errors import InputError


@dataclass(frozen=True)
class Examples:
    """Images uint8 (n, c, h, w) and labels (n,), whole on one device.

    changed_share: share of `labels` that are not the true ones.
    """

    images: Tensor
    labels: Tensor
    classes: int
    changed_share: float = 0.0

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of every image."""
        return tuple(self.images.shape[1:])


def load_examples(
    dataset_path: Path | str,
    ledger_path: Path | str,
    split: str,
    device: torch.device | str,
    test_images: int | str = "all",
) -> Examples:
    """The training set as the ledger has it (its images, with the labels given), or the untouched test set.

    split: "train" or "test"; of the latter `test_images` are used. Raises InputError when a file is broken,
    the two do not belong together, or there are fewer test images.
    """
    dataset = data.load(dataset_path)
    images, given, changed = dataset.test_images, dataset.test_labels, 0.0
    if split == "test" and test_images != "all":
        if test_images > len(given):
            raise InputError(f"test_images: {test_images} were asked for, {dataset.name} has {len(given)}")
        used = labels.choose_images(len(given), test_images, f"{dataset.name}, test set")
        images, given = images[used], given[used]
    if split == "train":
        ledger = labels.load(ledger_path, dataset.train_labels)
        images = dataset.train_images[ledger["image"].to_numpy()]
        given = ledger["given"].to_numpy()
        changed = float((ledger["true"] != ledger["given"]).mean())
    return Examples(
        torch.tensor(images, dtype=torch.uint8, device=device),
        torch.tensor(given, dtype=torch.int64, device=device),
        dataset.classes,
        changed,
    )
