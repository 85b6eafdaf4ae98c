"""Figure 4b: the area under the ablation curve against the test loss, over training."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from directions.figures import networks, style, words
from directions.figures.checkpoints import over_training
from directions.tidy import Tables, require


def draw(tables: Tables, study: str) -> Figure:
    """One dot per checkpoint and network, coloured by epoch (section 3.2); thin lines join a network's dots.

    Second panel: area / unablated accuracy. Reads tables runs, checkpoints. Raises InputError naming a table
    or column that is missing or empty.
    """
    dots = over_training(tables)
    shown = {"auc": "normalised area", "auc_relative": "area / unablated accuracy"}
    above = tuple(f"Spearman {networks.rho(dots['test_loss'], dots[column])}" for column in shown)
    layout = style.Layout(_small_print(tables, dots), 0, above, style.WIDE, bar=True)
    with style.look():
        figure, both = style.panels(tables, study, layout)
        norm = Normalize(0, np.log1p(dots["epoch"].max()))
        for axes, (column, label) in zip(both, shown.items(), strict=True):
            _dots(axes, dots, column, norm)
            axes.set(xlabel="test loss (nats)", ylabel=label)
        ticks = [epoch for epoch in (0, 1, 2, 5, 10, 20, 50, 100, 200) if epoch <= dots["epoch"].max()]
        style.colour_bar(figure, both[-1], norm, "epoch", {float(np.log1p(tick)): tick for tick in ticks})
    return figure


def _dots(axes: Axes, dots: pd.DataFrame, column: str, norm: Normalize) -> None:
    for place, (_, mine) in enumerate(dots.sort_values("epoch").groupby("run")):
        axes.plot(mine["test_loss"], mine[column], "-", color="#b0b0b0", linewidth=0.6, zorder=1)
        marker = style.MARKERS[place % len(style.MARKERS)]
        look = {"s": 20, "marker": marker, "linewidths": 0, "zorder": 2}
        axes.scatter(
            mine["test_loss"], mine[column], c=np.log1p(mine["epoch"]), cmap=style.SEQUENCE, norm=norm, **look
        )
    if dots["test_loss"].max() > 10 * dots["test_loss"].min() > 0:
        style.plain_log(axes)


def _small_print(tables: Tables, dots: pd.DataFrame) -> tuple[str, ...]:
    runs = require(tables, "runs", "run", "train_images", "test_images")
    orderings = words.count(tables["checkpoints"].groupby(["run", "epoch"])["ordering"].nunique(), "ordering")
    within = [networks.rho(mine["test_loss"], mine["auc"]) for _, mine in dots.groupby("run")]
    epochs = words.count(dots.groupby("run")["epoch"].nunique(), "checkpoint")
    single = "" if len(within) < 2 else f" Spearman within each network (left): {', '.join(within[:8])}."
    return (
        f"One dot per checkpoint: {epochs} × {words.networks(runs)}, mean over {orderings}; no error bars."
        " A marker and a grey line per network.",
        f"Area on {words.only(runs, 'train_images'):,} training images, loss on"
        f" {words.only(runs, 'test_images'):,} test images.{single}",
    )
