"""A folder of the user's own images: train/CLASS/*.jpg and test/CLASS/*.jpg (or val/ for test/)."""

import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from directions.core.errors import InputError
from directions.core.files import LARGE, content
from directions.data.dataset import Dataset, FileList
from directions.data.specs import Known, Request

if TYPE_CHECKING:
    from torchvision.datasets import ImageFolder

LOG = logging.getLogger(__name__)
SPLIT_FOLDERS = (("train",), ("test", "val"))  # per split, the first that exists
SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")  # as in torchvision
SHOWN = 5  # unreadable images or classes named in an error
MANY = 20_000  # images; more, or `LARGE` bytes of them, would take too long to read at every start
CHUNK = 500  # images per task of a thread
REPORT_SECONDS = 10.0  # interval of progress lines


def read(known: Known, request: Request) -> Dataset:
    """Read the data set from a tree in the layout of `torchvision.datasets.ImageFolder`.

    Raises InputError if no tree is given, for a split without images, for classes that the splits do not
    share, and for unreadable images, naming them.
    """
    if request.tree is None:
        raise InputError("data set imagefolder needs its folder: `imagefolder: {path: ..., size: 64}`")
    if request.size < 1:
        raise InputError(f"imagefolder: size is {request.size} pixels, it must be at least 1")
    train, test = find_splits(request.tree, *SPLIT_FOLDERS)
    return Dataset(known.name, tuple(train.classes), *_read(train, request), *_read(test, request))


def _read(split: "ImageFolder", request: Request) -> tuple[np.ndarray | FileList, np.ndarray]:
    if request.stream:
        return listed(split, request.size, request.size, request.threads), labels(split)
    return decoded(split, request.size, request.threads), labels(split)


def labels(split: "ImageFolder") -> np.ndarray:
    """Return the labels of the images, int64 (n,)."""
    return np.array(split.targets, np.int64)


def find_splits(tree: Path, *names: tuple[str, ...]) -> list["ImageFolder"]:
    """List the images of two splits with torchvision; per split, the first of the named folders that exists.

    Raises InputError if a folder or images are missing, and for classes that the splits do not share.
    """
    train, test = (_split(tree, split) for split in names)
    for missing, place, other in (
        (set(train.classes) - set(test.classes), test.root, train.root),
        (set(test.classes) - set(train.classes), train.root, test.root),
    ):
        if missing:
            raise InputError(f"{place} lacks classes that {other} has: {shown(sorted(missing))}")
    return [train, test]


def names(tree: Path) -> dict[str, list[str]]:
    """Return {"train" or "test": "class/file" of each image, in the order of the data set}."""
    splits = zip(("train", "test"), find_splits(tree, *SPLIT_FOLDERS), strict=True)
    return {
        name: [Path(path).relative_to(split.root).as_posix() for path, _label in split.samples]
        for name, split in splits
    }


