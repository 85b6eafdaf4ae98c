"""Select layers by a name pattern, `layer1.*`, or all activations of a network at once."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from directions.core.errors import InputError

ALL = "all activations"
WILD = "*?["  # shell wildcards

log = logging.getLogger(__name__)


def is_pattern(name: str) -> bool:
    """Return whether a name is a pattern, for any number of layers."""
    return name == ALL or any(sign in name for sign in WILD)


def asked(wanted: str | Sequence[str] | Mapping[str, str]) -> list[str]:
    """Return the patterns among these layers; raises InputError for a pattern in a mapping."""
    found = [name for name in ([wanted] if isinstance(wanted, str) else wanted) if is_pattern(name)]
    if found and isinstance(wanted, Mapping):
        raise InputError(
            f"layers: {found[0]} is a pattern and belongs in a list, [{found[0]!r}]: patterns match the"
            " activations themselves, so there is no need to say which one follows"
        )
    return found


def expanded(wanted: str | Iterable[str], activations: Sequence[str], modules: Sequence[str]) -> list[str]:
    """Return the names of these layers with patterns expanded, each once.

    activations: names of all activations. modules: names of all modules that are called once. Both are in
    forward order. A pattern expands to the activations that it matches, or, if there are none, to the
    modules. Raises InputError for a pattern that matches nothing.

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
            there = ", ".join(activations) or "none that have names"
            raise InputError(f"layers: {name} matches no layer; the activations of this network are: {there}")
        found |= dict.fromkeys(matched)
    log.info("layers: %s", ", ".join(found))
    return list(found)
