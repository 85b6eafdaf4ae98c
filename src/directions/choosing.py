"""Which layers of units an analysis is about: all, the last few, or those named. Needs no torch."""

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase

from directions.errors import InputError

Wanted = int | str | Sequence[str]  # a number of last layers, "all", or names and patterns of names


def chosen_layers(layers: Sequence[str], wanted: Wanted) -> list[str]:
    """Those of a network's `layers` that are wanted, in its order (sections 3.1, 3.2; D18, D21).

    Patterns are a shell's: `block16.*`, `relu1[01]`. Raises InputError for a number that is too large, and
    for a pattern that no layer matches, with the names nearest to it.
    """
    if wanted == "all":
        return list(layers)
    if isinstance(wanted, int):
        if not 1 <= wanted <= len(layers):
            has = f"{len(layers)}: {', '.join(layers)}"
            raise InputError(f"layers: the last {wanted} were asked for, this network has {has}")
        return list(layers)[-wanted:]
    for pattern in wanted:
        if not any(fnmatchcase(name, pattern) for name in layers):
            near = ", ".join(difflib.get_close_matches(pattern, layers, n=3, cutoff=0))
            raise InputError(
                f"layers: no layer of units of this network is called {pattern}; nearest of its "
                f"{len(layers)}: {near}"
            )
    return [name for name in layers if any(fnmatchcase(name, pattern) for pattern in wanted)]
