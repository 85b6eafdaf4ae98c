"""Figure controls: one panel per fraction, one line per data set, hollow marks for labels not learned."""

import numpy as np
import pandas as pd
import pytest
import synthetic_controls
from figure_tables import draw, words

from directions.core.errors import InputError


def tables(**settings):
    return synthetic_controls.tables(**{"networks": 2} | settings)


def marks(axes):
    """{(marker, colour, whether filled): (n, 2)} of marks without a line."""
    found = {}
    for line in axes.get_lines():
        if line.get_linestyle() == "None":
            filled = line.get_markerfacecolor() != "white"
            found[line.get_marker(), tuple(line.get_color()), filled] = line.get_xydata()
    return found


def test_each_network_is_a_mark_and_each_line_joins_means():
    found = tables()
    figure = draw("controls", found)
    assert [axes.texts[0].get_text() for axes in figure.axes] == [
        "true labels",
        "50 % of the training labels shuffled",
    ]
    runs = found["runs"]
    kept = found["areas"].groupby("run")["auc_chance_corrected"].mean()
    for axes, (_, networks) in zip(figure.axes, runs.groupby("corrupt"), strict=True):
        drawn = np.concatenate(list(marks(axes).values()))
        gaps = networks["train_accuracy"] - networks["test_accuracy"]
        # `kept` divides by the unablated accuracy, which these tables make 1
        wanted = np.column_stack([gaps, networks["run"].map(kept)])
        np.testing.assert_allclose(sorted(map(tuple, drawn)), sorted(map(tuple, wanted)), atol=1e-9)
        lines = [line for line in axes.get_lines() if line.get_linestyle() == "-"]
        assert len(lines) == 4
        assert all(len(line.get_xydata()) == 3 for line in lines)
        assert len({marker for marker, *_ in marks(axes)}) == 3  # numbers of images
    said = words(figure)
    assert "All learned 99 % of their training labels or more." in said
    for label in (
        "pointer value retrieval",
        "MNIST",
        "1,000 images",
        "16,000 images",
        "2 networks of a kind",
    ):
        assert label in said


def test_networks_that_did_not_learn_their_labels_are_hollow_and_counted():
    figure = draw("controls", tables(forgetful=("pvr",)))
    assert "6, hollow, learned less than 99 % of their training labels." in words(figure)
    filled = [[filled for *_, filled in marks(axes)] for axes in figure.axes]
    assert all(filled[0])
    assert filled[1].count(False) == 3  # numbers of images


def test_networks_that_guess_are_left_out_and_counted():
    found = tables()
    first = found["areas"]["run"].iloc[0]
    guessing = found["areas"]["run"] == first
    areas = found["areas"].mask(guessing, found["areas"].assign(auc=0.1, auc_relative=1.0))
    assert "47 networks" in words(draw("controls", found | {"areas": areas}))
    assert "1 more hardly do better than guessing." in words(draw("controls", found | {"areas": areas}))
    with pytest.raises(InputError, match="figure controls: these networks hardly do better than guessing"):
        draw("controls", found | {"areas": found["areas"].assign(auc=0.1, auc_relative=1.0)})


def test_two_models_are_refused():
    found = tables()
    models = pd.Series(["mlp", "conv11"] * (len(found["runs"]) // 2))
    with pytest.raises(InputError, match="one panel needs one 'model'"):
        draw("controls", found | {"runs": found["runs"].assign(model=models)})
