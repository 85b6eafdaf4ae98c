"""Figure 4a: training loss, test loss and area under the ablation curve over training."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from directions.figures import style, words
from directions.tidy import Tables, require

SIDES = ("train", "test")
FIRST = 5  # epochs of the second panel, in which the area rises; a reviewer of the paper asked to see them
FEWEST = 3  # checkpoints in it, or there is no such panel
BESIDE = 0.66  # inches, for the right axis and its label
DOTS = {"marker": "o", "markersize": 2.6}


def draw(tables: Tables, study: str) -> Figure:
    """Losses on the left axis, cropped; area on the right, with area / unablated accuracy (section 3.2).

    A second panel shows the first epochs, at checkpoints only. Reads tables runs, history, checkpoints.
    Raises InputError naming a table or column that is missing or empty.
    """
    history = require(tables, "history", "run", "epoch", "train_loss", "test_loss")
    columns = ("run", "epoch", "ordering", "auc", "auc_relative", "train_loss", "test_loss")
    areas = require(tables, "checkpoints", *columns)
    losses = {side: style.pooled(history, "epoch", f"{side}_loss") for side in SIDES}
    lowest = losses["test"]["mean"].idxmin()
    crop, last = _crop(losses), history["epoch"].max()
    zoomed = last > FIRST and areas.loc[areas["epoch"] <= FIRST, "epoch"].nunique() >= FEWEST
    layout = style.Layout(_small_print(tables, areas, lowest, losses, crop), rows=2, beside=BESIDE)
    if zoomed:
        above = ("all epochs", f"the first {FIRST}, at checkpoints")
        layout = layout._replace(subtitles=above, width=style.WIDE, shares=(1.6, 1))
    with style.look():
        figure, panels = style.panels(tables, study, layout)
        _losses(panels[0], losses, lowest)
        panels[0].set(xlim=(0, last), ylim=(0, crop))
        rights = [_areas(panel, areas) for panel in panels]
        if zoomed:
            _zoom(panels[1], areas, lowest)
        lines = [line for axes in (panels[0], rights[0]) for line in axes.get_legend_handles_labels()[0]]
        style.legend(figure, panels[0], layout, 2, handles=lines)
    return figure


def _losses(axes: Axes, losses: dict[str, pd.DataFrame], lowest: int, **look) -> None:
    """The left axis: one band per set of images, and where the loss on the test set is lowest."""
    for side, curve in losses.items():
        style.band(axes, curve, style.colour(f"{side} loss"), f"{side} loss (left)", **look)
    axes.axvline(lowest, color=style.colour("chance"), linestyle=":", linewidth=1.0, zorder=1)
    axes.set(xlabel="epoch", ylabel="loss (nats)")


def _areas(left: Axes, areas: pd.DataFrame) -> Axes:
    """The right axis, with all areas: so it is the same in both panels."""
    right = left.twinx()
    colour = style.colour("auc")
    style.band(right, style.pooled(areas, "epoch", "auc"), colour, "normalised area (right)", **DOTS)
    curve = style.pooled(areas, "epoch", "auc_relative")
    right.plot(
        curve.index, curve["mean"], "--", color=colour, linewidth=0.9, label="area / unablated accuracy"
    )
    right.spines["right"].set_visible(True)
    right.set_ylabel("area under the ablation curve", color=colour)
    right.tick_params(axis="y", colors=colour)
    left.set_zorder(right.get_zorder() + 1)
    left.patch.set_visible(False)
    return right


def _zoom(axes: Axes, areas: pd.DataFrame, lowest: int) -> None:
    """The second panel: the first epochs, with losses as measured at checkpoints, before training too."""
    seen = areas[areas["epoch"] <= FIRST].drop_duplicates(["run", "epoch"])  # the same for each ordering
    losses = {side: style.pooled(seen, "epoch", f"{side}_loss") for side in SIDES}
    _losses(axes, losses, lowest, **DOTS)
    top = max((curve["mean"] + curve["std"]).max() for curve in losses.values())
    axes.set(xlim=(-0.02 * FIRST, 1.02 * FIRST), ylim=(0, 1.05 * top))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _crop(losses: dict[str, pd.DataFrame]) -> float:
    """Top of the loss axis: what follows the lowest test loss fills it, the first epochs may stand out."""
    test = losses["test"]["mean"]
    later = (losses["test"]["mean"] + losses["test"]["std"])[test.index >= test.idxmin()].max()
    whole = max(curve["mean"].max() for curve in losses.values())
    return 1.05 * min(whole, max(later, 2.5 * test.min()))


def _small_print(
    tables: Tables, areas: pd.DataFrame, lowest: int, losses: dict[str, pd.DataFrame], crop: float
) -> tuple[str, ...]:
    runs = require(tables, "runs", "run", "train_images", "test_images")
    orderings = words.count(areas.groupby(["run", "epoch"])["ordering"].nunique(), "ordering")
    images = (
        f"{words.only(runs, 'train_images'):,} training and {words.only(runs, 'test_images'):,} test images"
    )
    cropped = any(curve["mean"].max() > crop for curve in losses.values())
    said = " Loss axis over all epochs cropped at the top." if cropped else ""
    return (
        f"Mean ± SD over {words.networks(runs)} (losses), × {orderings} (area, on training images).",
        f"Losses on {images}.{said}",
        f"Dotted: lowest test loss (epoch {lowest}). Dots: checkpoints whose units were ablated.",
    )
