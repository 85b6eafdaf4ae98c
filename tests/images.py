"""A stand-in for images that are read from files when they are needed: the same few operations, on pixels."""

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass
class Streamed:
    """uint8 images (n, c, h, w) that can be indexed, split and "augmented", and nothing else.

    keys: what `augmented` was asked for; the images with key k are those with k added to each pixel's value.
    """

    pixels: Tensor
    keys: list[tuple] = field(default_factory=list)
    added: int = 0

    @classmethod
    def of(cls, pixels) -> "Streamed":
        return cls(torch.tensor(pixels))

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def shape(self) -> torch.Size:
        return self.pixels.shape

    @property
    def device(self) -> torch.device:
        return self.pixels.device

    def __getitem__(self, index) -> "Streamed":
        return Streamed(self.pixels[index], self.keys, self.added)

    def split(self, size: int):
        yield from (self.pixels + self.added).split(size)

    def augmented(self, *key) -> "Streamed":
        self.keys.append(key)
        return Streamed(self.pixels, self.keys, len(self.keys))
