"""Figure cmi draws what its tables say."""

import numpy as np
import pytest
from figure_tables import draw, drawn, tables_for, words

COLOURS = {"bound": "#0072B2", "gap": "#D55E00", "null_bound": "#6e6e6e", "kept": "#009E73"}


def lines(figure, place: int, colour: str) -> list[np.ndarray]:
    """Of one quantity: the mean of the most pairs, its networks, and the same for fewer."""
    found = [line for line in figure.axes[place].lines if line.get_color() == colour]
    return [line.get_xydata() for line in found if len(line.get_xydata()) > 2]


@pytest.mark.parametrize("column", COLOURS)
def test_a_dot_is_a_network_and_a_line_their_mean(column):
    tables, place = tables_for("cmi"), int(column == "kept")
    both = tables["cmi"].merge(tables["runs"][["run", "corrupt"]], on="run")
    for number, pairs in enumerate((250, 75)):
        mean, dots = lines(drawn("cmi"), place, COLOURS[column])[2 * number : 2 * number + 2]
        of_size = both[both["pairs"] == pairs]
        each = of_size.groupby(["corrupt", "run"])[column].mean().reset_index()
        assert len(dots) == 9
        np.testing.assert_allclose(dots, each[["corrupt", column]])
        np.testing.assert_allclose(mean, each.groupby("corrupt")[column].mean().reset_index())


def test_it_says_what_was_repeated():
    said = words(drawn("cmi"))
    assert "9 networks, one dot each: mean over 3 supersamples" in said
    assert "30 copies" in said
    assert "At fraction 1, 50 % of the labels are wrong" in said


def test_one_size_has_one_line_and_networks_that_keep_nothing_none():
    tables = tables_for("cmi")
    tables["cmi"] = tables["cmi"][tables["cmi"]["pairs"] == 75].assign(kept=np.nan)
    figure = draw("cmi", tables)
    assert len(lines(figure, 0, COLOURS["gap"])) == 2
    assert [label.get_text() for label in figure.legends[0].texts][1] == "n = 75"
