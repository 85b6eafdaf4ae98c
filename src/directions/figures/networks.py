"""One dot per network: area under its ablation curve against generalisation (Figures 3, 4c)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import spearmanr

from directions.claims.statistics.networks import MEMORISED
from directions.core.errors import InputError
from directions.core.tables import Tables, require
from directions.figures import curves, style, text

FEWEST = 3  # dots that a rank correlation needs


def areas_of_networks(tables: Tables, *settings: str) -> pd.DataFrame:
    """Build one row per network: `settings`, auc, auc_relative (means over orderings), test_accuracy, error.

    `error` is 1 - test accuracy; `trained`: whether the network learned its training set (D23).
    Raises InputError if a network has no area.
    """
    runs = require(tables, "runs", "run", *settings, "train_accuracy", "test_accuracy")
    areas = curves.clamped(tables, "areas", curves.CLAMP, "auc", "auc_relative")
    means = areas.groupby("run")[["auc", "auc_relative"]].mean().reset_index()
    both = runs.merge(means, on="run", how="left")
    lacking = both.loc[both["auc"].isna(), "run"]
    if len(lacking):
        raise InputError(f"table 'areas' has no row for network {lacking.iloc[0]!r}: collect it again")
    return both.assign(error=1 - both["test_accuracy"], trained=both["train_accuracy"] >= MEMORISED)


def knowing(networks: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Select networks that learned their training set, or all if too few did; with a footnote about it."""
    trained = networks[networks["trained"]]
    share = f"training accuracy ≥ {MEMORISED:g}"
    if len(trained) == len(networks):
        return networks, f"All {len(networks)} networks reached {share}."
    if len(trained) < 2 * FEWEST:
        return networks, f"All {len(networks)} networks taken: only {len(trained)} reached {share}."
    return trained, f"Taken from the {len(trained)} of {len(networks)} networks that reached {share}."


AREAS = {"auc": "area / largest", "auc_relative": "area / unablated accuracy / largest"}  # column -> label


def shown_areas(dots: pd.DataFrame) -> dict[str, str]:
    """Map columns of the areas to draw to their labels; the second only if it differs from the first."""
    same = (dots["auc_relative"] - dots["auc"]).abs().max() < 5e-4
    return {"auc": AREAS["auc"]} if same else AREAS


def of_largest(dots: pd.DataFrame) -> pd.DataFrame:
    """Divide both areas by the largest in the panel, as the paper normalises them."""
    return dots.assign(**{column: dots[column] / dots[column].max() for column in AREAS})


def largest(dots: pd.DataFrame) -> str:
    """Write the footnote with the areas that `of_largest` divides by."""
    said = [f"{dots[column].max():.3f}" for column in shown_areas(dots)]
    return f"Largest area {said[0]}" + (
        f"; of those divided by unablated accuracy {said[1]}." if said[1:] else "."
    )


def rho(x: pd.Series, y: pd.Series) -> str:
    """Format Spearman's correlation; "–" for fewer than three dots or if all are equal."""
    if len(x) < FEWEST or x.nunique() < 2 or y.nunique() < 2:
        return "–"
    return text.number(spearmanr(x, y).statistic)


def dots_by_rate(axes: Axes, networks: pd.DataFrame, x: str, y: str, hollow_too: bool = True) -> None:
    """Draw dots of `y` against `x`, coloured by learning rate and labelled with the correlation of each.

    Hollow dots: networks below the training accuracy of D23; hollow_too: whether they enter the correlation.
    """
    rates = np.sort(networks["learning_rate"].unique())
    for place, rate in enumerate(rates):
        mine = networks[networks["learning_rate"] == rate]
        colour = style.in_sequence(place, len(rates))
        look: style.Look = {
            "marker": style.MARKERS[place % len(style.MARKERS)],
            "color": colour,
            "linestyle": "none",
        }
        look |= {"markersize": 4.5, "alpha": 0.85}
        counted = mine if hollow_too else mine[mine["trained"]]
        label = f"{text.plain(rate)}: {rho(counted[x], counted[y])} ({len(counted)})"
        for known, face in ((True, colour), (False, "none")):
            some = mine[mine["trained"] == known]
            named = label if known == bool(mine["trained"].any()) else f"_{label}"
            axes.plot(some[x], some[y], **look, markerfacecolor=face, label=named)


RATE_COLUMNS = 4  # legend columns of a figure with two panels
RATE_HEADING = "learning rate: Spearman within it (networks)"


def rate_rows(networks: pd.DataFrame, columns: int, more: int) -> int:
    """Count the legend rows for `dots_by_rate` and `more` other entries, including the heading."""
    return 1 + -(-(networks["learning_rate"].nunique() + more) // columns)


def hollow(networks: pd.DataFrame, left_out: str = "") -> tuple[str, ...]:
    """Write the footnote about hollow dots, if there are any."""
    number = int((~networks["trained"]).sum())
    return (f"Hollow: {number} with training accuracy below {MEMORISED:g}{left_out}.",) if number else ()