def shown(names: list[str]) -> str:
    """Join the first of these names, and say how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"


def _split(tree: Path, names: tuple[str, ...]) -> "ImageFolder":
    from torchvision.datasets import ImageFolder

    folder = next((tree / name for name in names if (tree / name).is_dir()), None)
    if folder is None:
        raise InputError(f"there is no folder {' or '.join(str(tree / name) for name in names)}")
    for _ in files(folder):  # refuses broken links, where torchvision would silently skip a class
        pass
    form = f"{folder} must hold one folder of images per class"
    try:
        split = ImageFolder(str(folder), allow_empty=True)
    except FileNotFoundError as error:  # no class
        raise InputError(f"{form}: {error}") from error
    found = np.bincount(labels(split), minlength=len(split.classes))
    empty = [name for name, images in zip(split.classes, found, strict=True) if not images]
    if empty:
        raise InputError(f"{form}: there are no images in {shown(empty)}")
    return split


def files(folder: Path) -> Iterator[str]:
    """Yield the image files of a split's folder, class by class, following links as torchvision does.

    Raises InputError for a broken link, and for a link to a folder that contains it.
    """
    waiting: list[tuple[str, frozenset[str]]] = [(str(folder), frozenset())]
    while waiting:
        place, above = waiting.pop()
        if (real := os.path.realpath(place)) in above:
            raise InputError(f"{place} is a link to a folder that contains it: remove the link")
        with os.scandir(place) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        broken = next((entry.path for entry in found if entry.is_symlink() and not os.path.exists(entry)), "")
        if broken:
            raise InputError(
                f"{broken} is a broken link: restore {os.path.realpath(broken)}, or remove the link"
            )
        waiting += [(entry.path, above | {real}) for entry in reversed(found) if entry.is_dir()]
        if above:  # outside the class folders, torchvision looks for no images
            yield from (
                entry.path for entry in found if entry.name.lower().endswith(SUFFIXES) and entry.is_file()
            )


def state(tree: Path) -> str:
    """Return a digest of a tree of images: names and content of its files, and the targets of links.

    Instead of the content of many or large images, which are not read, it covers their sizes and times.
    Raises InputError as `files` does.
    """
    digest, whole = hashlib.sha256(), os.path.realpath(tree)
    found: dict[str, os.stat_result] = {}
    for names in SPLIT_FOLDERS:
        folder = next((tree / name for name in names if (tree / name).is_dir()), None)
        found |= {path: os.stat(path) for path in files(folder)} if folder else {}
    read = len(found) <= MANY and sum(known.st_size for known in found.values()) < LARGE
    for path, known in found.items():
        real = os.path.relpath(os.path.realpath(path), whole)
        inside = f"{known.st_size} {known.st_mtime_ns}"
        with suppress(OSError):  # the job that reads the images reports one that cannot be read
            inside = content(Path(path)) if read else inside
        digest.update(os.fsencode(f"{os.path.relpath(path, tree)} {real} {inside}\n"))
    return digest.hexdigest()


def decoded(split: "ImageFolder", size: int, threads: int) -> np.ndarray:
    """Decode all images, uint8 (n, 3, size, size). Raises InputError naming unreadable ones."""
    from directions.data import streaming

    images = np.empty((len(split.samples), 3, size, size), np.uint8)

    def fill(index: int, path: str) -> None:
        squared = streaming.middle(streaming.decode(path), size, size)
        images[index] = np.asarray(squared).transpose(2, 0, 1)

    _each(split, fill, threads)
    return images


def listed(split: "ImageFolder", resize: int, size: int, threads: int) -> FileList:
    """List the image files, decoding each once. Raises InputError naming unreadable ones."""
    from directions.data import streaming

    tree, folder = os.path.split(split.root)
    names = [os.fsencode(folder + path.removeprefix(split.root)) for path, _label in split.samples]
    broken = next((name for name in names if b"\n" in name), None)
    if broken is not None:
        raise InputError(f"{tree}: a file name contains a line break, rename it: {os.fsdecode(broken)!r}")
    digests = b"".join(_each(split, lambda _index, path: streaming.check(path), threads))
    return FileList(
        folder=tree or ".",
        names=np.frombuffer(b"".join(name + b"\n" for name in names), np.uint8),
        digests=np.frombuffer(digests, np.uint8).reshape(len(names), -1),
        resize=resize,
        size=size,
    )


def _each(split: "ImageFolder", work: Callable[[int, str], object], threads: int) -> list:
    """Run `work(index, path)` on all images in threads; return results in order, or name all unreadable."""
    from directions.data.streaming import Unreadable

    total = len(split.samples)

    def attempt(start: int) -> tuple[list, list[str]]:
        results, unreadable = [], []
        for index in range(start, min(start + CHUNK, total)):
            try:
                results.append(work(index, split.samples[index][0]))
            except Unreadable as error:
                unreadable.append(str(error))
        return results, unreadable

    results, unreadable = [], []
    started = reported = time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        for more, faults in pool.map(attempt, range(0, total, CHUNK)):
            results += more
            unreadable += faults
            done, now = len(results) + len(unreadable), time.monotonic()
            if now - reported > REPORT_SECONDS:
                left = (now - started) / done * (total - done)
                LOG.info("local: %s, %d of %d images, %.0f s left", split.root, done, total, left)
                reported = now
    if unreadable:
        raise InputError(
            f"{len(unreadable)} of {total} images in {split.root} cannot be read:"
            f" {shown(unreadable)}: replace or delete them and rerun"
        )
    LOG.info("local: %s, %d images of %d classes read", split.root, total, len(split.classes))
    return results


IMAGEFOLDER = Known(
    name="imagefolder",
    title="own images",
    train_images=None,
    test_images=None,
    class_names=None,
    shape=None,
    sources=("local",),
    read=read,
)
