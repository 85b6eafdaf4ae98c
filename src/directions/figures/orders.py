"""Ablation in the order of what units tell, share or cause, in clean and memorising networks."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.claims.statistics.shared_units import areas_of
from directions.core.tables import Tables, require
from directions.figures import curves, shared_units, style, text

NAMES = {
    "importance": "importance", "information": "information", "selectivity": "selectivity",
    "mutual": "shared with units", "redundancy": "redundancy", "synergy": "synergy",
    "mean_activity": "mean activity", "l1": "L1 norm",
}  # fmt: skip

ENDS = {"highest": "{}", "lowest": "({})", "": "{}"}  # how the area is written, by the end that goes first


def draw(tables: Tables, study: str) -> Figure:
    """Draw mean curves, highest score first, of clean (left) and most corrupted networks (right).

    The legend has the areas with the highest and with the lowest first. Reads tables runs, ordered. Raises
    InputError naming a table or column that is missing or empty.
    """
    runs = require(tables, "runs", "run", "corrupt", "classes", "model", "train_images", "test_images")
    columns = ("run", "order", "ordering", "ablated", "units", "accuracy", "split")
    ordered = require(tables, "ordered", *columns, may_be_empty=["first"])
    fractions = shared_units.fractions(runs)
    sides = list(dict.fromkeys((fractions[0], fractions[-1])))
    orders = [name for name in NAMES if name in set(ordered["order"])]
    above = tuple(f"fraction of labels corrupted: {fraction:g}" for fraction in sides)
    layout = style.Layout(_notes(tables, runs, ordered, sides), 2 + -(-len(orders) // 2), above, style.WIDE)
    with style.look():
        figure, panels = style.panels(tables, study, layout)
        numbers = []
        for axes, fraction in zip(panels, sides, strict=True):
            mine = ordered[ordered["run"].isin(runs.loc[runs["corrupt"] == fraction, "run"])]
            numbers.append(_areas(mine))
            _curves(axes, mine, orders)
            curves.finish(axes, runs, mine, clamp="")
        for line in panels[0].get_lines():
            if (name := str(line.get_label())) in numbers[0].index:
                line.set_label(f"{NAMES.get(name, name)}: {' · '.join(side[name] for side in numbers)}")
        heading = "order, highest first: area (lowest first)" + (": left · right" if len(sides) > 1 else "")
        style.legend(figure, panels[0], layout, 2, heading)
    return figure


def _curves(axes: Axes, ordered: pd.DataFrame, orders: list[str]) -> None:
    chance = style.pooled(ordered[ordered["order"] == "random"], "ablated", "accuracy")
    style.band(axes, chance, "black", "random", "--")
    for place, name in enumerate(orders):
        mine = ordered[(ordered["order"] == name) & (ordered["first"] == "highest")]
        mean = mine.groupby("ablated")["accuracy"].mean()
        axes.plot(mean.index, mean, color=style.in_sequence(place, len(orders)), label=name, linewidth=1.2)


def _areas(ordered: pd.DataFrame) -> pd.Series:
    """Format the areas of each order, highest first and lowest first, averaged over networks."""
    areas = areas_of(ordered.assign(first=ordered["first"].fillna("")), "run", "order", "first", "ordering")
    means = areas.groupby(["order", "first"])["auc"].mean().map("{:.2f}".format)
    return pd.Series(
        {
            name: " ".join(
                form.format(means[name, end]) for end, form in ENDS.items() if (name, end) in means
            )
            for name in areas["order"].unique()
        }
    )


def _notes(tables: Tables, runs: pd.DataFrame, ordered: pd.DataFrame, sides: list[float]) -> tuple[str, ...]:
    each = text.count(runs[runs["corrupt"].isin(sides)].groupby("corrupt")["run"].size(), "network")
    random = ordered[ordered["order"] == "random"]
    orderings = text.count(random.groupby("run")["ordering"].nunique(), "random ordering")
    return (
        f"Means of {each} per fraction; dashed, band: ± SD over {orderings} and networks; others none."
        f" Accuracy on {shared_units.scored(tables, 'ordered', runs)}.",
        "Scores are measured on at most 2,000 of these images. The same fraction of each layer goes at any"
        " time, unless the config says otherwise.",
    )
