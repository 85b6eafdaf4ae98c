"""What a figure shows, in words: every axis, every curve's name, the line above each panel."""

import re

import pytest
from figure_tables import drawn
from matplotlib.figure import Figure

from directions.figures.described import words
from directions.study.catalogue import FIGURES


@pytest.mark.parametrize("figure", FIGURES)
def test_every_axis_and_every_entry_of_a_legend_is_named(figure):
    shown = drawn(figure)
    said = words(shown)
    labels = [label for axes in shown.axes for label in (axes.get_xlabel(), axes.get_ylabel()) if label]
    labels += [text.get_text() for legend in shown.legends for text in legend.get_texts()]
    labels += [shown.axes[0].get_title(loc="left")]
    for label in labels:
        plain = re.sub(r"\$|\\[a-z]+|[{}]", "", label.replace("\n", " ")).rstrip(".")
        assert plain.casefold() in said.casefold(), label
    assert "$" not in said
    assert "\n" not in said


def test_panels_are_numbered_and_a_scale_at_the_right_and_one_of_colours_are_told():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    left.set(xlabel="epoch", ylabel="loss")
    left.set_title("MNIST", loc="left")
    left.text(0, 1, "all epochs")
    left.twinx().set_ylabel("area")
    right.set(ylabel="subsets")
    right.set_xticks([0, 1], ["top 1", "top $5$"])
    colours = figure.colorbar(right.scatter([0], [0], c=[1]), cax=figure.add_axes((0.9, 0, 0.02, 1)))
    colours.set_label("layer")
    right.plot([0], [0], label="mean")
    figure.legend(title="lines")
    assert words(figure) == (
        "MNIST. Panel 1 of 2 (all epochs): loss and, at the right, area against epoch."
        " Panel 2 of 2: subsets against top 1, top 5. Colours: layer. Lines: mean."
    )


def test_a_single_panel_is_not_numbered_and_its_line_follows():
    figure = Figure()
    axes = figure.subplots()
    axes.set(xlabel="units", ylabel="accuracy")
    axes.text(0, 1, "Spearman −0.1")
    assert words(figure) == "Accuracy against units. Spearman −0.1."
