"""Find the logits in a network's output: a single tensor, `logits` of a dict, or an item of a tuple."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from directions.core.errors import InputError

NAME = "logits"  # as Hugging Face and many others call them


class Place(NamedTuple):
    """Position of the logits in an output: an attribute or an item."""

    key: str | int
    attribute: bool = False

    def of(self, answer: Any) -> Any:
        """Return the logits of an output."""
        return getattr(answer, str(self.key)) if self.attribute else answer[self.key]


@torch.no_grad()
def alone(network: nn.Module, example: Tensor, classes: int | None = None) -> nn.Module:
    """Return the network, changed in place to return only its logits; its modules keep their names.

    example: images (n, ...). classes: number of classes in the data, if known, to tell logits from other
    tensors. Raises InputError if the output does not show which part is the logits.

        alone(network, images)(images)  # (n, classes), where network(images) is (logits, features)
    """
    answer = network(example.clone())
    if isinstance(answer, Tensor):
        return network
    place, given = _place(answer, len(example), classes), type(network)

    def forward(self: nn.Module, images: Tensor) -> Any:
        return place.of(given.forward(self, images))

    network.__class__ = type(given.__name__, (given,), {"forward": forward, "__doc__": given.__doc__})
    if not isinstance(network(example.clone()), Tensor):
        raise InputError(f"the network's own hooks turn its output into {type(answer).__name__}: remove them")
    return network


def _place(answer: object, examples: int, classes: int | None) -> Place:
    if isinstance(answer, Mapping) and isinstance(answer.get(NAME), Tensor):
        return Place(NAME)
    if isinstance(getattr(answer, NAME, None), Tensor):
        return Place(NAME, attribute=True)
    shapes = {key: tuple(part.shape) for key, part in _parts(answer) if isinstance(part, Tensor)}
    fitting = [key for key, shape in shapes.items() if len(shape) == 2 and shape[0] == examples]
    exact = [key for key in fitting if shapes[key][1] == classes]
    for found in (exact, fitting):
        if len(found) == 1:
            return Place(found[0])
    told = ", ".join(f"{key}: {shape}" for key, shape in shapes.items()) or "no tensors"
    raise InputError(
        f"for {examples} images the network returns {type(answer).__name__} ({told}), and which part is the"
        " logits is ambiguous: return them alone, or in a dict under `logits`"
    )


def _parts(answer: object) -> Iterator[tuple[str | int, object]]:
    if isinstance(answer, Mapping):
        yield from answer.items()
    elif isinstance(answer, tuple | list):
        yield from enumerate(answer)
