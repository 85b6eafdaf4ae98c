"""The one number format of the report.

Three decimals, or fewer where a column needs none; two significant digits below 0.001; commas at thousands;
a true minus sign, and none before zero.
"""

import re
from collections.abc import Iterable

import pandas as pd

DECIMALS = 3
_HYPHEN = re.compile(r"(?<![\w.)−-])-(?=[\d.])")  # before a number; not in 2026-11-30 or corrupt-0.2
_LONG = re.compile(rf"\b\d+\.\d{{{DECIMALS + 1},}}\b")
_ZERO = re.compile(r"−(?=0(\.0+)?(?![\d.]))")


def minus(text: str) -> str:
    """Write numbers in a text with a true minus sign, and without one before zero."""
    return _ZERO.sub("", _HYPHEN.sub("−", text))


def rounded(text: str) -> str:
    """Write numbers in a text as `number` does where they have more decimals; the minus as `minus` does."""
    return minus(_LONG.sub(lambda found: number(float(found[0])), text))


def decimals(values: Iterable[float]) -> int:
    """Return the fewest decimals, at most `DECIMALS`, that show all of these numbers in full."""
    known = list(values)
    for digits in range(DECIMALS):
        if all(abs(round(value, digits) - value) < 1e-9 for value in known):
            return digits
    return DECIMALS


def number(value: float, digits: int = DECIMALS) -> str:
    """Format a number: 0.472, −0.011, 12,345, 0.00097, 2.1e−07."""
    size = abs(value)
    if 0 < size < 10**-DECIMALS:
        text = f"{value:.1e}" if size < 1e-5 else f"{value:.2g}"
    else:
        text = f"{value:,.{0 if size >= 1000 else digits}f}"
    return minus(text.replace("-", "−"))


def column(values: pd.Series) -> list[str]:
    """Format a column of a table, "" for what is missing; names and true or false as they are."""
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if not numeric:
        return ["" if pd.isna(value) else str(value) for value in values]
    digits = decimals(values.dropna())
    return ["" if pd.isna(value) else number(float(value), digits) for value in values]
