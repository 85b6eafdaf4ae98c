"""Normalise images as in training: subtract the mean of each channel, divide by its standard deviation."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from directions.core.errors import InputError
from directions.core.scoring import scaled
from directions.core.types import Images
from directions.data.examples import Examples


@dataclass(frozen=True, eq=False)
class Normalized:
    """Images normalised batch by batch: `mean` is subtracted per channel, and the result divided by `sd`.

    Both refer to pixels in 0..1, as in torchvision: one number, or one per channel. Raises InputError for
    any other count, and for an sd that is not positive.
    """

    images: Images
    mean: tuple[float, ...]
    sd: tuple[float, ...]

    def __post_init__(self):
        channels = self.shape[1]
        for name, values in (("mean", self.mean), ("sd", self.sd)):
            if len(values) not in (1, channels):
                raise InputError(
                    f"normalize: {name} has {len(values)} numbers, images have {channels} channels"
                )
        if min(self.sd) <= 0:
            raise InputError(f"normalize: sd must be above 0, not {min(self.sd)}")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the images: (images, channels, ...)."""
        return tuple(self.images.shape)

    @property
    def device(self) -> torch.device:
        """Device of the batches."""
        return self.images.device

    def __getitem__(self, chosen: slice | Tensor) -> "Normalized":
        return Normalized(self.images[chosen], self.mean, self.sd)

    def split(self, size: int) -> Iterator[Tensor]:
        """Yield consecutive batches of at most `size` images, float32 (n, channels, ...)."""
        for batch in self.images.split(size):
            mean, sd = (
                torch.tensor(values, device=batch.device).view(1, -1, *[1] * (batch.dim() - 2))
                for values in (self.mean, self.sd)
            )
            yield (scaled(batch) - mean) / sd


def normalized(examples: Examples, normalize: dict | None) -> Examples:
    """Return the examples with images normalised by {mean, sd}, each a list; unchanged for None."""
    if normalize is None:
        return examples
    images = Normalized(examples.images, tuple(normalize["mean"]), tuple(normalize["sd"]))
    return replace(examples, images=images)
