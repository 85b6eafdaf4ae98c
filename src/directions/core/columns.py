"""What the columns of a table hold, and the check that a table is as declared."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from directions.core.errors import InputError
from directions.core.suggest import nearest

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["text", "number", "whole", "truth"]
WORDS: dict[Kind, str] = {
    "text": "text",
    "number": "a number",
    "whole": "a whole number",
    "truth": "true or false",
}
ROUNDING = 1e-6  # by which sums of many numbers may exceed their bounds


@dataclass(frozen=True)
class Column:
    """A column of a table, or several that mean the same.

    names: separated by commas; "{class}" stands for a number, as in "drop_class_{class}". kind: of its
    values; text may be anything. low, high: their bounds, included. empty: a field may be empty. optional: a
    table may lack the column.
    """

    names: str
    meaning: str
    kind: Kind = "number"
    low: float = -math.inf
    high: float = math.inf
    empty: bool = False
    optional: bool = False

    @property
    def each(self) -> list[str]:
        """The names, one by one."""
        return self.names.split(", ")

    @property
    def allowed(self) -> str:
        """The values allowed, in words."""
        what = WORDS[self.kind]
        if math.isfinite(self.low) and math.isfinite(self.high):
            return f"{what} from {self.low:g} to {self.high:g}"
        below = f", at most {self.high:g}" if math.isfinite(self.high) else ""
        return f"{what} >= {self.low:g}" if math.isfinite(self.low) else f"{what}{below}"

    def covers(self, name: str) -> bool:
        """Return whether this is the declaration of a table's column."""
        return any(re.fullmatch(re.sub(r"\\{\w+\\}", r"\\d+", re.escape(one)), name) for one in self.each)

    def faults(self, values: "pd.Series") -> Iterator[str]:
        """Yield what is wrong with the values of a column, each fault with its first row (from 1)."""
        missing = values.isna()
        if missing.any() and not self.empty:
            yield f"is empty in row {1 + missing.argmax()}"
        refused = ~missing & ~self._accepted(values)
        if refused.any():
            row = refused.argmax()
            yield f"is {values.iloc[row]} in row {1 + row}, allowed is {self.allowed}"

    def _accepted(self, values: "pd.Series") -> "pd.Series":
        """Mark the values of the right kind and within bounds."""
        import pandas as pd

        if self.kind == "text":
            return values.notna()
        if self.kind == "truth":
            return values.isin([True, False])
        numbers = pd.to_numeric(values, errors="coerce").astype(float)
        whole = (numbers % 1 == 0) if self.kind == "whole" else True
        return whole & numbers.between(self.low - ROUNDING, self.high + ROUNDING)


# Shorthands, used as in share("accuracy", "with these units clamped").
text = partial(Column, kind="text")
truth = partial(Column, kind="truth")
count = partial(Column, kind="whole", low=0)
amount = partial(Column, low=0)
share = partial(Column, low=0, high=1)


@dataclass(frozen=True)
class Table:
    """The declaration of a table: its name, what one row of it is, and its columns."""

    table: str
    rows: str
    columns: tuple[Column, ...]

    def __post_init__(self):
        if other := [column for column in self.columns if not isinstance(column, Column)]:
            raise TypeError(
                f'columns: {other[0]!r} is no Column: write share("accuracy", "its meaning") or so'
            )

    @property
    def names(self) -> list[str]:
        """The names of all columns, in order."""
        return [name for column in self.columns for name in column.each]

    def check(self, table: "pd.DataFrame") -> None:
        """Raise InputError naming all columns that are unknown, missing, or hold what they may not."""
        faults = [f"column {name} {fault}" for name in table for fault in self._faults(table[name])]
        needed = [name for column in self.columns if not column.optional for name in column.each]
        faults += [f"column {name} is missing" for name in needed if name not in table.columns]
        if faults:
            raise InputError(
                f"table {self.table}: {'; '.join(faults)}: correct the code that computes it, or what it"
                " declares of its columns (docs/EXTENDING.md)"
            )

    def _faults(self, values: "pd.Series") -> Iterator[str]:
        """Yield the faults of one column."""
        declared = next((column for column in self.columns if column.covers(values.name)), None)
        if declared is None:
            yield f"is not declared{nearest(values.name, self.names)}"
        else:
            yield from declared.faults(values)
