"""Figure 4c's test: choose a setting by the area of its networks, and see how good it is on test images.

The value comes from table `selection`: the pick in each of many random subsets of half of the settings.
Subsets share their settings, so they say nothing about chance. The interval is for these settings with other
seeds: how far networks of one setting lie from its mean is redrawn for every setting (a residual bootstrap),
and each draw is evaluated on the same subsets. Draws add noise to noise, which lowers every share, so their
spread about their own mean is centred on the value.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from directions.claims.statistics.bootstrap import Estimate
from directions.claims.statistics.conditions import Condition
from directions.claims.statistics.ranks import Untestable
from directions.core.errors import InputError
from directions.core.seeds import stream
from directions.core.tables import Tables, require

DRAWS = 400
SUBSETS = 200  # per draw; the value is over all subsets of the table


class Picks(NamedTuple):
    """Per subset, the test rank of the setting with the largest area, and its gap to the best."""

    rank: np.ndarray  # (..., subsets), 1 is best
    gap: np.ndarray  # (..., subsets), test accuracy
    size: int  # settings in a subset


@dataclass(frozen=True)
class Selection:
    """A number computed from the picks of all subsets, between `lowest` and `highest`."""

    number: Callable[[Picks], np.ndarray]  # over the last axis
    highest: float = 1.0
    lowest: float = 0.0
    tables: tuple[str, ...] = ("runs", "areas", "selection")
    asks: tuple[tuple[str, ...], ...] = ((),)

    def estimate(self, tables: Tables, key: str, _condition: Condition, fewest: int | None) -> Estimate:
        """Estimate the number; see `registry.estimate`. `networks` is the number of seeds per setting."""
        table = require(tables, "selection", "subset", "settings", "picked_accuracy", "best_accuracy", "rank")
        sizes = table["settings"].unique()
        if len(sizes) > 1:
            raise InputError("table 'selection': its subsets differ in size: rebuild it")
        gap = (table["best_accuracy"] - table["picked_accuracy"]).to_numpy(float)
        value = float(self.number(Picks(table["rank"].to_numpy(float), gap, int(sizes[0]))))
        networks = by_setting(tables)
        seeds = int(networks["seeds"].min())
        if seeds < max(2, fewest or 0):
            return Estimate(
                value, None, None, seeds, f"{seeds} network(s) per setting are too few for an interval"
            )
        drawn = self.number(_picks(networks, int(sizes[0]), stream("bootstrap", key)))
        ends = value + np.quantile(drawn, [0.025, 0.975]) - drawn.mean()
        low, high = np.clip(ends, self.lowest, self.highest)
        return Estimate(value, float(low), float(high), seeds)


def by_setting(tables: Tables) -> pd.DataFrame:
    """Build one row per network: `setting` (a number), its number of `seeds`, `auc`, test `accuracy`."""
    runs = require(tables, "runs", "run", "test_accuracy").set_index("run")
    areas = require(tables, "areas", "run", "clamp", "auc")
    keys = [name for name in areas.columns[: areas.columns.get_loc("clamp")] if name not in _NO_SETTING]
    if not keys:
        raise Untestable("nothing but the seed varies, so there are no settings to choose from")
    zero = areas[areas["clamp"] == "zero"]
    networks = zero.groupby(["run", *keys], as_index=False, dropna=False)["auc"].mean()
    networks["accuracy"] = networks["run"].map(runs["test_accuracy"])
    networks["setting"] = networks.groupby(keys, dropna=False).ngroup()
    networks["seeds"] = networks.groupby("setting")["run"].transform("size")
    return networks[["setting", "seeds", "auc", "accuracy"]]


_NO_SETTING = ("experiment", "run", "seed")


def _picks(networks: pd.DataFrame, size: int, random: np.random.Generator) -> Picks:
    """Pick in (DRAWS, SUBSETS) subsets of `size` settings, with redrawn means for other seeds."""
    values = ["auc", "accuracy"]
    seeds = networks.groupby("setting")["seeds"].first().to_numpy()
    means = networks.groupby("setting")[values].mean().to_numpy()
    apart = networks[values].to_numpy() - means[networks["setting"]]
    apart *= np.sqrt(networks["seeds"] / (networks["seeds"] - 1)).to_numpy()[
        :, None
    ]  # corrects for the error of the mean
    noise = np.stack([apart[random.integers(len(apart), size=(DRAWS, n))].mean(1) for n in seeds], axis=1)
    subsets = random.permuted(np.tile(np.arange(len(means)), (SUBSETS, 1)), axis=1)[:, :size]
    area, accuracy = np.moveaxis((means + noise)[:, subsets], -1, 0)  # each (DRAWS, SUBSETS, size)
    picked = np.take_along_axis(accuracy, area.argmax(-1)[..., None], -1)
    return Picks(1 + (accuracy > picked).sum(-1), accuracy.max(-1) - picked[..., 0], size)


def top(count: int) -> Callable[[Picks], np.ndarray]:
    """Compute how often the pick is among the `count` best settings of its subset."""
    return lambda picks: (picks.rank <= count).mean(-1)


def relative_rank(picks: Picks) -> np.ndarray:
    """Average the rank of the pick, from 0 (best of its subset) to 1 (worst); 0.5 by chance."""
    return (picks.rank - 1).mean(-1) / max(picks.size - 1, 1)


def gap(picks: Picks) -> np.ndarray:
    """Average the test accuracy lost compared with the best setting of the subset."""
    return picks.gap.mean(-1)


def gap_sd(picks: Picks) -> np.ndarray:
    """Compute the standard deviation of the lost accuracy over subsets."""
    return picks.gap.std(-1)


SELECTIONS = {
    "selection_top1": Selection(top(1)),
    "selection_top5": Selection(top(5)),
    "selection_top10": Selection(top(10)),
    "selection_relative_rank": Selection(relative_rank),
    "selection_gap": Selection(gap),
    "selection_gap_sd": Selection(gap_sd),
}
