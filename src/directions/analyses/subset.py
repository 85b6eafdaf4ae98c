"""Draw some of the images of a set, the same ones for every network."""

from dataclasses import replace

import numpy as np
import torch

from directions.core.errors import InputError
from directions.core.seeds import stream
from directions.core.types import Count
from directions.data.examples import Examples

ALL = "all"  # in place of one kind of labels


def at_most(examples: Examples, wanted: Count, split: str) -> Examples:
    """Draw `wanted` of the examples at random, or take all if they are fewer, or for "all".

    Smaller subsets are contained in larger ones; examples keep their order.
    """
    if isinstance(wanted, str) or wanted >= len(examples):
        return examples
    return of(examples, places(len(examples), wanted, split))


def exactly(examples: Examples, wanted: Count, split: str) -> Examples:
    """Draw `wanted` of the examples at random to score with units ablated; or return "all".

    Smaller subsets are contained in larger ones. Raises InputError if more are requested than exist.
    """
    if wanted == "all":
        return examples
    if wanted > len(examples):
        raise InputError(
            f"images: {wanted} requested, but the {split} set has {len(examples)}: lower it, or `all`"
        )
    first = np.sort(stream("ablated images", split).permutation(len(examples))[:wanted])
    return of(examples, torch.as_tensor(first))


def places(total: int, wanted: Count, split: str) -> torch.Tensor:
    """Return the places of the same examples among all of them, sorted."""
    if isinstance(wanted, str) or wanted >= total:
        return torch.arange(total)
    return torch.as_tensor(np.sort(stream("some images", split).permutation(total)[:wanted]))


def of(examples: Examples, chosen: torch.Tensor) -> Examples:
    """Return the examples at these places (n,)."""
    places = chosen.to(examples.labels.device)
    changed = None if examples.changed is None else examples.changed[places]
    return replace(examples, images=examples.images[places], labels=examples.labels[places], changed=changed)


def by_label(examples: Examples, wanted: Count, split: str) -> dict[str, Examples]:
    """Group examples: all, those with true labels, those with others; at most `wanted` of each."""
    changed = examples.changed
    if changed is None:
        changed = torch.zeros_like(examples.labels, dtype=torch.bool)
    kinds = {ALL: torch.ones_like(changed), "clean": ~changed, "corrupted": changed}
    return {
        labels: at_most(of(examples, kind.nonzero().flatten()), wanted, split)
        for labels, kind in kinds.items()
        if kind.any()
    }
