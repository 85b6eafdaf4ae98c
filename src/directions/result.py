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

    Attributes:
        tables: {name: table}, such as tables["areas"], as the workflow writes them; docs/TABLES.md explains
            their columns and units.
        doubts: reasons not to trust them, as sentences.

    Example:
        >>> from torch import arange, eye, nn
        >>> from directions import analyse
        >>> network = nn.Sequential(nn.Linear(4, 4, bias=False), nn.ReLU(), nn.Linear(4, 4, bias=False))
        >>> network.load_state_dict({"0.weight": 2 * eye(4), "2.weight": 2 * eye(4)})
        <All keys matched successfully>
        >>> data = eye(4), arange(4)  # images (4, 4), labels (4,)
        >>> found = analyse(network, ["1"], data, progress=False)
        >>> list(found.tables)
        ['runs', 'ablation', 'noise', 'single', 'units', 'areas']
        >>> found.tables["areas"][["clamp", "ordering", "auc"]].head(2)  # area: 0 to 1
          clamp  ordering      auc
        0  zero         0  0.53125
        1  zero         1  0.71875
    """

    tables: dict[str, pd.DataFrame]
    doubts: tuple[str, ...] = ()

    def figure(self) -> Figure:
        """Draw the summary figure; `.savefig("mine.png", dpi=200)` writes it.

        Returns:
            A figure with a panel each for ablation, noise, and importance against selectivity and mutual
            information (as Figures 1, 2 and 7 of the paper), without those whose tables are missing.

        Raises:
            InputError: for a table that lacks a column or has no rows.

        Example:
            >>> from torch import arange, eye, nn
            >>> from directions import analyse
            >>> network = nn.Sequential(nn.Linear(4, 4, bias=False), nn.ReLU(), nn.Linear(4, 4, bias=False))
            >>> network.load_state_dict({"0.weight": 2 * eye(4), "2.weight": 2 * eye(4)})
            <All keys matched successfully>
            >>> data = eye(4), arange(4)  # images (4, 4), labels (4,)
            >>> found = analyse(network, ["1"], data, progress=False)
            >>> [axes.get_xlabel() for axes in found.figure().axes][:2]
            ['units ablated (to zero)', "noise SD / the unit's own SD"]
        """
        return own.summary(self.tables)

    def save(self, folder: str | Path) -> Path:
        """Write the tables as CSV and the figure, if it shows any of them, as PNG and PDF.

        Args:
            folder: created if needed; files of the same names in it are replaced.

        Returns:
            The folder.

        Example:
            >>> from pathlib import Path
            >>> from tempfile import TemporaryDirectory
            >>> from torch import arange, eye, nn
            >>> from directions import analyse
            >>> network = nn.Sequential(nn.Linear(4, 4, bias=False), nn.ReLU(), nn.Linear(4, 4, bias=False))
            >>> network.load_state_dict({"0.weight": 2 * eye(4), "2.weight": 2 * eye(4)})
            <All keys matched successfully>
            >>> data = eye(4), arange(4)  # images (4, 4), labels (4,)
            >>> found = analyse(network, ["1"], data, progress=False, analyses=["measure_units"])
            >>> with TemporaryDirectory() as folder:
            ...     sorted(path.name for path in found.save(Path(folder, "mine")).iterdir())
            ['figure.pdf', 'figure.png', 'runs.csv', 'units.csv']
        """
        folder = Path(folder).expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in self.tables.items():
            with atomic(folder / f"{name}.csv") as partial:
                table.to_csv(partial, index=False)
        if own.DRAWN & set(self.tables):
            style.save(self.figure(), folder / "figure.pdf", folder / "figure.png")
        return folder

    def compare(self, *others: "Analysis") -> Figure:
        """Draw this network beside others; the figure notes where their curves do not correspond.

        Args:
            others: results of other networks, with other names.

        Returns:
            A figure with a panel each for the analyses that all networks share: ablation by the fraction of
            units, noise, and the distribution of selectivity.

        Raises:
            InputError: if two have the same `name`, or if they share no such analysis.

        Example:
            >>> from torch import arange, eye, nn
            >>> from directions import analyse
            >>> network = nn.Sequential(nn.Linear(4, 4, bias=False), nn.ReLU(), nn.Linear(4, 4, bias=False))
            >>> network.load_state_dict({"0.weight": 2 * eye(4), "2.weight": 2 * eye(4)})
            <All keys matched successfully>
            >>> data = eye(4), arange(4)  # images (4, 4), labels (4,)
            >>> first, second = (
            ...     analyse(network, ["1"], data, name=name, progress=False) for name in ("first", "second")
            ... )
            >>> [axes.get_xlabel() for axes in first.compare(second).axes]
            ['share of units ablated (to zero)', "noise SD / the unit's own SD", 'class selectivity index']
        """
        every = {found.name: found.tables for found in (self, *others)}
        if len(every) <= len(others):
            raise InputError('networks to compare need distinct names: analyse(..., name="...")')
        for doubt in own_comparison.doubts(own_comparison.pooled(every)):
            log.warning("warning: comparison: %s", doubt)
        return own_comparison.comparison(every)

    @property
    def name(self) -> str:
        """The name of the network, as given to `analyse`.

        Example:
            >>> from torch import arange, eye, nn
            >>> from directions import analyse
            >>> network = nn.Sequential(nn.Linear(4, 4, bias=False), nn.ReLU(), nn.Linear(4, 4, bias=False))
            >>> network.load_state_dict({"0.weight": 2 * eye(4), "2.weight": 2 * eye(4)})
            <All keys matched successfully>
            >>> data = eye(4), arange(4)  # images (4, 4), labels (4,)
            >>> analyse(network, ["1"], data, name="mine", progress=False).name
            'mine'
        """
        return str(self.tables["runs"]["run"].iloc[0])

    def __repr__(self) -> str:
        sizes = ", ".join(f"{table} ({len(rows)} rows)" for table, rows in self.tables.items())
        return "\n".join([f"Analysis of {self.name}; tables: {sizes}", *self.doubts])
