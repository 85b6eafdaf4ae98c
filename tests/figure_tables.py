"""Small tables for every figure, and what a drawn figure says: shared by the tests of figures."""

import importlib
from functools import cache

import numpy as np
import pandas as pd
import synthetic
import synthetic_bounds
import synthetic_controls
import synthetic_conv
import synthetic_examples
import synthetic_memorization
import synthetic_shared
from checkouts import ROOT

from directions.study import paper_curves
from directions.study.catalogue import FIGURES, PAPER_CURVES

RATES = (0.0001, 0.001, 0.01)
MAKERS = {
    "fig1a fig2a": lambda **kw: synthetic.corruption_tables(networks=2, orderings=4, hidden="128x128", **kw),
    "fig7a figA4a": synthetic.unit_tables,
    "fig1b fig2b": synthetic_conv.corruption,
    "fig1c": lambda **kw: synthetic_conv.corruption("resnet50", width=0.0625, **kw),
    "figA1": lambda **kw: synthetic_conv.corruption(clamps=("zero", "mean"), **kw),
    "fig3a fig3b fig4c": lambda **kw: synthetic_conv.sweep(**{"rates": RATES, "untrained": 2} | kw),
    "fig4a": synthetic_conv.training,
    "fig4b": lambda **kw: synthetic_conv.training("conv11", **kw),
    "fig5a": synthetic_conv.dropout,
    "fig5b fig6a fig6b": synthetic_conv.normalization,
    "fig7b fig7c figA2a figA3a figA4b figA4c": synthetic_conv.selectivity,
    "fig7d fig7e figA2b figA3b figA4d figA4e": lambda **kw: synthetic_conv.selectivity(
        "resnet50", **{"width": 0.0625, "seeds": 1} | kw
    ),
    "pairs_area orders redundancy memories layers_area": synthetic_shared.tables,
    "redundancy_dropout": synthetic_shared.dropout,
    "limit": synthetic_memorization.tables,
    "limit_dropout": lambda **kw: synthetic_memorization.tables(
        ways=synthetic_memorization.WAYS_DROPOUT, **kw
    ),
    "limit_conv": lambda **kw: synthetic_memorization.tables(
        **{"model": "conv11", "width": 0.125, "batch_norm": True} | kw
    ),
    "controls": synthetic_controls.tables,
    "cmi": synthetic_bounds.tables,
    "complexity examples": synthetic_examples.tables,
}
MAKER = {figure: maker for figures, maker in MAKERS.items() for figure in figures.split()}


def tables_for(figure: str, **settings) -> dict[str, pd.DataFrame]:
    made = MAKER[figure](**settings)
    return {name: made[name] for name in FIGURES[figure]}


def paper_of(figure: str) -> pd.DataFrame:
    """The paper's own curves of a panel, from the file in this repository."""
    return paper_curves.read(ROOT / PAPER_CURVES.format(figure=figure))


def draw(figure: str, tables=None, **settings):
    module = importlib.import_module(f"directions.figures.{figure}")
    return module.draw(tables_for(figure, **settings) if tables is None else tables, "quick")


@cache
def drawn(figure: str, behind: bool = False):
    """The figure of `tables_for(figure)`, drawn once for all tests that only look at it.

    behind: with the paper's own curves.
    """
    return draw(figure, tables_for(figure) | ({"paper": paper_of(figure)} if behind else {}))


def words(figure) -> str:
    """All text in the figure outside its axes' ticks."""
    texts = [text.get_text().replace("\n", " ") for text in figure.texts]  # footnotes, however broken
    texts += [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    texts += [legend.get_title().get_text() for legend in figure.legends]
    for axes in figure.axes:
        texts += [text.get_text() for text in axes.texts]
        texts += [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
    return "\n".join(texts)


def curves(figure, place: int = 0) -> dict[str, np.ndarray]:
    """{label: (points, 2)} of the labelled lines of axes `place`, in the order drawn."""
    lines = figure.axes[place].get_lines()
    return {line.get_label(): line.get_xydata() for line in lines if not line.get_label().startswith("_")}
