"""Images with the labels that a network is trained or measured on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from directions import data, labels
from directions.data.dataset import Dataset, FileList
from directions.errors import InputError
from directions.imagefiles import ImageFiles


@dataclass(frozen=True)
class Examples:
    """Images uint8 (n, c, h, w), in memory or still in their files, and labels (n,), on one device.

    Of data of the user's own, images may be float32 (n, ...), as the network takes them.

    changed_share: share of `labels` that are not the true ones.
    """

    images: Tensor | ImageFiles
    labels: Tensor
    classes: int
    changed_share: float = 0.0

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(channels, height, width) of every image."""
        return tuple(self.images.shape[1:])


def load_examples(
    dataset_path: Path | str,
    ledger_path: Path | str,
    split: str,
    device: torch.device | str,
    test_images: int | str = "all",
    workers: int = 0,
) -> Examples:
    """The training set as the ledger has it (its images, with the labels given), or the untouched test set.

    split: "train" or "test"; of the latter `test_images` are used. workers: processes that decode images,
    where those stay in their files. Raises InputError when a file is broken, the two do not belong together,
    there are fewer test images, or the folder of the images is gone.
    """
    dataset = data.load(dataset_path)
    true, changed = dataset.split(split)[1], 0.0
    if split == "train":
        ledger = labels.load(ledger_path, true)
        used, given = ledger["image"].to_numpy(), ledger["given"].to_numpy()
        changed = float((ledger["true"] != ledger["given"]).mean())
    else:
        if test_images != "all" and test_images > len(true):
            raise InputError(f"test_images: {test_images} were asked for, {dataset.name} has {len(true)}")
        used = labels.choose_images(len(true), test_images, f"{dataset.name}, test set")
        given = true[used]
    return Examples(
        _images(dataset, split, used, torch.device(device), workers),
        torch.tensor(given, dtype=torch.int64, device=device),
        dataset.classes,
        changed,
    )


def _images(
    dataset: Dataset, split: str, used: np.ndarray, device: torch.device, workers: int
) -> Tensor | ImageFiles:
    images = dataset.split(split)[0]
    if not isinstance(images, FileList):
        return torch.tensor(images[used], device=device)
    if not Path(images.folder).is_dir():
        raise InputError(
            f"there is no folder {images.folder}, where the images of data set {dataset.name} lay when it was"
            " prepared: put it back, or a link to it, or delete the prepared data set and run again"
        )
    return ImageFiles(images, used, device, workers)
