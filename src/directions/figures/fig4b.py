"""Figure 4b: area under the ablation curve against test loss, over training."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from directions.core.tables import Tables, require
from directions.figures import networks, overlay, scales, style, text
from directions.figures.checkpoints import over_training

WHOLE = 1  # epoch from which the axes hold every checkpoint
PAPER = (
    f"{overlay.SHOWN['fig4b']} Its caption names a conv net; the numbers are those of the MLP of its"
    " Figure 4a (our inference)."
)


def draw(tables: Tables, study: str) -> Figure:
    """Draw one dot per checkpoint and network, coloured by epoch: area relative to the largest (section 3.2).

    A second panel has area / unablated accuracy, if that differs. Reads tables runs, checkpoints and, if
    given, paper. Raises InputError naming a table or column that is missing or empty.
    """
    dots = over_training(tables)
    theirs = overlay.of(tables, "test_loss", "area_normalized")
    shown = networks.shown_areas(dots)
    above = tuple(f"Spearman {networks.rho(dots['test_loss'], dots[column])}" for column in shown)
    notes = (*_small_print(tables, dots), *((PAPER,) if theirs is not None else ()))
    behind = overlay.handles(tables, dotted=True)
    layout = style.Layout(notes, len(behind), above, style.WIDE if len(shown) > 1 else style.WIDTH, bar=True)
    with style.look():
        figure, panels = style.panels(tables, study, layout)
        norm = Normalize(0, np.log1p(dots["epoch"].max()))
        for axes, (column, label) in zip(panels, shown.items(), strict=True):
            if theirs is not None and column == "auc":
                overlay.dots(axes, theirs["test_loss"], theirs["area_normalized"])
            _dots(axes, networks.of_largest(dots), column, norm)
            axes.set(xlabel="test loss (nats)", ylabel=label)
        ticks = [epoch for epoch in (0, 1, 2, 5, 10, 20, 50, 100, 200) if epoch <= dots["epoch"].max()]
        style.colour_bar(figure, panels[-1], norm, "epoch", {float(np.log1p(tick)): tick for tick in ticks})
        style.legend(figure, panels[0], layout, 1, handles=behind)
    return figure


def _dots(axes: Axes, dots: pd.DataFrame, column: str, norm: Normalize) -> None:
    for place, (_, mine) in enumerate(dots.groupby("run")):
        marker = style.MARKERS[place % len(style.MARKERS)]
        look: style.Look = {
            "s": 20 if len(dots) < 100 else 9,
            "marker": marker,
            "linewidths": 0,
            "zorder": 2,
            "alpha": 0.85,
        }
        axes.scatter(
            mine["test_loss"], mine[column], c=np.log1p(mine["epoch"]), cmap=style.SEQUENCE, norm=norm, **look
        )
    held = _within(dots)
    seen = [held[["test_loss", column]].to_numpy()]
    seen += [line.get_xydata() for line in axes.get_lines()]
    (left, low), (right, high) = np.concatenate(seen).min(0), np.concatenate(seen).max(0)
    if right > 6 * left > 0:
        axes.set_xlim(left / 1.15, right * 1.15)
        scales.plain_log(axes)
    else:
        axes.set_xlim(left - 0.04 * (right - left), right + 0.04 * (right - left))
    axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))


def _within(dots: pd.DataFrame) -> pd.DataFrame:
    """Select the checkpoints that the axes must hold: if possible, only those after the first epoch."""
    later = dots[dots["epoch"] >= WHOLE]
    return later if len(later) else dots


def _small_print(tables: Tables, dots: pd.DataFrame) -> tuple[str, ...]:
    runs = require(tables, "runs", "run", "train_images", "test_images")
    orderings = text.count(tables["checkpoints"].groupby(["run", "epoch"])["ordering"].nunique(), "ordering")
    within = [networks.rho(mine["test_loss"], mine["auc"]) for _, mine in dots.groupby("run")]
    epochs = text.count(dots.groupby("run")["epoch"].nunique(), "checkpoint")
    single = "" if len(within) < 2 else f" Spearman within each network (left): {', '.join(within[:8])}."
    early = len(dots) - len(_within(dots))
    cut = f" Axes hold all from epoch {WHOLE} on; {early} before it may lie outside." if early else ""
    return (
        f"One dot per checkpoint: {epochs} × {text.networks(runs)}, mean over {orderings}; no error bars."
        f" A marker per network. {networks.largest(dots)}{cut}",
        f"Area on {text.only(runs, 'train_images'):,} training images, loss on"
        f" {text.only(runs, 'test_images'):,} test images.{single}",
    )
