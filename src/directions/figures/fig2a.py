"""Figure 2a: accuracy against the scale of noise on all units, one curve per fraction of labels corrupted."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from directions.errors import InputError
from directions.figures import style
from directions.tidy import Tables, require


def draw(tables: Tables, study: str) -> Figure:
    """Mean and SD band over noise repeats and networks, log x; ratio 0 stands at the left edge (section 3.1).

    Reads tables runs, noise. Raises InputError naming a table or column that is missing or empty.
    """
    runs = require(
        tables, "runs", "run", "corrupt", "changed_share", "classes", "dataset", "model", "train_images"
    )
    noise = require(tables, "noise", "run", "repeat", "noise_sd_ratio", "accuracy")
    positive = noise.loc[noise["noise_sd_ratio"] > 0, "noise_sd_ratio"]
    if positive.empty:
        raise InputError("table 'noise': column 'noise_sd_ratio' has no value above 0: nothing to draw")
    edge = positive.min() / 2  # where "no noise" is drawn, for a log axis has no zero
    fraction_of = runs.set_index("run")["corrupt"]
    notes = _small_print(runs, noise)
    with style.look():
        figure, axes = style.panel(tables, study, notes, rows=3)
        for fraction in sorted(fraction_of.unique()):
            chosen = noise[noise["run"].isin(fraction_of.index[fraction_of == fraction])]
            _curve(axes, chosen, edge, fraction, style.corruption_label(runs, fraction))
        _log_axis(axes, edge, positive.min(), positive.max())
        style.chance_line(axes, style.only(runs, "classes"))
        axes.set(ylim=(0, 1.02), ylabel="training accuracy")
        axes.set_xlabel("noise SD / the unit's own SD over the training set")
        style.legend(figure, axes, notes, 3, "fraction of labels corrupted")
    return figure


def _curve(axes: Axes, noise: pd.DataFrame, edge: float, fraction: float, label: str) -> None:
    curve = style.pooled(noise, "noise_sd_ratio", "accuracy")
    colour = style.corruption_colour(fraction)
    untouched, curve = curve[curve.index == 0], curve[curve.index > 0]
    axes.plot([edge] * len(untouched), untouched["mean"], "o", markersize=4, color=colour, clip_on=False)
    style.band(axes, curve, colour, label)


def _log_axis(axes: Axes, edge: float, low: float, high: float) -> None:
    """Log x with plain numbers, and "0" under the dots of the untouched networks."""
    axes.set_xscale("log")
    axes.set_xlim(edge / 1.25, high * 1.05)
    decades = [10.0**power for power in range(-6, 7) if low * 0.9 <= 10.0**power <= high * 1.1]
    axes.xaxis.set_major_locator(FixedLocator([edge, *decades]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: "0" if x < low * 0.9 else f"{x:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.axvline((edge * low) ** 0.5, color=style.colour("chance"), linewidth=0.5)


def _small_print(runs: pd.DataFrame, noise: pd.DataFrame) -> tuple[str, str]:
    repeats = style.count(noise.groupby("run")["repeat"].nunique(), "repeat")
    networks = style.count(runs.groupby("corrupt")["run"].nunique(), "network")
    images = style.only(runs, "train_images")
    return (
        f"Mean ± SD over {repeats} × {networks} per curve; dots at 0: no noise.",
        f"Accuracy on the {images:,} training images, with the labels trained on.",
    )
