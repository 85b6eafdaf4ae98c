"""Types that several rooms share. Needs no torch."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    import torch

Count = int | Literal["all"]  # how many of several things to use
Value = TypeVar("Value")


class Images(Protocol):
    """Images (n, c, h, w) that are taken in batches: a tensor, or something that makes one of each batch."""

    def __len__(self) -> int: ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the images: (images, channels, ...)."""

    @property
    def device(self) -> "torch.device":
        """Device of the batches."""

    def __getitem__(self, chosen: "slice | torch.Tensor", /) -> "Images": ...

    def split(self, size: int, /) -> "Iterable[torch.Tensor]":
        """Return consecutive batches of at most `size` images."""


def present(value: Value | None) -> Value:
    """Return a value that is never None here, although its type allows it."""
    assert value is not None
    return value
