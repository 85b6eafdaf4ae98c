"""Figure 4a: training loss, test loss and area under the ablation curve over training."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from directions.core.tables import Tables, require
from directions.figures import overlay, style, text

SIDES = ("train", "test")
FIRST = 5  # epochs in the second panel, where the area rises; a reviewer of the paper asked for them
FEWEST = 3  # checkpoints that the second panel needs
WHOLE = 1  # epoch from which the axes of the first panel hold everything
LOSS, AREA = 0.4, 0.9  # the paper's axes: top of the loss axis, bottom of the area axis
BESIDE = 0.66  # inches, for the right axis and its label
MANY = 40  # epochs beyond which their markers would overlap


def draw(tables: Tables, study: str) -> Figure:
    """Draw losses on the left axis, and the area relative to its largest value on the right (section 3.2).

    Losses come from the table with more epochs, history or checkpoints. A second panel shows the first epochs
    uncropped. Reads tables runs, history, checkpoints and, if given, paper. Raises InputError naming a table
    or column that is missing or empty.
    """
    runs = require(tables, "runs", "run", "train_images", "test_images")
    history = require(tables, "history", "run", "epoch", "train_loss", "test_loss")
    columns = ("run", "epoch", "ordering", "split", "images", "auc", "auc_relative")
    areas = require(tables, "checkpoints", *columns, "train_loss", "test_loss")
    kept = areas.drop_duplicates(["run", "epoch"])  # losses are the same for every ordering
    finer = kept if kept["epoch"].nunique() > history["epoch"].nunique() else history
    losses, lowest = _pooled(finer), _pooled(finer)["test"]["mean"].idxmin()
    largest = style.pooled(areas, "epoch", "auc")["mean"].max()
    share = areas.assign(auc=areas["auc"] / largest, auc_relative=areas["auc_relative"] / largest)
    last, early = finer["epoch"].max(), kept[kept["epoch"] <= FIRST]
    zoomed = last > FIRST and early["epoch"].nunique() >= FEWEST
    course = style.pooled(share, "epoch", "auc")
    top, around = _limits(losses, course)
    cropped = course["mean"].min() < around[0] or max(curve["mean"].max() for curve in losses.values()) > top
    said = _small_print(runs, areas, finer is kept, lowest, largest, cropped)
    layout = style.Layout(said, rows=2, beside=BESIDE)
    if zoomed:
        above = ("all epochs", f"the first {FIRST}, whole")
        layout = layout._replace(subtitles=above, width=style.WIDE, shares=(1.6, 1))
    theirs = overlay.of(tables, "epoch", "train_loss", "test_loss", "area_normalized")
    with style.look():
        figure, panels = style.panels(tables, study, layout)
        rights = [
            _panel(axes, seen, share, lowest, theirs)
            for axes, seen in zip(panels, (losses, _pooled(early)), strict=False)
        ]
        panels[0].set(xlim=(0, last), ylim=(0, top))
        rights[0].set_ylim(around)
        if zoomed:
            _zoom(panels[1])
        lines = [line for axes in (panels[0], rights[0]) for line in axes.get_legend_handles_labels()[0]]
        style.legend(figure, panels[0], layout, 3, handles=lines + overlay.handles(tables))
    return figure


def _pooled(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {side: style.pooled(table, "epoch", f"{side}_loss") for side in SIDES}


def _marks(curve: pd.DataFrame) -> style.Look:
    """Return markers, if there are few enough checkpoints to tell them apart."""
    return {"marker": "o", "markersize": 2.6} if len(curve) <= MANY else {}


def _panel(axes: Axes, losses: dict[str, pd.DataFrame], areas: pd.DataFrame, lowest: float, theirs) -> Axes:
    """Draw losses on the left axis and areas on the right one, which is returned, with the paper's behind."""
    right = _areas(axes, areas)
    for side, curve in losses.items():
        style.band(axes, curve, style.colour(f"{side} loss"), f"{side} loss (left)")
        if theirs is not None:
            overlay.line(axes, theirs["epoch"], theirs[f"{side}_loss"], style.colour(f"{side} loss"))
    if theirs is not None:
        overlay.line(right, theirs["epoch"], theirs["area_normalized"], style.colour("auc"))
    axes.axvline(lowest, color=style.colour("chance"), linestyle=":", linewidth=1.0, zorder=1)
    axes.set(xlabel="epoch", ylabel="loss (nats)")
    return right


def _areas(left: Axes, areas: pd.DataFrame) -> Axes:
    right, colour = left.twinx(), style.colour("auc")
    curve = style.pooled(areas, "epoch", "auc")
    style.band(right, curve, colour, "area / largest (right)", **_marks(curve))
    curve = style.pooled(areas, "epoch", "auc_relative")
    look: style.Look = {"color": colour, "linewidth": 1.1, "linestyle": ":", "zorder": 1.8}
    right.plot(curve.index, curve["mean"], **look, label="the same / unablated accuracy")
    right.spines["right"].set_visible(True)
    right.set_ylabel("area / largest", color=colour)
    right.tick_params(axis="y", colors=colour)
    left.set_zorder(right.get_zorder() + 1)
    left.patch.set_visible(False)
    return right


def _limits(losses: dict[str, pd.DataFrame], areas: pd.DataFrame) -> tuple[float, tuple[float, float]]:
    """Find the axis limits (loss top, area ends) to hold the paper's values, and ours from `WHOLE` on."""

    def later(curve: pd.DataFrame, sign: int) -> pd.Series:
        curve = curve[curve.index >= min(WHOLE, curve.index.max())]
        return curve["mean"] + sign * curve["std"]

    top = max(LOSS, 1.02 * max(later(curve, 1).max() for curve in losses.values()))
    low, high = min(AREA, later(areas, -1).min()), max(1.0, later(areas, 1).max())
    return top, (low - 0.02 * (high - low), high + 0.02 * (high - low))


def _zoom(axes: Axes) -> None:
    axes.set(xlim=(-0.02 * FIRST, 1.02 * FIRST), ylim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _small_print(
    runs: pd.DataFrame,
    areas: pd.DataFrame,
    at_checkpoints: bool,
    lowest: float,
    largest: float,
    cropped: bool,
) -> tuple[str, ...]:
    """Write the footnotes; at_checkpoints: losses are measured there, on the images that are ablated."""
    orderings = text.count(areas.groupby(["run", "epoch"])["ordering"].nunique(), "ordering")
    kept = text.count(areas.groupby("run")["epoch"].nunique(), "checkpoint")
    split, ablated = (text.only(areas, column, "checkpoints") for column in ("split", "images"))
    images = {side: text.only(runs, f"{side}_images") for side in SIDES}
    if at_checkpoints:
        images[split] = ablated
    named = {"train": "training", "test": "test"}
    seen = " and ".join(f"{images[side]:,} {named[side]}" for side in SIDES)
    cut = f" Before epoch {WHOLE} the axes over all epochs are cropped." if cropped else ""
    return (
        f"Mean ± SD over {text.networks(runs)} (losses), × {orderings} (area). Largest mean area"
        f" {largest:.3f}.",
        f"Losses on {seen} images; area on {ablated:,} {named[split]} images at {kept}.{cut}",
        f"Dotted upright: lowest test loss (epoch {lowest:.3g}).",
    )
