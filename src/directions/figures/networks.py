"""One dot per network: its area under the ablation curve against how well it generalises (Figures 3, 4c)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import spearmanr

from directions.errors import InputError
from directions.figures import curves, style, words
from directions.statistics.networks import MEMORISED
from directions.tidy import Tables, require

FEWEST = 3  # dots for a rank correlation


def areas_of_networks(tables: Tables, *settings: str) -> pd.DataFrame:
    """One row per network with `settings`, auc, auc_relative (means over orderings), test_accuracy, error.

    `error` is 1 - test accuracy; `trained` says whether the network knows its training set (D23).
    Raises InputError where a network has no area.
    """
    runs = require(tables, "runs", "run", *settings, "train_accuracy", "test_accuracy")
    areas = curves.clamped(tables, "areas", curves.CLAMP, "auc", "auc_relative")
    means = areas.groupby("run")[["auc", "auc_relative"]].mean().reset_index()
    both = runs.merge(means, on="run", how="left")
    lacking = both.loc[both["auc"].isna(), "run"]
    if len(lacking):
        raise InputError(f"table 'areas' has no row for network {lacking.iloc[0]!r}: collect it anew")
    return both.assign(error=1 - both["test_accuracy"], trained=both["train_accuracy"] >= MEMORISED)


def knowing(networks: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The networks that know their training set, if enough do, else all; and a footnote that says which."""
    trained = networks[networks["trained"]]
    share = f"training accuracy ≥ {MEMORISED:g}"
    if len(trained) == len(networks):
        return networks, f"All {len(networks)} networks reached {share}."
    if len(trained) < 2 * FEWEST:
        return networks, f"All {len(networks)} networks taken: only {len(trained)} reached {share}."
    return trained, f"Taken from the {len(trained)} of {len(networks)} networks that reached {share}."


AREAS = {"auc": "area / largest", "auc_relative": "area / unablated accuracy / largest"}  # column, its axis


def shown_areas(dots: pd.DataFrame) -> dict[str, str]:
    """{column: label} of the areas that a figure shows: the second only where it differs from the first."""
    same = (dots["auc_relative"] - dots["auc"]).abs().max() < 5e-4
    return {"auc": AREAS["auc"]} if same else AREAS


def of_largest(dots: pd.DataFrame) -> pd.DataFrame:
    """The same with both areas divided by the largest one in the panel, as the paper normalises them."""
    return dots.assign(**{column: dots[column] / dots[column].max() for column in AREAS})


def largest(dots: pd.DataFrame) -> str:
    """The footnote with the areas that `of_largest` divides by."""
    said = [f"{dots[column].max():.3f}" for column in shown_areas(dots)]
    return f"Largest area {said[0]}" + (
        f"; of those divided by unablated accuracy {said[1]}." if said[1:] else "."
    )


def rho(x: pd.Series, y: pd.Series) -> str:
    """Spearman's correlation in words; "–" for fewer than three dots or where all are equal."""
    if len(x) < FEWEST or x.nunique() < 2 or y.nunique() < 2:
        return "–"
    return words.number(spearmanr(x, y).statistic)


def dots_by_rate(axes: Axes, networks: pd.DataFrame, x: str, y: str, hollow_too: bool = True) -> None:
    """Dots of `y` against `x`, coloured by learning rate and named with its own correlation.

    Hollow dots: networks that did not reach the training accuracy of D23; hollow_too: correlated as well.
    """
    rates = np.sort(networks["learning_rate"].unique())
    for place, rate in enumerate(rates):
        mine = networks[networks["learning_rate"] == rate]
        colour = style.in_sequence(place, len(rates))
        look = {"marker": style.MARKERS[place % len(style.MARKERS)], "color": colour, "linestyle": "none"}
        look |= {"markersize": 4.5, "alpha": 0.85}
        counted = mine if hollow_too else mine[mine["trained"]]
        label = f"{words.plain(rate)}: {rho(counted[x], counted[y])} ({len(counted)})"
        for known, face in ((True, colour), (False, "none")):
            some = mine[mine["trained"] == known]
            named = label if known == bool(mine["trained"].any()) else f"_{label}"
            axes.plot(some[x], some[y], **look, markerfacecolor=face, label=named)


RATE_COLUMNS = 4  # of the legend of two panels
RATE_HEADING = "learning rate: Spearman within it (networks)"


def rate_rows(networks: pd.DataFrame, columns: int, more: int) -> int:
    """Rows of the legend that `dots_by_rate` and `more` other entries need, its heading included."""
    return 1 + -(-(networks["learning_rate"].nunique() + more) // columns)


def hollow(networks: pd.DataFrame, left_out: str = "") -> tuple[str, ...]:
    """The footnote about hollow dots, where there are any."""
    number = int((~networks["trained"]).sum())
    return (f"Hollow: {number} with training accuracy below {MEMORISED:g}{left_out}.",) if number else ()
