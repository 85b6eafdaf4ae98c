"""CIFAR-10, from the archive of pickled batches that torchvision uses (the "python version")."""

import gzip
import io
import pickle
import tarfile
import zlib

import numpy as np

from directions.core.errors import InputError
from directions.core.types import present
from directions.data.dataset import Dataset
from directions.data.sources import fetch
from directions.data.specs import Known, Raw, RawFile, Request

BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
ALLOWED = {  # all globals in the published batches; numpy.core moved to numpy._core in NumPy 2
    ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class BatchUnpickler(pickle.Unpickler):
    """Unpickles NumPy arrays and plain values only.

    A pickle can call any global that it can name. The archive's digest has already been checked; as a second
    safeguard, only the three globals that an array needs are allowed.
    """

    def find_class(self, module: str, name: str):
        """Return an allowed global of a pickle; raises UnpicklingError for any other."""
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it refers to {module}.{name}, which no batch of CIFAR-10 does")
        return ALLOWED[module, name]


def decode_batch(content: bytes, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return images uint8 (n, 3, 32, 32) and labels int64 (n,) of a pickled batch; InputError if invalid."""
    try:
        batch = BatchUnpickler(io.BytesIO(content), encoding="latin1").load()  # written by Python 2
        images = np.asarray(batch["data"], dtype=np.uint8).reshape(-1, 3, 32, 32)
        return images, np.asarray(batch["labels"], dtype=np.int64)
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{name} is not a batch of CIFAR-10: {error}") from error


def read(known: Known, request: Request) -> Dataset:
    """Read the data set from its archive, without unpacking it to disk."""
    [file], [archive] = present(known.raw).files, fetch(known, request)
    batches = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as members:
            for name in (*BATCHES, "test_batch"):
                content = present(members.extractfile(f"cifar-10-batches-py/{name}")).read()
                batches[name] = decode_batch(content, f"{file.name}: {name}")
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, KeyError) as error:
        raise InputError(f"{file.name} is not the archive of CIFAR-10: {error}") from error
    images, labels = (np.concatenate(parts) for parts in zip(*(batches[n] for n in BATCHES), strict=True))
    return Dataset(known.name, present(known.class_names), images, labels, *batches["test_batch"])


def _mirrors() -> tuple[str, ...]:
    from torchvision.datasets import CIFAR10

    return (CIFAR10.url.removesuffix(CIFAR10.filename),)


CIFAR10 = Known(
    name="cifar10",
    title="CIFAR-10",
    train_images=50_000,
    test_images=10_000,
    class_names=CLASS_NAMES,
    shape=(3, 32, 32),
    sources=("local", "mirror"),
    read=read,
    raw=Raw(
        files=(RawFile("cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a", unpack=False),),
        folders=("cifar10", ""),
        mirrors=_mirrors,
        by_hand="download the python version from https://www.cs.toronto.edu/~kriz/cifar.html on a machine"
        " that can, or let torchvision do it there (`CIFAR10('data/raw', download=True)`), and copy the file",
    ),
)
