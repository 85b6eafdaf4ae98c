"""The captions of figures: what they say of the paper's own curves, and of areas and correlations."""

import pytest
from checkouts import ROOT

from directions.study.catalogue import FIGURES
from directions.study.paper_curves import COLUMNS as PAPER_PANELS


def words(figure: str) -> str:
    """The caption of a figure, on one line."""
    return " ".join((ROOT / f"report/{figure}.rst").read_text("utf-8").split())


@pytest.mark.parametrize("figure", FIGURES)
def test_captions_say_where_the_paper_s_own_curves_are_drawn(figure):
    assert ("read from its printed figure" in words(figure)) == (figure in PAPER_PANELS)


def test_captions_of_areas_and_of_correlations_per_layer_follow_the_paper_s_figures():
    for figure in ("fig3b", "fig4b", "fig4c"):
        assert "divided by the largest" in words(figure)
    assert "those of the MLP in its Figure 4a" in words("fig4b")
    assert "least-squares line" not in words("fig7c")
    assert "from memory" in words("fig4c")
