"""The look of every figure: sizes, fonts, named colours, titles and footnotes, and how files are written.

This module neither uses pyplot nor changes matplotlib's settings for good. A missing colour or name is an
error: no figure falls back to a default that a reader could mistake for something else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath
from matplotlib.typing import ColorType as Colour

from directions.core.errors import InputError
from directions.core.files import atomic
from directions.core.tables import Tables
from directions.figures import text

Look = dict[str, Any]  # keyword arguments of matplotlib's functions

WIDTH, WIDE, PLOT_HEIGHT, LEFT, RIGHT, BAR = 4.6, 7.4, 2.45, 0.72, 0.20, 0.58  # inches
SMALL = 7.5  # points, the smallest text in any figure
LINE = 0.145  # inches from one line of small text to the next
README = 0.8  # size of figures in the README relative to others, so that their text looks larger

COLOURS = {  # Okabe & Ito's palette for colour-blind readers
    "chance": "#6e6e6e",
    "null floor": "#6e6e6e",
    "dead": "#000000",
    "batch norm": "#0072B2",
    "no batch norm": "#CC79A7",
    "best": "#0072B2",
    "worst": "#D55E00",
    "zero": "#0072B2",
    "mean": "#D55E00",
    "train loss": "#0072B2",
    "test loss": "#CC79A7",
    "auc": "#009E73",
    "true labels": "#0072B2",
    "corrupted labels": "#D55E00",
    "layer 1": "#0072B2",
    "layer 2": "#E69F00",
    "layer 3": "#009E73",
    "layer 4": "#CC79A7",
    "cross-entropy": "#000000",
    "absolute error": "#D55E00",
    "gap": "#D55E00",
    "bound": "#0072B2",
    "before training": "#0072B2",
    "after training": "#D55E00",
    "least informative tenth": "#0072B2",
    "most informative tenth": "#D55E00",
    "unique information": "#000000",
    "left-out residual": "#D55E00",
    "residual": "#E69F00",
    "early loss": "#0072B2",
    "final loss": "#CC79A7",
}
MARKERS = "o^sDvPX"
# Viridis without its yellow, which is too pale for dots and lines; its order shows without colour vision.
SEQUENCE = ListedColormap(mpl.colormaps["viridis"](np.linspace(0, 0.9, 256)), name="viridis without yellow")

_LOOK: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # ships with matplotlib, so every machine draws the same
    "font.size": 8.5,
    "axes.titlesize": 9.0,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "pdf.fonttype": 42,  # text stays text: searchable, editable
}


@contextmanager
def look() -> Iterator[None]:
    """Apply this project's style while the context is open, whatever the user's own settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_LOOK)
        yield


_readme = ContextVar("readme", default=False)


@contextmanager
def for_readme() -> Iterator[None]:
    """Draw figures without footnotes and at a smaller size while open, so that pages may shrink them."""
    token = _readme.set(True)
    try:
        yield
    finally:
        _readme.reset(token)


def in_readme() -> bool:
    """Return whether figures are drawn for the README, which shows only the first panel of each."""
    return _readme.get()


def colour(name: str) -> str:
    """Return the colour of that name. Raises InputError if there is none."""
    if name not in COLOURS:
        raise InputError(f"no colour for {name!r}: add it to COLOURS in directions/figures/style.py")
    return COLOURS[name]


def corruption_colour(fraction: float) -> Colour:
    """Pick from viridis, dark (true labels) to light green (corrupted); yellow is too pale for lines."""
    if not 0 <= fraction <= 1:
        raise InputError(f"no colour for corrupted fraction {fraction}: it must lie between 0 and 1")
    return mpl.colormaps["viridis"](0.88 * fraction)


def in_sequence(place: int, number: int) -> Colour:
    """Return colour `place` (from 0) of `number` in an ordered sequence, such as layers or learning rates."""
    return SEQUENCE(place / max(number - 1, 1))


class Layout(NamedTuple):
    """What surrounds the axes: footnotes, legend rows, a line above each panel, a colour bar."""

    notes: tuple[str, ...]
    rows: int = 0  # of the legend, including its heading
    subtitles: tuple[str, ...] = ("",)  # one per panel
    width: float = WIDTH
    bar: bool = False  # room for a colour bar on the right
    beside: float = RIGHT  # inches to the right of every panel, more if it has an axis there
    shares: tuple[float, ...] = ()  # relative widths of the panels; equal by default

    @property
    def lines(self) -> list[str]:
        """Break the footnotes into lines that fit the figure's width; none in a README."""
        if in_readme():
            return []
        room = 0.96 * self.width - 0.1  # some margin, because hinting widens letters
        return [line for note in self.notes for line in _broken(note, room)]


def panels(tables: Tables, study: str, layout: Layout) -> tuple[Figure, list[Axes]]:
    """Create a figure with one axes per subtitle, side by side, titled by `text.title`, with footnotes.

    See `titled`. Notes say how curves were measured, see `text.measured`.
    """
    layout = layout._replace(notes=(*layout.notes, *text.measured(tables)))
    return titled(text.title(tables, study), layout)


