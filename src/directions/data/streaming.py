"""Images that do not fit in memory: worker processes decode them from their files on demand.

Torchvision is imported only where images are resized, to spare data sets in memory a second.
"""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from directions.core.errors import InputError
from directions.core.seeds import number
from directions.data.dataset import FileList, content_digest

SIXTEEN_BITS = ("PNG", "PPM")  # formats whose mode I has 16 bits
BITS, PHOTOMETRIC = 258, 262  # TIFF tags
PIECE = 16  # images that a worker decodes at a time; up to 2 pieces per worker wait in shared memory


class Unreadable(Exception):
    """A file that is not a complete image; the message is "path (why)"."""


@contextmanager
def _readable(path: Path | str) -> Iterator[None]:
    """Turn what Pillow raises for a missing, truncated or invalid image file into Unreadable."""
    try:
        yield
    except UnidentifiedImageError as error:
        raise Unreadable(f"{path} (not an image of a known format)") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        why = getattr(error, "strerror", None) or error  # the text of an OSError would repeat the path
        raise Unreadable(f"{path} ({why})") from error


def check(path: Path | str) -> bytes:
    """Return the `content_digest` of an image file; raises Unreadable unless all of it can be decoded."""
    with _readable(path):
        content = Path(path).read_bytes()
        image = Image.open(io.BytesIO(content))
        image.draft(image.mode, (1, 1))  # decode a JPEG at an eighth of its size: as thorough, and faster
        _rgb(image)
    return content_digest(content)


def decode(path: Path | str, digest: bytes | None = None) -> Image.Image:
    """Decode an image to RGB; raises Unreadable if it is invalid or does not match the `content_digest`."""
    with _readable(path):
        content = Path(path).read_bytes()
        if digest not in (None, content_digest(content)):
            raise Unreadable(f"{path} (it was changed after the data set was prepared)")
        return _rgb(Image.open(io.BytesIO(content)))


def _rgb(image: Image.Image) -> Image.Image:
    """Convert an image to 8-bit RGB; grey with up to 16 bits is scaled, where Pillow would clip at 255.

    Raises ValueError for 32-bit integers and floating point, as no file says which value is white.
    """
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in SIXTEEN_BITS):
        tags = getattr(image, "tag_v2", {})
        white = 2 ** tags.get(BITS, (16,))[0] - 1
        grey = np.asarray(image).astype(np.float64) * (255 / white)
        if tags.get(PHOTOMETRIC) == 0:  # 0 is white, which Pillow honours only in 8-bit images
            grey = 255 - grey
        image = Image.fromarray(grey.round().clip(0, 255).astype(np.uint8))
    elif image.mode in ("I", "F"):
        kind = "floating point" if image.mode == "F" else "integers of more than 16 bits"
        raise ValueError(f"pixels are {kind} of unknown range: save it with 8 or 16 bits, or give arrays")
    return image.convert("RGB")


def middle(image: Image.Image, resize: int, size: int) -> Image.Image:
    """Resize the shorter side to `resize`, then crop the central square of `size` pixels."""
    from torchvision.transforms.v2 import functional

    return functional.center_crop(functional.resize(image, resize), size)


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """The images `index` (n,) of a list of files; used like a uint8 tensor (n, 3, size, size) on `device`.

    Only `split` decodes. workers: number of decoding processes, 0: this one. crop_key: see `augmented`.
    """

    files: FileList
    index: np.ndarray
    device: torch.device
    workers: int = 0
    crop_key: tuple | None = None

    def __len__(self) -> int:
        return len(self.index)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(images, channels, height, width), as of a tensor."""
        return (len(self), *self.files.shape[1:])

    @property
    def digest(self) -> str:
        """SHA-256 of the files' content and of how they are cropped, standing for the pixels."""
        digest = hashlib.sha256(f"{self.files.resize} {self.files.size} {self.crop_key}".encode())
        digest.update(self.files.digests[self.index].tobytes())
        return digest.hexdigest()

    def __getitem__(self, chosen: slice | np.ndarray | Tensor) -> "ImageFiles":
        """Select images by a slice, or by an array of positions, in that order."""
        return replace(self, index=self.index[chosen.cpu().numpy() if isinstance(chosen, Tensor) else chosen])

    def augmented(self, *key: object) -> "ImageFiles":
        """Return the same images for training, each randomly cropped (8 to 100 % of its area), maybe flipped.

        The random draw depends only on key and image, not on order, batch or worker.
        """
        return replace(self, crop_key=key)

    def split(self, size: int) -> Iterator[Tensor]:
        """Yield consecutive batches of at most `size` images, uint8 (n, 3, size, size), on `device`.

        Raises InputError naming a file that cannot be read or has changed since it was prepared.
        """
        batches = [range(first, min(first + size, len(self))) for first in range(0, len(self), size)]
        pieces = [[batch[at : at + PIECE] for at in range(0, len(batch), PIECE)] for batch in batches]
        loaded = iter(self._loader([piece for batch in pieces for piece in batch]))
        try:
            for batch in pieces:
                received = list(islice(loaded, len(batch)))
                yield torch.cat([self._on_device(piece) for piece in received])
        finally:
            del loaded  # ends the workers now: the traceback of an InputError would keep this frame alive

    def _loader(self, pieces: list[range]) -> DataLoader:
        return DataLoader(
            _Reader(self),
            batch_size=None,
            sampler=pieces,
            num_workers=min(self.workers, len(pieces)) if len(pieces) > 1 else 0,
            pin_memory=self.device.type == "cuda",
            generator=torch.Generator(),  # otherwise it would draw from the global one
        )

    def _on_device(self, piece: Tensor | str) -> Tensor:
        if isinstance(piece, str):
            raise InputError(
                f"{piece}: put the file back as it was, or delete the prepared data set and run again: "
                "scripts/prepare_data.py checks all files and names every bad one"
            )
        return piece.to(self.device, non_blocking=True)


class _Reader(Dataset[Tensor | str]):
    """Worker: decodes a piece, a range of positions in `images`, to a tensor; returns errors as text."""

    def __init__(self, images: ImageFiles):
        # Imported before the workers start, so that none of them has to.
        from torchvision.transforms import v2

        self.images = images
        size = images.files.size
        self.augment = v2.Compose([v2.RandomResizedCrop(size), v2.RandomHorizontalFlip()])
        self.to_tensor = v2.functional.pil_to_tensor

    def __getitem__(self, piece: range) -> Tensor | str:
        try:
            return torch.stack([self._read(image) for image in self.images.index[piece.start : piece.stop]])
        except Unreadable as error:  # a worker's exceptions would arrive wrapped in its traceback
            return str(error)

    def _read(self, image: int) -> Tensor:
        files, key = self.images.files, self.images.crop_key
        decoded = decode(files.path(image), files.digests[image].tobytes())
        if key is None:
            return self.to_tensor(middle(decoded, files.resize, files.size))
        with torch.random.fork_rng(devices=[]):  # torchvision knows only the global generator
            torch.default_generator.manual_seed(number("augment", *key, image))
            return self.to_tensor(self.augment(decoded))
