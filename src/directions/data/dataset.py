"""A prepared data set: one safetensors file, whose digests are checked whenever it is read."""

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from directions.core.errors import InputError
from directions.core.files import atomic

SPLITS = ("train", "test")


@dataclass(frozen=True, eq=False)
class FileList:
    """Images that stay in their files, in place of an array uint8 (n, 3, size, size).

    folder: root of the names. names: uint8, all names as bytes, each ended by a newline (compact, as worker
    processes share it). digests: uint8 (n, 16), the `content_digest` of every file when it was checked.
    resize: length of the shorter side in pixels before the central square of `size` pixels is cut out.
    """

    folder: str
    names: np.ndarray
    digests: np.ndarray
    resize: int
    size: int

    dtype, ndim = np.dtype(np.uint8), 4  # of the array that it replaces

    def __len__(self) -> int:
        return len(self.digests)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the array: (images, channels, height, width)."""
        return (len(self), 3, self.size, self.size)

    @cached_property
    def _ends(self) -> np.ndarray:
        return np.flatnonzero(self.names == ord("\n"))

    def path(self, number: int) -> Path:
        """Return the path of image `number`."""
        start = self._ends[number - 1] + 1 if number else 0
        return Path(self.folder, os.fsdecode(self.names[start : self._ends[number]].tobytes()))


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels of both splits.

    Attributes:
        name: of the data set.
        class_names: one per class.
        train_images: uint8 (images, channels, height, width), as a NumPy array or a FileList, or float32
            (images, ...) as a network takes them.
        train_labels: int64 (images,), from 0 to `classes` - 1, indices into `class_names`.
        test_images: as `train_images`.
        test_labels: as `train_labels`.

    Raises:
        InputError: for arrays of other types or shapes, and labels outside the classes.

    Example:
        >>> import numpy as np
        >>> from directions.data.dataset import Dataset
        >>> images, labels = np.zeros((2, 1, 8, 8), np.uint8), np.array([0, 1])
        >>> strokes = Dataset("strokes", ("zero", "one"), images, labels, images[:1], labels[:1])
        >>> strokes.classes, strokes.split("test")[0].shape
        (2, (1, 1, 8, 8))
    """

    name: str
    class_names: tuple[str, ...]
    train_images: np.ndarray | FileList
    train_labels: np.ndarray
    test_images: np.ndarray | FileList
    test_labels: np.ndarray

    def __post_init__(self):
        for split in SPLITS:
            self._check(split, *self.split(split))
        train, test = self.train_images, self.test_images
        if (train.dtype, train.shape[1:]) != (test.dtype, test.shape[1:]):
            raise InputError(
                f"data set {self.name}: training images are {train.dtype} {train.shape[1:]},"
                f" test images {test.dtype} {test.shape[1:]} (channels, height, width)"
            )

    def _check(self, split: str, images: np.ndarray | FileList, labels: np.ndarray) -> None:
        pixels = images.dtype == np.uint8 and images.ndim == 4
        floats = images.dtype == np.float32 and images.ndim >= 2
        if not (pixels or floats) or labels.dtype != np.int64 or labels.ndim != 1:
            raise InputError(
                f"data set {self.name}, {split}: images are {images.dtype} {images.shape} and labels"
                f" {labels.dtype} {labels.shape}; they must be uint8 (n, c, h, w), or float32"
                " (n, ...), and int64 (n,)"
            )
        if not len(images) or len(images) != len(labels):
            raise InputError(f"data set {self.name}, {split}: {len(images)} images, {len(labels)} labels")
        if labels.min() < 0 or labels.max() >= self.classes:
            raise InputError(
                f"data set {self.name}, {split}: labels run from {labels.min()} to {labels.max()},"
                f" but it has {self.classes} classes"
            )

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    def split(self, split: str) -> tuple[np.ndarray | FileList, np.ndarray]:
        """Return images and labels of "train" or "test"."""
        return getattr(self, f"{split}_images"), getattr(self, f"{split}_labels")

    @cached_property
    def tensors(self) -> dict[str, np.ndarray]:
        """Tensors to store: `{split}_labels`, and `{split}_images` or a FileList's `_names`, `_digests`."""
        found = {}
        for split in SPLITS:
            images, found[f"{split}_labels"] = self.split(split)
            if isinstance(images, FileList):
                found |= {f"{split}_names": images.names, f"{split}_digests": images.digests}
            else:
                found[f"{split}_images"] = images
        return found

    @property
    def files(self) -> dict[str, dict]:
        """{split: folder and sizes of its FileList}; empty if pixels are stored."""
        lists = {split: self.split(split)[0] for split in SPLITS}
        return {
            split: {"folder": images.folder, "resize": images.resize, "size": images.size}
            for split, images in lists.items()
            if isinstance(images, FileList)
        }

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each tensor, e.g. `digests["test_labels"]`."""
        return {name: tensor_digest(tensor) for name, tensor in self.tensors.items()}

    @property
    def digest(self) -> str:
        """SHA-256 over the content of all tensors, without name and class names."""
        return hashlib.sha256(json.dumps(self.digests, sort_keys=True).encode()).hexdigest()

    def save(self, path: Path | str) -> None:
        """Write the file atomically; equal content gives equal bytes.

        Raises InputError if it cannot be written, e.g. on a full disk.
        """
        facts = {"name": self.name, "class_names": self.class_names, "digests": self.digests}
        if self.files:
            facts["files"] = self.files
        # A single key, as safetensors writes several in random order, which would change the bytes.
        metadata = {"dataset": json.dumps(facts | {"digest": self.digest}, sort_keys=True)}
        tensors = {name: np.ascontiguousarray(tensor) for name, tensor in self.tensors.items()}
        try:
            with atomic(path) as partial:
                # Not save_file, whose files only their owner can read.
                partial.write_bytes(save(tensors, metadata=metadata))
        except OSError as error:
            raise InputError(f"{path} cannot be written ({error}): fix the problem and rerun") from error


def tensor_digest(tensor: np.ndarray) -> str:
    """Return the SHA-256 of a tensor's type, shape and values."""
    digest = hashlib.sha256(f"{tensor.dtype.name} {tensor.shape}".encode())
    digest.update(np.ascontiguousarray(tensor).data)
    return digest.hexdigest()


