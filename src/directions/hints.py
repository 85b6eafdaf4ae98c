"""The known word that a misspelt one was meant to be."""

import difflib
from collections.abc import Iterable


def nearest(word: object, known: Iterable[str]) -> str:
    """ "; did you mean x?" for the known word most like this one, in whatever case, or nothing."""
    folded = {name.casefold(): name for name in known}
    match = difflib.get_close_matches(str(word).casefold(), folded, n=1, cutoff=0.5)
    return f"; did you mean {folded[match[0]]}?" if match and folded[match[0]] != word else ""
