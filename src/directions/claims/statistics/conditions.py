"""Conditions: which networks of a study, and which curve of the paper, a number is about.

Written `corrupt=1;dropout=0.1` in data/paper/claims.csv; parsed to {"corrupt": 1.0, "dropout": 0.1}.
"""

from collections.abc import Callable, Mapping
from typing import Any

Condition = Mapping[
    str, Any
]  # setting -> value, of the type that its parser in `READ` returns; empty: all networks

SIDES = ("best", "worst")


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError
    return value


def _truth(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _side(text: str) -> str:
    return SIDES[SIDES.index(text)]


def _layer(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


READ: dict[str, tuple[Callable[[str], object], str]] = {  # setting -> its parser, its valid values
    "corrupt": (_share, "between 0 and 1"),
    "dropout": (_share, "between 0 and 1"),
    "batch_norm": (_truth, "true or false"),
    "group": (_side, "best or worst"),
    "layer": (_layer, "a whole number from 1"),
}


def parse(text: str) -> dict[str, object]:
    """Parse "name=value;name=value". Raises ValueError saying what is wrong."""
    condition: dict[str, object] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, sign, value = part.partition("=")
        if not sign or name not in READ:
            raise ValueError(f"{part!r}: write name=value, name one of {', '.join(READ)}")
        if name in condition:
            raise ValueError(f"{name} is given twice")
        read, allowed = READ[name]
        try:
            condition[name] = read(value)
        except (ValueError, KeyError):
            raise ValueError(f"{name} must be {allowed}, got {value!r}") from None
    return condition


def written(condition: Condition) -> str:
    """Format a condition as `parse` reads it: "corrupt=1;dropout=0.1"."""
    return ";".join(
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={str(value).lower()}"
        for name, value in condition.items()
    )
