"""Figure 1a: accuracy against the number of units ablated, one curve per fraction of labels corrupted."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.figures import style
from directions.tidy import Tables, require

CLAMP = "zero"  # the paper's main text; clamping to the mean is Figure A1


def draw(tables: Tables, study: str) -> Figure:
    """Mean and SD band over orderings and networks; areas in the legend (paper, section 3.1).

    Reads tables runs, ablation, areas. Raises InputError naming a table or column that is missing or empty.
    """
    runs = require(
        tables, "runs", "run", "corrupt", "changed_share", "classes", "dataset", "model", "train_images"
    )
    ablation = _clamped(tables, "ablation", "run", "ordering", "ablated", "units", "accuracy")
    areas = _clamped(tables, "areas", "run", "auc")
    fraction_of = runs.set_index("run")["corrupt"]
    notes = _small_print(runs, ablation)
    with style.look():
        figure, axes = style.panel(tables, study, notes, rows=4)
        for fraction in sorted(fraction_of.unique()):
            chosen = fraction_of.index[fraction_of == fraction]
            area = areas.loc[areas["run"].isin(chosen), "auc"]
            label = f"{style.corruption_label(runs, fraction)}: {area.mean():.3f}"
            if len(area) > 1:
                label += f" ± {area.std():.3f}"
            _curve(axes, ablation[ablation["run"].isin(chosen)], fraction, label)
        style.chance_line(axes, style.only(runs, "classes"))
        axes.set(xlim=(0, ablation["units"].max()), ylim=(0, 1.02))
        axes.set(xlabel="number of units ablated (clamped to zero)", ylabel="training accuracy")
        style.legend(figure, axes, notes, 2, "fraction of labels corrupted: normalised area under the curve")
    return figure


def _clamped(tables: Tables, name: str, *columns: str) -> pd.DataFrame:
    table = require(tables, name, "clamp", *columns)
    return require({name: table[table["clamp"] == CLAMP]}, name)


def _curve(axes: Axes, ablation: pd.DataFrame, fraction: float, label: str) -> None:
    style.band(axes, style.pooled(ablation, "ablated", "accuracy"), style.corruption_colour(fraction), label)


def _small_print(runs: pd.DataFrame, ablation: pd.DataFrame) -> tuple[str, str]:
    orderings = style.count(ablation.groupby("run")["ordering"].nunique(), "ordering")
    networks = style.count(runs.groupby("corrupt")["run"].nunique(), "network")
    images = style.only(runs, "train_images")
    return (
        f"Mean ± SD over {orderings} × {networks} per curve.",
        f"Accuracy on the {images:,} training images, with the labels trained on.",
    )
