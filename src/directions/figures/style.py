"""The look of every figure: sizes, fonts, colours by name, titles and footnotes, and how files are written.

Nothing here touches pyplot or leaves a trace in matplotlib's settings. A colour or a name that is missing is
an error: a figure never falls back to a default that a reader could take for something else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.errors import InputError
from directions.files import atomic
from directions.tidy import Tables, require

WIDTH, PLOT_HEIGHT, LEFT, RIGHT = 4.6, 2.45, 0.72, 0.14  # inches
SMALL = 7.5  # points, the smallest text in any figure
LINE = 0.145  # inches from one line of small text to the next

COLOURS = {  # Okabe & Ito's palette for colour-blind readers
    "chance": "#6e6e6e",
    "null floor": "#6e6e6e",
    "dead": "#000000",
    "layer 1": "#0072B2",
    "layer 2": "#E69F00",
    "layer 3": "#009E73",
    "layer 4": "#CC79A7",
}
LAYER_MARKERS = "o^sD"

DATASETS = {
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10",
    "imagenet": "ImageNet",
    "imagefolder": "own images",
}
MODELS = {"mlp": "MLP", "conv11": "11-layer convnet", "resnet50": "ResNet-50"}

_LOOK = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so every machine draws the same
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
    """While open, matplotlib draws in this project's style, whatever the user's own settings say."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_LOOK)
        yield


def colour(name: str) -> str:
    """The colour of that name. Raises InputError for a name without one."""
    if name not in COLOURS:
        raise InputError(f"no colour for {name!r}: add it to COLOURS in directions/figures/style.py")
    return COLOURS[name]


def corruption_colour(fraction: float) -> tuple[float, ...]:
    """Viridis from dark (true labels) to light green (all corrupted); its yellow is too pale for lines."""
    if not 0 <= fraction <= 1:
        raise InputError(f"no colour for corrupted fraction {fraction}: it must lie between 0 and 1")
    return mpl.colormaps["viridis"](0.88 * fraction)


def panel(
    tables: Tables, study: str, notes: tuple[str, ...], rows: int, subtitle: str = ""
) -> tuple[Figure, Axes]:
    """A figure of column width with one axes, titled by `title`; `notes` stand as small print at its foot.

    Between axes and notes there is room for a legend of `rows` rows (its heading included), see `legend`. A
    footnote says n, the kind of error bar, and what was measured on what.
    """
    foot, between, top = 0.08 + LINE * len(notes), 0.47 + LINE * rows, 0.30 + 0.15 * bool(subtitle)  # inches
    height = foot + between + PLOT_HEIGHT + top
    figure = Figure(figsize=(WIDTH, height))
    box = (LEFT / WIDTH, (foot + between) / height, (WIDTH - LEFT - RIGHT) / WIDTH, PLOT_HEIGHT / height)
    axes = figure.add_axes(box)
    axes.set_title(title(tables, study), pad=6 + 11 * bool(subtitle))
    axes.text(0, 1.035, subtitle, transform=axes.transAxes, fontsize=SMALL)
    figure.text(0.02, 0.06 / height, "\n".join(notes), fontsize=SMALL, va="bottom", linespacing=1.25)
    return figure, axes


def legend(
    figure: Figure, axes: Axes, notes: tuple[str, ...], columns: int, heading: str | None = None
) -> None:
    """The legend in the room that `panel` left above the same `notes`."""
    figure.legend(
        *axes.get_legend_handles_labels(),
        title=heading,
        title_fontsize=SMALL,
        loc="lower center",
        bbox_to_anchor=(0.5, (0.09 + LINE * len(notes)) / figure.get_figheight()),
        ncols=columns,
        handlelength=1.6,
        columnspacing=1.4,
        borderaxespad=0,
        labelspacing=0.35,
    )


