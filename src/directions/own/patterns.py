"""Layers by a pattern of names, `layer1.*`, or all activations of a network at once."""

import logging
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from directions.errors import InputError

ALL = "all activations"
WILD = "*?["  # a shell's

log = logging.getLogger(__name__)


def is_pattern(name: str) -> bool:
    """Tell whether a name stands for several layers."""
    return name == ALL or any(sign in name for sign in WILD)


def asked(wanted: str | Sequence[str] | Mapping[str, str]) -> list[str]:
    """Return the patterns among the layers wanted; raises InputError for one in a mapping."""
    found = [name for name in ([wanted] if isinstance(wanted, str) else wanted) if is_pattern(name)]
    if found and isinstance(wanted, Mapping):
        raise InputError(
            f"layers: {found[0]} stands for several layers, and belongs in a list, [{found[0]!r}]: there it"
            " names activations, so none need be said to follow"
        )
    return found


def expanded(wanted: str | Sequence[str], activations: Sequence[str], modules: Sequence[str]) -> list[str]:
    """Return the names of all layers that are wanted, each once, with those that patterns stand for.

    activations: names of all activations. modules: of all modules that are called once. Both in the order of
    the forward pass. A pattern stands for the activations that it matches, or where it matches none for the
    modules. Raises InputError for one that matches nothing.

        expanded(["layer1.*"], ["relu", "layer1.0.relu"], ["conv", "relu", "layer1.0"])  # ["layer1.0.relu"]
    """
    found: dict[str, None] = {}
    for name in [wanted] if isinstance(wanted, str) else wanted:
        matched = [name]
        if name == ALL:
            matched = list(activations)
        elif is_pattern(name):
            choices = (
                [known for known in names if fnmatchcase(known, name)] for names in (activations, modules)
            )
            matched = next(filter(None, choices), [])
        if not matched:
            there = ", ".join(activations) or "none that can be named"
            raise InputError(f"layers: {name} matches no layer; the activations of this network are: {there}")
        found |= dict.fromkeys(matched)
    log.info("layers: %s", ", ".join(found))
    return list(found)
