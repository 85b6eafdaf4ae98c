"""A comparison of a user's own networks, side by side."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from directions.analyses import sanity
from directions.core.errors import InputError
from directions.core.tables import Tables
from directions.figures import own, style, text

DISTINCT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe & Ito's
Colours = dict[str, style.Colour]


def comparison(every: dict[str, Tables]) -> Figure:
    """Draw several networks, {name: its tables}: ablation by fraction of units, noise, selectivity.

    Raises InputError as `summary`, and if the networks share no analysis that this figure shows.
    """
    tables = pooled(every)
    colours: Colours = {
        name: DISTINCT[place] if len(every) <= len(DISTINCT) else style.in_sequence(place, len(every))
        for place, name in enumerate(every)
    }
    panels: dict[str, Callable[[Axes, Tables, Colours], None]] = {
        "ablation": _shares,
        "noise": own.draw_noise,
        "units": _spread,
    }
    shown = {table: draw for table, draw in panels.items() if table in tables}
    if not shown:
        raise InputError(
            "nothing to compare: list ablate_cumulative, add_noise or measure_units in `analyses`"
        )
    notes = [*_compared(tables), *text.measured(tables)]
    rows = 1 + -(-len(every) // 2)
    layout = style.Layout(tuple(notes), rows, ("",) * len(shown), width=max(2, len(shown)) * own.PANEL)
    with style.look():
        figure, axes = style.titled(f"{len(every)} networks", layout)
        for panel, draw in zip(axes, shown.values(), strict=True):
            draw(panel, tables, colours)
        handles = [axes[0].plot([], [], color=colours[name], label=_named(tables, name))[0] for name in every]
        style.legend(figure, axes[0], layout, 2, "network", handles)
    return figure


def _compared(tables: Tables) -> Iterator[str]:
    """Explain the legend, and list differences between the networks."""
    if "ablation" in tables:
        clamps = tables["ablation"].groupby("run")["clamp"].nunique().max()
        first = ", of the first clamp" if clamps > 1 else ""
        spread = "± standard error over orderings (divided by unablated accuracy)"
        yield f"Legend: area under the ablation curve{first} {spread}."
    if "units" in tables:
        splits = tables["units"].groupby("split", sort=False)["run"].unique()
        told = (f"{split} set ({', '.join(names)})" for split, names in splits.items())
        yield f"Selectivity: {'; '.join(told) if len(splits) > 1 else f'{splits.index[0]} set'}."
        if without := _without_index(tables["units"]):
            yield f"Without a class selectivity index, as activity is negative: {', '.join(without)}."
    yield from doubts(tables)
    runs = [run for _, run in tables["runs"].iterrows()]
    if doubtful := [run["run"] for run in runs if any(sanity.of_scores(run))]:
        yield f"Accuracy is about chance, see the figure of each: {', '.join(doubtful)}."


def doubts(tables: Tables) -> Iterator[str]:
    """Yield a sentence if networks differ in their layers or units, and if in how curves were measured."""
    curves = tables.get("ablation", pd.DataFrame({"run": [], "units": []}))
    yield from sanity.of_comparison(tables["runs"], curves.groupby("run")["units"].first().to_dict())
    if "norm_images" in curves:
        together = curves.fillna({"norm_images": 0}).groupby("run", sort=False)["norm_images"].first()
        if len(set(together)) > 1:
            told = ", ".join(f"{run} {f'has {of:,.0f}' if of else 'none'}" for run, of in together.items())
            yield f"Curves with batch norm compare only at the same `norm_images`: {told}."


def pooled(every: dict[str, Tables]) -> Tables:
    """Concatenate each table that this figure shows over all networks, {name: its tables}.

    `run` becomes the name, as a network called "1" is a number once read from a file.
    """
    return {
        table: pd.concat(
            [tables[table].assign(run=name) for name, tables in every.items() if table in tables]
        )
        for table in ("runs", "ablation", "areas", "noise", "units")
        if any(table in tables for tables in every.values())
    }


def _without_index(units: pd.DataFrame) -> list[str]:
    return [name for name, table in units.groupby("run", sort=False) if table["selectivity"].isna().all()]


def _named(tables: Tables, name: str) -> str:
    """Label a network with its name and area."""
    areas = tables.get("areas", pd.DataFrame({"run": []}))
    mine = areas[areas["run"] == name]
    return f"{name}: {own.area(mine[mine['clamp'] == mine['clamp'].iloc[0]])}" if len(mine) else name


def _shares(axes: Axes, tables: Tables, colours: Colours) -> None:
    """Draw accuracy against the fraction of units ablated, as networks differ in size; first clamp only."""
    for name, table in tables["ablation"].groupby("run", sort=False):
        mine = table[table["clamp"] == table["clamp"].iloc[0]]
        curve = style.pooled(mine.assign(share=mine["ablated"] / mine["units"]), "share", "accuracy")
        style.band(axes, curve, colours[name], name)
    own.draw_chance(axes, tables["runs"], tables["ablation"])
    clamps = tables["ablation"].groupby("run", sort=False)["clamp"].first().unique()
    axes.set(
        xlim=(0, 1), ylim=(0, 1.02), ylabel=own.accuracy_label(tables["ablation"]),
        xlabel=f"share of units ablated (to {' or '.join(clamps)})",
    )  # fmt: skip


def _spread(axes: Axes, tables: Tables, colours: Colours) -> None:
    """Draw the fraction of units whose index is at most x; networks without an index are left out."""
    largest = tables["units"]["selectivity"].max()
    for name, table in tables["units"].groupby("run", sort=False):
        values = np.sort(table["selectivity"].dropna())
        axes.plot(values, np.arange(1, len(values) + 1) / max(1, len(values)), color=colours[name])
    axes.set(
        xlim=(0, 1.04 * largest if largest > 0 else 1), ylim=(0, 1.02), xlabel="class selectivity index",
        ylabel="share of units at or below",
    )  # fmt: skip