def save(figure: Figure, pdf: Path | str, png: Path | str) -> None:
    """Write both files whole or not at all; the same figure always gives the same bytes (no date in them)."""
    with look():
        with atomic(pdf) as path:
            figure.savefig(
                path, format="pdf", metadata=dict.fromkeys(("CreationDate", "Producer", "Creator"))
            )
        with atomic(png) as path:
            figure.savefig(path, format="png", dpi=220, metadata={"Software": None})


# --- words and curves ---


def only(runs: pd.DataFrame, column: str):
    """The one value that all networks of a figure share. Raises InputError where they differ."""
    values = runs[column].unique()
    if len(values) != 1:
        shown = ", ".join(map(str, values))
        raise InputError(f"table 'runs': one panel needs one {column!r}, found {shown}: split the experiment")
    return values[0]


def title(tables: Tables, study: str) -> str:
    """Data set, network and study, e.g. "MNIST · MLP 2×128 · quick study"."""
    runs = require(tables, "runs", "dataset", "model")
    dataset, model = only(runs, "dataset"), only(runs, "model")
    for name, known in ((dataset, DATASETS), (model, MODELS)):
        if name not in known:
            raise InputError(f"no printed name for {name!r}: add it in directions/figures/style.py")
    return f"{DATASETS[dataset]} · {MODELS[model]}{_widths(tables, model)} · {study} study"


def _widths(tables: Tables, model: str) -> str:
    """Hidden widths of an MLP: "128x128" becomes " 2×128", "512x256" becomes " 512×256"."""
    if model != "mlp":
        return ""
    widths = str(only(require(tables, "runs", "hidden"), "hidden")).split("x")
    return f" {len(widths)}×{widths[0]}" if len(set(widths)) == 1 else " " + "–".join(widths)


def count(values: pd.Series, noun: str) -> str:
    """How many there are per group, in words: "10 orderings", or "2 to 3 networks" where groups differ."""
    low, high = int(values.min()), int(values.max())
    number = f"{low}" if low == high else f"{low} to {high}"
    return f"{number} {noun}{'' if high == 1 else 's'}"


def corruption_label(runs: pd.DataFrame, fraction: float) -> str:
    """ "0.4 (36 % changed)": the share of labels that really differ from the true ones, a mean."""
    changed = runs.loc[runs["corrupt"] == fraction, "changed_share"].mean()
    return f"{float(fraction)} ({100 * changed:.0f} % changed)"


def chance_line(axes: Axes, classes: int) -> None:
    """A dotted level at 1/classes, named on the line."""
    axes.axhline(1 / classes, color=colour("chance"), linestyle=":", linewidth=1.0, zorder=1)
    axes.text(
        0.1, 1 / classes - 0.012, "chance", transform=axes.get_yaxis_transform(), va="top",
        fontsize=SMALL, color=colour("chance"),
    )  # fmt: skip


def pooled(values: pd.DataFrame, by: str, column: str) -> pd.DataFrame:
    """Mean and SD of `column` for each value of `by`, over all networks and their repeats: index `by`."""
    grouped = values.groupby(by)[column]
    if (grouped.size() < 2).any():
        return grouped.agg(["mean"]).assign(std=0.0)  # one curve only: the footnote says n = 1
    return grouped.agg(["mean", "std"])


def band(axes: Axes, curve: pd.DataFrame, colour: tuple[float, ...], label: str) -> None:
    """The mean as a line, one SD to each side as a shade; `curve` as `pooled` makes it."""
    low, high = curve["mean"] - curve["std"], curve["mean"] + curve["std"]
    axes.fill_between(curve.index, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.plot(curve.index, curve["mean"], color=colour, label=label)


def symmetric_log(values: np.ndarray) -> float | None:
    """A linear threshold for a symmetric log axis, or None where a linear axis shows the values well.

    Where the largest is ten times as large as nine in ten, a linear axis is a line of dots along zero. The
    nine in ten stay on the linear part: a logarithm around zero would show two clouds that are one.
    """
    sizes = np.abs(values[values != 0])
    if len(sizes) == 0 or sizes.max() < 10 * (bulk := np.quantile(sizes, 0.9)):
        return None
    return float(f"{bulk:.0e}")  # one digit, to be read
