"""Accuracy against the scale of noise on all units, for Figures 2a and 2b."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from directions.core.errors import InputError
from directions.core.tables import Tables, require
from directions.figures import overlay, style, text

COLUMNS = 2  # of the legend
PAPER = (
    "The paper's axis is its scale of per-unit noise; that it counts SDs, as ours does, is our inference from"
    " its numbers.",
)


def corruption(tables: Tables, study: str) -> Figure:
    """Draw one curve per fraction of labels corrupted on a log axis; dots at the left edge: no noise."""
    runs = require(tables, "runs", "run", "corrupt", "changed_share", "classes", "model", "train_images")
    noise = require(tables, "noise", "run", "repeat", "noise_sd_ratio", "accuracy")
    positive = noise.loc[noise["noise_sd_ratio"] > 0, "noise_sd_ratio"]
    if positive.empty:
        raise InputError("table 'noise': column 'noise_sd_ratio' has no value above 0: nothing to draw")
    edge = positive.min() / 2  # x position of "no noise", since a log axis has no zero
    fractions, behind = sorted(runs["corrupt"].unique()), overlay.handles(tables)
    notes = _small_print(runs, noise) + (PAPER if behind else ())
    layout = style.Layout(notes, rows=1 + -(-(len(fractions) + len(behind)) // COLUMNS))
    with style.look():
        figure, axes = style.panel(tables, study, layout)
        for fraction in fractions:
            chosen = noise[noise["run"].isin(runs.loc[runs["corrupt"] == fraction, "run"])]
            label = f"{float(fraction)} ({text.changed(runs, fraction)} changed)"
            colour = style.corruption_colour(fraction)
            curve(axes, chosen, edge, colour, label)
            theirs = overlay.of(tables, "noise_scale", "accuracy", corrupt=fraction)
            if theirs is not None:
                overlay.line(axes, theirs["noise_scale"], theirs["accuracy"], colour)
        log_axis(axes, edge, positive.min(), positive.max())
        style.chance_line(axes, text.only(runs, "classes"))
        axes.set(ylim=(0, 1.02), ylabel="training accuracy")
        unit = text.unit_noun(runs).removesuffix("s")
        axes.set_xlabel(f"noise SD / the {unit}'s own SD over the training set")
        handles = axes.get_legend_handles_labels()[0] + behind
        style.legend(figure, axes, layout, COLUMNS, "fraction of labels corrupted", handles)
    return figure


def curve(axes: Axes, noise: pd.DataFrame, edge: float, colour: style.Colour, label: str) -> None:
    """Draw mean and SD of accuracy against noise; a dot at `edge` is the untouched network."""
    every = style.pooled(noise, "noise_sd_ratio", "accuracy")
    untouched, noisy = every[every.index == 0], every[every.index > 0]
    axes.plot([edge] * len(untouched), untouched["mean"], "o", markersize=4, color=colour, clip_on=False)
    style.band(axes, noisy, colour, label)


def log_axis(axes: Axes, edge: float, low: float, high: float) -> None:
    """Set a log x axis with plain numbers, and "0" below the dots of the untouched networks."""
    axes.set_xscale("log")
    axes.set_xlim(edge / 1.25, high * 1.05)
    decades = [10.0**power for power in range(-6, 7) if low * 0.9 <= 10.0**power <= high * 1.1]
    axes.xaxis.set_major_locator(FixedLocator([edge, *decades]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: "0" if x < low * 0.9 else f"{x:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.axvline((edge * low) ** 0.5, color=style.colour("chance"), linewidth=0.5)


def _small_print(runs: pd.DataFrame, noise: pd.DataFrame) -> tuple[str, str]:
    repeats = text.count(noise.groupby("run")["repeat"].nunique(), "repeat")
    networks = text.count(runs.groupby("corrupt")["run"].nunique(), "network")
    return (
        f"Mean ± SD over {repeats} × {networks} per curve; dots at 0: no noise.",
        text.trained_on(runs),
    )
