"""The images and labels that a network is trained or measured on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from directions import data
from directions.core.errors import InputError
from directions.core.types import Count, Images
from directions.data import labels as data_labels
from directions.data.dataset import Dataset, FileList
from directions.data.streaming import ImageFiles


@dataclass(frozen=True)
class Examples:
    """Images uint8 (n, c, h, w), in memory or still in their files, and labels (n,), on one device.

    Images of a user's own data may be float32 (n, ...), as the network takes them.

    changed: which `labels` differ from the true ones, (n,); None: none.
    """

    images: Images
    labels: Tensor
    classes: int
    changed: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def changed_share(self) -> float:
        """Fraction of the labels that differ from the true ones."""
        return 0.0 if self.changed is None else float(self.changed.double().mean())

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of every image: (channels, height, width)."""
        return tuple(self.images.shape[1:])


def load_examples(
    dataset_path: Path | str,
    ledger_path: Path | str,
    split: str,
    device: torch.device | str,
    test_images: Count = "all",
    workers: int = 0,
) -> Examples:
    """Load the training set with the images and labels of the ledger, or the unchanged test set.

    split: "train" or "test"; test uses `test_images` of the images. workers: processes that decode images, if
    those stay in their files. Raises InputError if a file is broken, the two do not belong together, there
    are fewer test images, or the folder of the images is missing.
    """
    dataset = data.load(dataset_path)
    true, changed = dataset.split(split)[1], None
    if split == "train":
        ledger = data_labels.load(ledger_path, true)
        used, given = ledger["image"].to_numpy(), ledger["given"].to_numpy()
        changed = torch.tensor((ledger["true"] != ledger["given"]).to_numpy(), device=device)
    else:
        if test_images != "all" and test_images > len(true):
            raise InputError(f"test_images: {test_images} requested, but {dataset.name} has {len(true)}")
        used = data_labels.choose_images(len(true), test_images, f"{dataset.name}, test set")
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
            f"folder {images.folder} is missing; the images of data set {dataset.name} were there when it was"
            " prepared: restore it, or link to it, or delete the prepared data set and run again"
        )
    return ImageFiles(images, used, device, workers)