def content_digest(content: bytes) -> bytes:
    """Return the first 16 bytes of the SHA-256 of an image file's content."""
    return hashlib.sha256(content).digest()[:16]


def load(path: Path | str) -> Dataset:
    """Load the data set at `path`, checking the digest of every tensor.

    Raises InputError naming the file if it is missing, damaged, or not a data set.
    """
    tensors, facts = _read(path)
    parts: dict[str, Any] = dict(tensors)
    for split, files in facts.get("files", {}).items():
        names, digests = parts.pop(f"{split}_names"), parts.pop(f"{split}_digests")
        parts[f"{split}_images"] = FileList(names=names, digests=digests, **files)
    return Dataset(facts["name"], tuple(facts["class_names"]), **parts)


def load_labels(path: Path | str, split: str) -> np.ndarray:
    """Load the true labels of "train" or "test", int64 (images,), without reading the images.

    Raises InputError naming the file if it is missing, damaged, or not a data set.
    """
    name = f"{split}_labels"
    return _read(path, name)[0][name]


def _read(path: Path | str, *names: str) -> tuple[dict[str, np.ndarray], dict]:
    """Return the named tensors, or all, and the metadata stored with them."""
    if not Path(path).is_file():
        raise InputError(f"there is no data set {path}: scripts/prepare_data.py makes it")
    way_out = "delete it and rerun, and scripts/prepare_data.py will recreate it"
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            if "dataset" not in metadata:
                raise InputError(f"{path} is a safetensors file but not a data set: {way_out}")
            facts = json.loads(metadata["dataset"])
            tensors = {name: file.get_tensor(name) for name in names or facts["digests"]}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is damaged ({error}): {way_out}") from error
    for name, tensor in tensors.items():
        expected, found = facts["digests"][name], tensor_digest(tensor)
        if expected != found:
            raise InputError(
                f"{path} is damaged ({name}: sha256 expected {expected}, found {found}): {way_out}"
            )
    return tensors, facts
