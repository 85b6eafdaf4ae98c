"""Figure 4a: training loss, test loss and area under the ablation curve over training."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.figures import style, words
from directions.tidy import Tables, require


def draw(tables: Tables, study: str) -> Figure:
    """Losses on the left axis, cropped; area on the right, with area / unablated accuracy (section 3.2).

    Reads tables runs, history, checkpoints. Raises InputError naming a table or column that is missing or
    empty.
    """
    history = require(tables, "history", "run", "epoch", "train_loss", "test_loss")
    areas = require(tables, "checkpoints", "run", "epoch", "ordering", "auc", "auc_relative")
    losses = {side: style.pooled(history, "epoch", f"{side}_loss") for side in ("train", "test")}
    lowest = losses["test"]["mean"].idxmin()
    crop = _crop(losses)
    layout = style.Layout(_small_print(tables, areas, lowest, losses, crop), rows=2)
    with style.look():
        figure, axes = style.panel(tables, study, layout)
        for side, curve in losses.items():
            style.band(axes, curve, style.colour(f"{side} loss"), f"{side} loss (left)")
        axes.axvline(lowest, color=style.colour("chance"), linestyle=":", linewidth=1.0, zorder=1)
        axes.set(xlim=(0, history["epoch"].max()), ylim=(0, crop), xlabel="epoch", ylabel="loss (nats)")
        lines = axes.get_legend_handles_labels()[0] + _areas(axes, areas)
        style.legend(figure, axes, layout, 2, handles=lines)
    return figure


def _areas(left: Axes, areas: pd.DataFrame) -> list:
    """The right axis; the handles of its lines. Its room is taken from the left one's."""
    figure, box = left.figure, left.get_position()
    left.set_position((box.x0, box.y0, box.width - 0.1, box.height))
    right = left.twinx()
    right.set_position(left.get_position())
    look = {"marker": "o", "markersize": 2.6}
    colour = style.colour("auc")
    style.band(right, style.pooled(areas, "epoch", "auc"), colour, "normalised area (right)", **look)
    curve = style.pooled(areas, "epoch", "auc_relative")
    right.plot(
        curve.index, curve["mean"], "--", color=colour, linewidth=0.9, label="area / unablated accuracy"
    )
    right.spines["right"].set_visible(True)
    right.set_ylabel("area under the ablation curve", color=colour)
    right.tick_params(axis="y", colors=colour)
    figure.axes[0].set_zorder(right.get_zorder() + 1)
    figure.axes[0].patch.set_visible(False)
    return right.get_legend_handles_labels()[0]


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
    return (
        f"Mean ± SD over {words.networks(runs)} (losses), × {orderings} (area, on training images).",
        f"Losses on {images}.{' Loss axis cropped at the top.' if cropped else ''}",
        f"Dotted: lowest test loss (epoch {lowest}). Dots: checkpoints whose units were ablated.",
    )
