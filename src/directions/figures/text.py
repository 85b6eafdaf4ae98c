"""Text in figures: titles, labels, counts, correlations, and the footnotes that every figure needs."""

from fractions import Fraction

import pandas as pd

from directions.core.display_names import DATASETS
from directions.core.errors import InputError
from directions.core.tables import Tables, require
from directions.study.architectures import ARCHITECTURES

MOST = 3  # networks named in a footnote


def only(rows: pd.DataFrame, column: str, table: str = "runs"):
    """Return the value that all networks of a figure share. Raises InputError if they differ."""
    values = rows[column].unique()
    if len(values) != 1:
        shown = ", ".join(map(str, values))
        raise InputError(
            f"table {table!r}: one panel needs one {column!r}, found {shown}: split the experiment"
        )
    return values[0]


def title(tables: Tables, study: str) -> str:
    """Format data set, network and study, e.g. "MNIST · MLP 2×128 · quick study"; own data by its name."""
    runs = require(tables, "runs", "dataset", "model")
    dataset, model = only(runs, "dataset"), only(runs, "model")
    title = ARCHITECTURES[model].title if model in ARCHITECTURES else model
    return f"{DATASETS.get(dataset, dataset)} · {title}{size(tables)} · {study} study"


def size(tables: Tables) -> str:
    """Format a network's size: " 2×128", " 512×256"; " × 1/8", and "without batch norm" if none has it.

    Empty for a model that has neither hidden layers of a chosen size nor a width.
    """
    runs = require(tables, "runs")
    if reads(runs, "hidden"):
        widths = str(only(runs, "hidden")).split("x")
        return f" {len(widths)}×{widths[0]}" if len(set(widths)) == 1 else " " + "×".join(widths)
    if not reads(runs, "width"):
        return ""
    width = float(only(runs, "width"))
    nearest = Fraction(width).limit_denominator(64)
    factor = str(nearest) if abs(nearest - width) < 1e-9 else f"{width:g}"
    said = "" if width == 1 else f" × {factor}"
    if reads(runs, "batch_norm") and not truths(runs["batch_norm"]).any():
        said += " without batch norm"
    return said


def measured(tables: Tables) -> tuple[str, ...]:
    """Write how curves were measured, unless on all images (D12), by the statistics of training (D32)."""
    table = next((tables[name] for name in ("ablation", "areas") if name in tables), pd.DataFrame())
    notes = (
        ("scored_images", "image", "scored on {} drawn at random."),
        ("norm_images", "ablated image", "batch norm by the mean and variance of {}, not of training."),
    )
    return tuple(
        f"Ablation curves: {note.format(_counts(table, column, noun))}"
        for column, noun, note in notes
        if column in table and table[column].notna().any()
    )


def _counts(table: pd.DataFrame, column: str, noun: str) -> str:
    """List the numbers in a column, with the networks they belong to unless all have the same one."""
    of = table.dropna(subset=[column]).groupby(column)["run"].unique()
    several = len(of) > 1 or table[column].isna().any()
    return ", ".join(
        f"{int(count):,} {noun}{'' if count == 1 else 's'}" + (f" ({_listed(list(runs))})" if several else "")
        for count, runs in of.items()
    )


def _listed(names: list[str]) -> str:
    return ", ".join(map(str, names)) if len(names) <= MOST else f"{len(names)} networks"


def reads(runs: pd.DataFrame, setting: str) -> bool:
    """Return whether these networks have a value for a training setting that not every model reads."""
    return setting in runs and bool(runs[setting].notna().any())


def truths(values: pd.Series) -> pd.Series:
    """Parse a column of booleans or text as True and False. Raises InputError for anything else."""
    known = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
    words = values.astype(str).str.lower()
    strange = sorted(set(words) - set(known))
    if strange:
        raise InputError(f"column {values.name!r} holds {strange[0]!r}, which is neither True nor False")
    return words.map(known).astype(bool)


def unit_noun(runs: pd.DataFrame) -> str:
    """Name the units: "units" for networks with hidden layers of set sizes, otherwise "feature maps"."""
    return "units" if reads(runs, "hidden") else "feature maps"


def count(values: pd.Series, noun: str) -> str:
    """Format a number per group: "10 orderings", or "2 to 3 networks" if groups differ."""
    low, high = int(values.min()), int(values.max())
    number = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"{number} {noun}{'' if high == 1 else 's'}"


def networks(runs: pd.DataFrame) -> str:
    """Format the total number of networks, "4 networks"."""
    return count(pd.Series([runs["run"].nunique()]), "network")


def mean_of(runs: pd.DataFrame) -> str:
    """Format "mean of 4 networks", or "1 network"."""
    said = networks(runs)
    return said if said.startswith("1 ") else f"mean of {said}"


def changed(runs: pd.DataFrame, fraction: float) -> str:
    """Format the share of labels that differ from the true ones, averaged over networks: "36 %"."""
    return f"{100 * runs.loc[runs['corrupt'] == fraction, 'changed_share'].mean():.0f} %"


def number(value: float, digits: int = 2) -> str:
    """Format a number with a true minus sign, and no minus before zero."""
    shown = f"{value:.{digits}f}"
    return shown.removeprefix("-") if float(shown) == 0 else shown.replace("-", "−")


def interval(value: float, low: float | None, high: float | None) -> str:
    """Format "0.10 [−0.02, 0.21]", or only the value if there is no interval."""
    return number(value) + ("" if low is None or high is None else f" [{number(low)}, {number(high)}]")


def mean_sd(values: pd.Series, digits: int = 3) -> str:
    """Format "0.735 ± 0.034", or only the value if there is just one."""
    spread = f" ± {values.std():.{digits}f}" if len(values) > 1 else ""
    return number(values.mean(), digits) + spread


def plain(value: float) -> str:
    """Format a setting without needless digits: 0.001, 0.00001, 32."""
    return f"{value:.10f}".rstrip("0").rstrip(".") if value < 1 else f"{value:g}"


def trained_on(runs: pd.DataFrame) -> str:
    """Write the footnote for every figure of training accuracy."""
    images = int(only(runs, "train_images"))
    return f"Accuracy on the {images:,} training images, with the labels trained on."
