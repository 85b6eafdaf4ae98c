"""Class selectivity against the L1 norm of a unit's incoming weights (Figures A3a, A3b)."""

import pandas as pd
from matplotlib.figure import Figure

from directions.core.tables import Tables, require
from directions.figures import dots, layers, scales, spread, style, text


def scatter(tables: Tables, study: str, figure: str) -> Figure:
    """Draw one dot per live unit, coloured by layer (left), and Spearman within each layer (right)."""
    run, seed = dots.shown_network(tables)
    units = spread.units_of(tables, "l1")
    names, live = layers.places(units), units[~units["dead"]]
    shown = live[live["run"] == run]
    found = layers.within(live, "l1", "selectivity", figure, names)
    each = [some["l1"].corr(some["selectivity"], "spearman") for _, some in live.groupby("run")]
    pooled = text.mean_sd(pd.Series(each), 2)
    above = (f"pooled Spearman {text.number(_pooled(shown))}", "within layers: units of like fan-in")
    notes = _small_print(tables, seed, units[units["run"] == run], pooled, layers.summary(found, names))
    layout = style.Layout(notes, 0, above, style.WIDE, bar=True)
    with style.look():
        drawn, (left, right) = style.panels(tables, study, layout)
        dots.draw_dots(left, shown, "l1", "selectivity", strip=False)
        if shown["l1"].max() > 10 * shown["l1"].min() > 0:
            left.set_xlim(0.8 * shown["l1"].min(), 1.2 * shown["l1"].max())
            scales.plain_log(left)
        left.set(ylim=(0, 1.02), xlabel="L1 norm of incoming weights", ylabel="class selectivity index")
        layers.draw_within(right, found, names)
        style.colour_bar(drawn, right, layers.norm(len(names)), "layer", layers.ticks(len(names)))
    return drawn


def _pooled(units: pd.DataFrame) -> float:
    """Compute Spearman over live units of one network, all layers pooled."""
    return float(units["l1"].corr(units["selectivity"], "spearman"))


def _small_print(tables: Tables, seed: int, units: pd.DataFrame, pooled: str, each: str) -> tuple[str, ...]:
    runs = require(tables, "runs", "run", "test_images", "model")
    dead = int(units["dead"].sum())
    return (
        f"Left: {len(units) - dead:,} live {text.unit_noun(runs)} of the network with seed {seed}; {dead:,}"
        f" dead not shown. Selectivity on {text.only(runs, 'test_images'):,} test images.",
        f"Pooled Spearman over {text.networks(runs)}: {pooled} (mean ± SD). A layer's fan-in scales its L1.",
        f"Right: {text.mean_of(runs)}, 95 % bootstrap; {each}.",
    )
