"""Images as a network was trained on them: scaled to a mean and a standard deviation per channel."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from directions.errors import InputError
from directions.evaluation import scaled
from directions.examples import Examples
from directions.imagefiles import ImageFiles


@dataclass(frozen=True, eq=False)
class Normalized:
    """Stands where images would: of each channel `mean` is taken, then it is divided by `sd`.

    Both are of pixels in 0..1, as torchvision's are: one number, or one per channel. Raises InputError for
    another number of them, and for an sd that is not positive.
    """

    images: Tensor | ImageFiles
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
        """(images, channels, ...)."""
        return tuple(self.images.shape)

    @property
    def device(self) -> torch.device:
        """Where batches are."""
        return self.images.device

    def __getitem__(self, chosen: slice) -> "Normalized":
        return Normalized(self.images[chosen], self.mean, self.sd)

    def split(self, size: int) -> Iterator[Tensor]:
        """Consecutive batches of at most `size` images, float32 (n, channels, ...)."""
        for batch in self.images.split(size):
            mean, sd = (
                torch.tensor(values, device=batch.device).view(1, -1, *[1] * (batch.dim() - 2))
                for values in (self.mean, self.sd)
            )
            yield (scaled(batch) - mean) / sd


def normalized(examples: Examples, normalize: dict | None) -> Examples:
    """The same examples, with images scaled to {mean, sd}, each a list; as they are for None."""
    if normalize is None:
        return examples
    images = Normalized(examples.images, tuple(normalize["mean"]), tuple(normalize["sd"]))
    return replace(examples, images=images)
