"""The result of `analyse`: tables and warnings, which it can draw, save and compare."""

import logging
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from directions.core.errors import InputError
from directions.core.files import atomic
from directions.figures import own, own_comparison, style

log = logging.getLogger(__name__)


@dataclass(frozen=True, repr=False)
class Analysis:
    """The result of `analyse`.

    tables: {name: table}, such as tables["areas"], as the workflow writes them (docs/TABLES.md). doubts:
    reasons not to trust them, as sentences.
    """

    tables: dict[str, pd.DataFrame]
    doubts: tuple[str, ...] = ()

    def figure(self) -> Figure:
        """Draw the summary figure; `.savefig("mine.png", dpi=200)` writes it."""
        return own.summary(self.tables)

    def save(self, folder: str | Path) -> Path:
        """Write the tables as CSV and the figure as PNG and PDF into a folder, created if needed; return it.

        Existing files of the same names are replaced.
        """
        folder = Path(folder).expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in self.tables.items():
            with atomic(folder / f"{name}.csv") as partial:
                table.to_csv(partial, index=False)
        style.save(self.figure(), folder / "figure.pdf", folder / "figure.png")
        return folder

    def compare(self, *others: "Analysis") -> Figure:
        """Draw this network beside others; the figure notes where their layers do not correspond.

        Raises InputError if two have the same `name`.
        """
        every = {found.name: found.tables for found in (self, *others)}
        if len(every) <= len(others):
            raise InputError('networks to compare need distinct names: analyse(..., name="...")')
        for doubt in own_comparison.layers_that_differ(own_comparison.pooled(every)):
            log.warning("warning: comparison: %s", doubt)
        return own_comparison.comparison(every)

    @property
    def name(self) -> str:
        """The name of the network, as given to `analyse`."""
        return str(self.tables["runs"]["run"].iloc[0])

    def __repr__(self) -> str:
        sizes = ", ".join(f"{table} ({len(rows)} rows)" for table, rows in self.tables.items())
        return "\n".join([f"Analysis of {self.name}; tables: {sizes}", *self.doubts])
