"""Which layers of units an analysis covers: all, the last few, or those named. Needs no torch."""

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase

from directions.core.errors import InputError

Wanted = int | str | Sequence[str]  # number of last layers, "all", or names and patterns


def chosen_layers(layers: Sequence[str], wanted: Wanted) -> list[str]:
    """Select the wanted ones of a network's `layers`, in its order (sections 3.1, 3.2; D18, D21).

    Patterns are shell patterns: `block16.*`, `relu1[01]`. Raises InputError if the number is too large or a
    pattern matches no layer, with the nearest names.
    """
    if wanted == "all":
        return list(layers)
    if isinstance(wanted, int):
        if not 1 <= wanted <= len(layers):
            has = f"{len(layers)}: {', '.join(layers)}"
            raise InputError(f"layers: the last {wanted} were requested, but this network has {has}")
        return list(layers)[-wanted:]
    for pattern in wanted:
        if not any(fnmatchcase(name, pattern) for name in layers):
            near = ", ".join(difflib.get_close_matches(pattern, layers, n=3, cutoff=0))
            raise InputError(
                f"layers: no layer of units of this network is called {pattern}; nearest of its "
                f"{len(layers)}: {near}"
            )
    return [name for name in layers if any(fnmatchcase(name, pattern) for pattern in wanted)]
