"""The user's own data: array files, a folder of images, a function, or a known data set with new labels."""

import gzip
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from directions.core import user_functions
from directions.core.errors import InputError
from directions.core.torch_files import BROKEN, reason, unpickled
from directions.data import imagefolder, label_file
from directions.data.dataset import SPLITS, Dataset, FileList
from directions.data.mnist import decode_idx
from directions.data.registry import KNOWN
from directions.data.specs import ARRAYS, Request

CHANNELS = (1, 3, 4)  # channel counts by which channels-last images are recognised

log = logging.getLogger(__name__)


def dataset(
    data: str | dict, labels: dict[str, str], known: Dataset | None, threads: int = 1, name: str = "own data"
) -> Dataset:
    """Return the data set that an entry `data` describes, with labels replaced from the files in `labels`.

    known: the prepared data without these labels, if there are any. data: the name of a known data set;
    "file.py:function", which returns the four arrays of `ARRAYS` in order; {each of `ARRAYS`: file}; or
    {imagefolder: folder, size: pixels}. labels: {"train" or "test": file}. Raises InputError naming a file
    that is missing, broken, or does not fit.
    """
    files: dict[str, list[str]] = {}
    images: dict[str, np.ndarray | FileList]
    if isinstance(data, dict) and "imagefolder" in data:
        tree = Path(data["imagefolder"]).expanduser()
        known = known or KNOWN["imagefolder"].prepare(
            Request(Path(), ("local",), tree, data["size"], threads=threads)
        )
        files = imagefolder.names(tree) if labels else {}
    if known is None:
        parts = user_functions.call(data) if isinstance(data, str) else [array(data[name]) for name in ARRAYS]
        if not isinstance(parts, tuple | list) or len(parts) != len(ARRAYS):
            raise InputError(f"{data} must return {len(ARRAYS)} arrays: {', '.join(ARRAYS)}")
        named = {name: plain(part, name) for name, part in zip(ARRAYS, parts, strict=True)}
        images = {split: as_images(named[f"{split}_images"], f"{split}_images") for split in SPLITS}
        given = {split: as_labels(named[f"{split}_labels"], f"{split}_labels") for split in SPLITS}
        names = None
    else:
        images = {split: known.split(split)[0] for split in SPLITS}
        given = {split: known.split(split)[1] for split in SPLITS}
        names = known.class_names
    for split, file in labels.items():
        replaced = as_labels(array(file, files.get(split, ())), file)
        if len(replaced) != len(given[split]):
            raise InputError(
                f"{file} has {len(replaced)} labels, the {split} set has {len(given[split])} images"
            )
        given[split] = replaced
    names = names or tuple(map(str, range(1 + max(int(part.max(initial=0)) for part in given.values()))))
    return Dataset(
        known.name if known else name, names, images["train"], given["train"], images["test"], given["test"]
    )


def plain(values: object, name: str) -> np.ndarray:
    """Convert to a NumPy array, also from a tensor on a GPU, in bfloat16, or with a gradient.

    Raises InputError for rows of unequal length.
    """
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        return (values.float() if values.dtype == torch.bfloat16 else values).numpy()
    try:
        return np.asarray(values)
    except ValueError as error:
        raise InputError(f"{name}: all must have the same shape ({error})") from error


def array(file: str, images: Sequence[str] = ()) -> np.ndarray:
    """Read the array of a .npy, .pt, .csv (labels) or IDX file (also .gz); raises InputError for any other.

    images: as `label_file.read` takes them.
    """
    path = Path(file).expanduser()
    if not path.is_file():
        raise InputError(f"there is no file {path} (looked for in {Path.cwd()})")
    if path.suffix in (".pt", ".pth"):
        content = unpickled(path, "an array", "more than one tensor: save it with torch.save(tensor, file)")
        if not isinstance(content, torch.Tensor):
            raise InputError(f"{path} holds {type(content).__name__}, not one tensor")
        return plain(content, str(path))
    try:
        if path.suffix == ".npy":
            return np.load(path, allow_pickle=False)
        if path.suffix == ".csv":
            return label_file.read(path, images)
        content = path.read_bytes()
        return decode_idx(gzip.decompress(content) if path.suffix == ".gz" else content, str(path))
    except InputError:
        raise
    except BROKEN as error:
        way = "write it with numpy.save" if path.suffix == ".npy" else "give a file .npy, .pt or IDX"
        raise InputError(f"{path} cannot be read as an array ({reason(error)}): {way}") from error


def as_images(images: np.ndarray, name: str, doubted: bool = True) -> np.ndarray:
    """Return images as uint8 (n, c, h, w), adding or moving the channel axis, or as float32 (n, ...).

    doubted: whether to log warnings. Floats are taken as the network's input, not scaled or transposed.
    Raises InputError for anything else.
    """
    if images.dtype.kind == "f" and images.ndim >= 2:  # of either byte order
        if not np.isfinite(images).all():
            raise InputError(f"{name}: some numbers are not finite")
        for doubt in of_images(images) if doubted else ():
            log.warning("warning: %s: %s", name, doubt)
        return images.astype(np.float32)
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        hint = ", such as (images / 65535).astype('float32')" if images.dtype == np.uint16 else ""
        raise InputError(
            f"{name} are {images.dtype} {images.shape}: they must be uint8 (n, h, w) or (n, c, h, w),"
            f" or floating point (n, ...) as the network takes them{hint}"
        )
    if images.ndim == 3:
        return images[:, None]
    if images.shape[1] == 2 and images.shape[3] in CHANNELS:
        raise InputError(
            f"{name}: {images.shape} may be (n, c, h, w) or (n, h, w, c), which is ambiguous: give floating"
            " point, images / 255 as float32, with axes as the network takes them"
        )
    if images.shape[1] not in CHANNELS and images.shape[3] in CHANNELS:
        log.info("%s: %s is channels-last; moving channels to axis 1", name, images.shape)
        return np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    return images


def as_labels(labels: np.ndarray, name: str) -> np.ndarray:
    """Return labels as int64 (n,), from 0; raises InputError for anything else."""
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        hint = ", such as labels.argmax(1)" if labels.ndim == 2 and labels.shape[1] > 1 else ""
        hint = hint or (", such as labels.ravel()" if labels.ndim == 2 else "")
        hint = hint or (", such as labels.astype(int)" if _whole(labels) else "")
        raise InputError(
            f"{name}: labels are {labels.dtype} {labels.shape}; they must be whole numbers (n,) from 0{hint}"
        )
    if (lowest := labels.min(initial=0)) < 0:
        raise InputError(f"{name}: labels go from {lowest} to {labels.max()}; they must count from 0")
    return labels.astype(np.int64)


def _whole(labels: np.ndarray) -> bool:
    """Return whether labels of a non-integer type are whole numbers."""
    return labels.dtype.kind == "b" or (labels.dtype.kind == "f" and bool((labels % 1 == 0).all()))


def of_images(images: np.ndarray) -> Iterator[str]:
    """Yield a warning about floating point images that look like bytes."""
    if images.size and images.min() >= 0 and 1 < images.max() <= 255 and (images == np.floor(images)).all():
        yield (
            f"floating point images with whole numbers up to {images.max():.0f} reach the network unscaled:"
            " was it trained on these values? Bytes (uint8) are scaled to 0..1"
        )
