"""Redundancy and synergy of pairs of units about the class, against the fraction of labels corrupted."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.core.tables import Tables, require
from directions.figures import shared_units, style, text

PARTS = {"redundancy": "o-", "unique": "^:", "synergy": "s--"}
COLOURS = {"redundancy": "true labels", "unique": "null floor", "synergy": "corrupted labels"}
SPECIFIC = ("redundancy", "synergy")


def draw(tables: Tables, study: str) -> Figure:
    """Draw parts less their null by fraction; right: with the redundancy of Williams and Beer (2010).

    Reads tables runs, pairs. Raises InputError naming a table or column that is missing or empty.
    """
    columns = [f"{part}_bits" for part in PARTS] + [f"{part}_null_bits" for part in PARTS]
    columns += [f"{part}_specific{null}_bits" for part in SPECIFIC for null in ("", "_null")]
    networks = shared_units.of_networks(tables, "pairs", *columns)
    above = ("minimum mutual information", "smaller information taken class by class")
    layout = style.Layout(notes(tables, networks), 2, above, style.WIDE)
    with style.look():
        figure, (left, right) = style.panels(tables, study, layout)
        for part, look in PARTS.items():
            kwargs = {"fmt": look, "color": style.colour(COLOURS[part]), "label": part}
            less_null(left, networks, part, "corrupt", **kwargs)
            if part in SPECIFIC:
                less_null(right, networks, f"{part}_specific", "corrupt", **kwargs)
        for axes in (left, right):
            axes.set(xlabel="fraction of labels corrupted", ylabel="information about the class (bits)")
            axes.set_ylim(0, None)
        style.legend(
            figure, left, layout, 3, "what two units of a layer tell about the class, mean over pairs"
        )
    return figure


def less_null(axes: Axes, networks: pd.DataFrame, part: str, by: str, **look) -> None:
    """Draw a part less the same with permuted labels, against a setting."""
    less = networks.assign(value=networks[f"{part}_bits"] - networks[f"{part}_null_bits"])
    shared_units.error_bars(axes, less, by, "value", **look)


def notes(tables: Tables, networks: pd.DataFrame) -> tuple[str, ...]:
    """Write the footnotes: n, error bars, images, how information is split."""
    pairs = require(tables, "pairs", "images", "split")
    images, split = int(text.only(pairs, "images", "pairs")), text.only(pairs, "split", "pairs")
    return (
        f"{text.networks(networks)}; bars: ± SD over networks. About the true class of {images:,} {split}"
        " images."
        if split == "test"
        else f"{text.networks(networks)}; bars: ± SD over networks. {images:,} {split} images.",
        "Redundancy: the smaller information of the two units; unique: the larger less the smaller; synergy:"
        " what both tell together less the larger. Each less the same with permuted labels.",
    )