def titled(title: str, layout: Layout) -> tuple[Figure, list[Axes]]:
    """Create the same with another title.

    Between axes and notes there is room for the legend, see `legend`. A footnote gives n, the kind of error
    bar, and what was measured on which images.
    """
    foot, between = 0.08 + LINE * len(layout.lines), 0.47 + LINE * layout.rows  # inches
    lines = max(subtitle.count("\n") + 1 if subtitle else 0 for subtitle in layout.subtitles)
    top = 0.30 + 0.15 * lines
    scale = README if in_readme() else 1
    height, width = foot + between + scale * PLOT_HEIGHT + top, scale * layout.width
    shares = layout.shares or (1.0,) * len(layout.subtitles)
    room = width - (LEFT + layout.beside) * len(shares) - (BAR if layout.bar else 0)
    figure, axes, left = Figure(figsize=(width, height)), [], LEFT
    for subtitle, share in zip(layout.subtitles, shares, strict=True):
        each = room * share / sum(shares)
        box = (left / width, (foot + between) / height, each / width, scale * PLOT_HEIGHT / height)
        axes.append(figure.add_axes(box))
        axes[-1].text(0, 1.035, subtitle, transform=axes[-1].transAxes, fontsize=SMALL, linespacing=1.3)
        left += each + layout.beside + LEFT
    indent = 0 if scale == 1 else (0.1 - LEFT) / (width * axes[0].get_position().width)  # more room for it
    axes[0].set_title(title, pad=6 + 11 * lines, x=indent)
    figure.text(0.02, 0.06 / height, "\n".join(layout.lines), fontsize=SMALL, va="bottom", linespacing=1.25)
    return figure, axes


def _broken(note: str, width: float) -> list[str]:
    """Break `note` into lines of at most `width` inches of small print."""
    font, lines = FontProperties(family=_LOOK["font.family"], size=SMALL), [""]
    for word in note.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        points, _, _ = TextToPath().get_text_width_height_descent(longer, font, ismath=False)
        if points > 72 * width and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def panel(tables: Tables, study: str, layout: Layout) -> tuple[Figure, Axes]:
    """Create `panels` for a figure that has only one."""
    figure, (axes,) = panels(tables, study, layout)
    return figure, axes


def legend(
    figure: Figure, axes: Axes, layout: Layout, columns: int, heading: str | None = None, handles=None
) -> None:
    """Draw the legend in the space that `panels` left; by default with what is labelled in `axes`."""
    if handles is None:
        handles = axes.get_legend_handles_labels()[0]
    if not handles:
        return
    figure.legend(
        handles,
        [handle.get_label() for handle in handles],
        title=heading,
        title_fontsize=SMALL,
        loc="lower center",
        bbox_to_anchor=(0.5, (0.09 + LINE * len(layout.lines)) / figure.get_figheight()),
        ncols=columns,
        handlelength=1.6,
        columnspacing=1.4,
        borderaxespad=0,
        labelspacing=0.35,
    )


def colour_bar(figure: Figure, axes: Axes, norm: Normalize, label: str, ticks: dict[float, object]) -> None:
    """Draw a bar of the colour sequence beside `axes`, in the space that `Layout.bar` reserves.

    `ticks`: {place on the scale of `norm`: its label}.
    """
    box, inch = axes.get_position(), 1 / figure.get_figwidth()
    beside = figure.add_axes((box.x1 + 0.12 * inch, box.y0, 0.09 * inch, box.height))
    bar = figure.colorbar(mpl.cm.ScalarMappable(norm, SEQUENCE), cax=beside, ticks=list(ticks))
    bar.set_label(label, fontsize=SMALL, labelpad=2)
    bar.ax.tick_params(labelsize=SMALL, length=2, pad=2)
    bar.outline.set_linewidth(0.5)
    bar.minorticks_off()
    bar.ax.set_yticklabels([str(tick) for tick in ticks.values()])


def save(figure: Figure, pdf: Path | str, png: Path | str) -> None:
    """Write both files completely or not at all; the same figure always gives the same bytes (no date)."""
    with look(), atomic(pdf) as path:
        figure.savefig(
            path, format="pdf", dpi=300, metadata=dict.fromkeys(("CreationDate", "Producer", "Creator"))
        )
    save_png(figure, png)


def save_png(figure: Figure, png: Path | str) -> None:
    """Write only the PNG file, completely or not at all."""
    with look(), atomic(png) as path:
        figure.savefig(path, format="png", dpi=220, metadata={"Software": None})


# --- curves ---


def chance_line(axes: Axes, classes: int, guesses: int = 1) -> None:
    """Draw a dotted line at guesses/classes, labelled below it, or above it if it is near the axis."""
    level, low = guesses / classes, guesses / classes < 0.07
    axes.axhline(level, color=colour("chance"), linestyle=":", linewidth=1.0, zorder=1)
    axes.text(
        0.35, level + (0.012 if low else -0.012), "chance", transform=axes.get_yaxis_transform(),
        va="bottom" if low else "top", fontsize=SMALL, color=colour("chance"),
    )  # fmt: skip


def pooled(values: pd.DataFrame, by: str, column: str) -> pd.DataFrame:
    """Compute mean and SD of `column` for each value of `by`, over all networks and repeats: index `by`."""
    grouped = values.groupby(by)[column]
    if (grouped.size() < 2).any():
        return grouped.agg(["mean"]).assign(std=0.0)  # only one curve: the footnote says n = 1
    return grouped.agg(["mean", "std"])


def band(axes: Axes, curve: pd.DataFrame, colour, label: str, line: str = "-", **look) -> None:
    """Draw the mean as a line with a band of one SD to each side; `curve` is as from `pooled`."""
    low, high = curve["mean"] - curve["std"], curve["mean"] + curve["std"]
    axes.fill_between(curve.index, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.plot(curve.index, curve["mean"], linestyle=line, color=colour, label=label, **look)
