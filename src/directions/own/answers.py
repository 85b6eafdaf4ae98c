"""The logits among all that a network answers: the one tensor, a dict's `logits`, or part of a tuple."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from directions.errors import InputError

NAME = "logits"  # as Hugging Face and many others call them


class Place(NamedTuple):
    """Where in an answer the logits are: its attribute, or its item."""

    key: str | int
    attribute: bool = False

    def of(self, answer: object) -> object:
        """Return the logits of an answer."""
        return getattr(answer, self.key) if self.attribute else answer[self.key]


@torch.no_grad()
def alone(network: nn.Module, example: Tensor, classes: int | None = None) -> nn.Module:
    """Return the network, which is made to answer with its logits alone; its modules keep their names.

    example: images (n, ...). classes: of the data, where they are known: they tell logits from other tensors.
    Raises InputError for an answer in which the logits cannot be told.

        alone(network, images)(images)  # (n, classes), where network(images) is (logits, features)
    """
    answer = network(example.clone())
    if isinstance(answer, Tensor):
        return network
    place, given = _place(answer, len(example), classes), type(network)

    def forward(self, images: Tensor) -> Tensor:
        return place.of(given.forward(self, images))

    network.__class__ = type(given.__name__, (given,), {"forward": forward, "__doc__": given.__doc__})
    if not isinstance(network(example.clone()), Tensor):
        raise InputError(f"the network's own hooks make {type(answer).__name__} of its answers: remove them")
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
        f"the network answers {examples} images with {type(answer).__name__} ({told}), in which the logits"
        " cannot be told: return them alone, or in a dict under `logits`"
    )


def _parts(answer: object) -> Iterator[tuple[str | int, object]]:
    if isinstance(answer, Mapping):
        yield from answer.items()
    elif isinstance(answer, tuple | list):
        yield from enumerate(answer)
