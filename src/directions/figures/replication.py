"""Figure 1a of several studies, each beside the same curves of an independent replication."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from directions.core.area import area
from directions.core.errors import InputError
from directions.core.tables import Tables, require
from directions.figures import curves, style, text

NOTES = (
    "Lines: ours, mean ± SD over orderings and networks. Dashed: growlix/single_directions_replication"
    " (2019), mean over 10 orderings of one network of 2 x 512 units per fraction, 640 epochs, MNIST.",
    "Legend: fraction of labels shuffled, and the area under each curve.",
)


def draw(studies: dict[str, Tables], replication: pd.DataFrame) -> Figure:
    """Draw one panel per study, {name: tables runs, ablation, areas of the experiment behind Figure 1a}.

    `replication` has the columns fraction_corrupted, units_ablated, mean_accuracy. Raises InputError naming a
    table or column that is missing or empty, or a fraction that the replication has but a study lacks.
    """
    theirs = dict(list(replication.groupby("fraction_corrupted")))
    areas = {fraction: [f"replication {their_area(rows):.3f}"] for fraction, rows in theirs.items()}
    subtitles = tuple(f"{study}: {described(tables)}" for study, tables in studies.items())
    layout = style.Layout(NOTES, rows=-(-len(theirs) // 2), subtitles=subtitles, width=style.WIDE)
    with style.look():
        figure, panels = style.titled("Figure 1a beside an independent replication", layout)
        for axes, (study, tables) in zip(panels, studies.items(), strict=True):
            for fraction, mean in draw_study(axes, tables, theirs).items():
                areas[fraction].insert(-1, f"{study} {mean:.3f}")
        lines = [
            Line2D([], [], color=style.corruption_colour(fraction), label=f"{fraction}: {', '.join(found)}")
            for fraction, found in areas.items()
        ]
        style.legend(figure, panels[0], layout, columns=2, handles=lines)
    return figure


def comparable(tables: Tables, replication: pd.DataFrame) -> bool:
    """Return whether a study has MLPs on MNIST at every fraction of labels corrupted in the replication."""
    runs = require(tables, "runs", "dataset", "corrupt", may_be_empty=("hidden",))
    fractions = set(replication["fraction_corrupted"])
    return (
        set(runs["dataset"]) == {"mnist"} and text.reads(runs, "hidden") and fractions <= set(runs["corrupt"])
    )


def described(tables: Tables) -> str:
    """Describe the networks of a study: "2×512 units, 60,000 images"."""
    runs = require(tables, "runs", "hidden", "train_images")
    return f"{text.size(tables).strip()} units, {int(text.only(runs, 'train_images')):,} images"


def their_area(rows: pd.DataFrame) -> float:
    """Compute the normalised area under one of the replication's curves (DEVIATIONS.md, D9)."""
    return float(area(rows["units_ablated"].to_numpy(), rows["mean_accuracy"].to_numpy()))


def draw_study(axes: Axes, tables: Tables, theirs: dict[float, pd.DataFrame]) -> dict[float, float]:
    """Draw both sets of curves over the fraction of units ablated; returns {fraction: our mean area}."""
    runs = require(tables, "runs", "run", "corrupt", "classes")
    ablation = curves.clamped(tables, "ablation", curves.CLAMP, "ordering", "ablated", "units", "accuracy")
    areas = curves.clamped(tables, "areas", curves.CLAMP, "auc")
    ablation = ablation.assign(share=ablation["ablated"] / ablation["units"])
    found = {}
    for fraction, rows in theirs.items():
        names = runs.loc[runs["corrupt"] == fraction, "run"]
        if names.empty:
            raise InputError(
                f"table 'runs' has no network with corrupt {fraction}, which the replication has"
            )
        colour = style.corruption_colour(fraction)
        ours = style.pooled(ablation[ablation["run"].isin(names)], "share", "accuracy")
        style.band(axes, ours, colour, str(fraction))
        share = rows["units_ablated"] / rows["units_ablated"].max()
        axes.plot(share, rows["mean_accuracy"], color=colour, linestyle="--", linewidth=1.0)
        found[fraction] = areas.loc[areas["run"].isin(names), "auc"].mean()
    style.chance_line(axes, text.only(runs, "classes"))
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="share of units ablated (clamped to zero)")
    axes.set_ylabel("training accuracy")
    return found
