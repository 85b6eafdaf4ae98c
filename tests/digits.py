"""A tree of real JPEGs, as users have them: MNIST's digits, in the upper or the lower half of a picture."""

from pathlib import Path

import numpy as np
from checkouts import ROOT
from PIL import Image

from directions.data.registry import KNOWN
from directions.data.specs import Request

DIGITS = 6
CLASSES = 2 * DIGITS  # more than ten, so that top-5 accuracy is counted
SIZE = 32  # pixels of the middle square; some pictures are wide, the others tall


def tree(folder: Path, train: int, test: int) -> Path:
    """Write folder/train/CLASS/*.jpg and folder/test/CLASS/*.jpg, the classes in turn; return the folder."""
    mnist = KNOWN["mnist"].prepare(Request(ROOT / "data/raw", KNOWN["mnist"].sources))
    for split, count in (("train", train), ("test", test)):
        images, labels = mnist.split(split)
        unused = {digit: iter(np.flatnonzero(labels == digit)) for digit in range(DIGITS)}
        for number in range(count):
            digit, lower = divmod(number % CLASSES, 2)
            path = folder / split / f"{digit} {('above', 'below')[lower]}" / f"{number:03d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture(images[next(unused[digit]), 0], lower, wide=number % 5 > 1).save(path, quality=90)
    return folder


def picture(digit: np.ndarray, lower: int, *, wide: bool) -> Image.Image:
    """A digit, uint8 (28, 28), in a half of the middle square of a larger picture, which is not all black."""
    width, height = (SIZE + 14, SIZE) if wide else (SIZE, SIZE + 14)
    made = Image.new("RGB", (width, height), (40, 20, 60))
    half = SIZE // 2
    corner = (width // 2 - half // 2, height // 2 - half * (1 - lower))
    small = Image.fromarray(digit).resize((half, half))
    made.paste((255, 240, 200), corner, mask=small)
    return made
