"""What holds for every figure: it says what it draws, nothing is cut off, same tables, same bytes."""

import matplotlib as mpl
import numpy as np
import pytest
import synthetic_memorization
from figure_tables import MAKER, draw, drawn, paper_of, tables_for, words
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from directions.core.errors import InputError
from directions.figures import layers, scales, style
from directions.figures import text as say
from directions.study.catalogue import FIGURES, IN_PAPER

TITLES = {"fig1a": "MLP 2×128", "fig2a": "MLP 2×128", "fig7a": "MLP 2×128", "figA4a": "MLP 2×128"}
TITLES |= dict.fromkeys(
    ["pairs_area", "orders", "redundancy", "redundancy_dropout", "memories", "layers_area"], "MLP 2×128"
)
TITLES |= {
    "fig4a": "MLP 2×2048",
    "fig5a": "MLP 2×2048",
    "limit": "MLP 2×512",
    "limit_dropout": "MLP 2×512",
    "controls": "MLP 2×512",
}
TITLES |= {"cmi": "MLP 2×128"}
DATA = {"cmi": "MNIST, 4 and 9", "controls": "4 data sets"}
TITLES |= {"complexity": "MLP 2×512", "examples": "MLP 2×512"}
TITLES |= dict.fromkeys(
    ["fig1c", "fig7d", "fig7e", "figA2b", "figA3b", "figA4d", "figA4e"], "ResNet-50 × 1/16"
)
COLUMNS = {  # one that every figure which reads the table needs
    "runs": "dataset", "ablation": "ordering", "areas": "auc", "noise": "repeat", "single": "importance",
    "units": "dead", "history": "test_loss", "checkpoints": "auc", "selection": "gap",
    "pairs": "run", "ordered": "order", "parts": "layer", "flips": "labels",
    "memorization": "reproduced", "kernel": "complexity", "examples": "early_loss", "informative": "part",
    "cmi": "kept",
}  # fmt: skip


def test_every_figure_of_the_registry_is_drawn_here():
    assert set(MAKER) == set(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_says_data_set_network_study_and_n(name):
    figure = drawn(name)
    title = f"{DATA.get(name, 'MNIST')} · {TITLES.get(name, 'conv11 × 1/8')} · quick study"
    assert figure.axes[0].get_title(loc="left") == title
    said = words(figure)
    assert " network" in said
    assert " images" in said
    assert any(bars in said for bars in ("± SD", "no error bars", "95 % bootstrap", "whiskers"))


@pytest.mark.parametrize(
    ("name", "behind", "readme"),
    [(name, False, False) for name in FIGURES]
    + [(name, True, False) for name in IN_PAPER]
    + [(name, True, True) for name in ("fig1a", "fig2a", "fig5b", "fig7a")],
)
def test_no_text_is_cut_off_or_too_small_or_over_other_text(name, behind, readme):
    if readme:
        with style.for_readme():
            figure = draw(name, tables_for(name) | {"paper": paper_of(name)})
    else:
        figure = drawn(name, behind)
    check_whole(figure)


def check_whole(figure: Figure) -> None:
    """No text is cut off, too small, or over other text."""
    figure.set_dpi(220)  # letters are wider as it is saved than on a screen
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    box = figure.get_tightbbox(renderer)  # inches
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= figure.get_figwidth()
    assert box.y1 <= figure.get_figheight()
    texts = [t for t in figure.findobj(mpl.text.Text) if t.get_text().strip() and t.get_visible()]
    assert min(text.get_fontsize() for text in texts) >= 7
    apart = [axes.title for axes in figure.axes] + [axes.xaxis.label for axes in figure.axes]
    apart += [axes._left_title for axes in figure.axes] + [t for axes in figure.axes for t in axes.texts]
    boxes = [t.get_window_extent(renderer) for t in [*apart, *figure.texts] if t.get_text().strip()]
    boxes += [legend.get_window_extent(renderer) for legend in figure.legends]
    for place, one in enumerate(boxes):
        assert not any(one.padded(-2).overlaps(other.padded(-2)) for other in boxes[:place])


@pytest.mark.parametrize(
    ("name", "readme"),
    [(name, False) for name in FIGURES if "areas" in FIGURES[name]] + [("fig1a", True), ("fig5b", True)],
)
def test_there_is_room_for_relative_areas_too(name, readme):
    """They stand in the legend where networks do not fit all their labels, as in those of Figure 1a."""
    tables = tables_for(name)
    relative = tables["areas"]["auc_relative"] + 0.004
    tables |= {"areas": tables["areas"].assign(auc_relative=relative)}
    tables |= {"paper": paper_of(name)} if name in IN_PAPER else {}
    if readme:
        with style.for_readme():
            check_whole(draw(name, tables))
    else:
        check_whole(draw(name, tables))


@pytest.mark.parametrize("name", FIGURES)
def test_the_same_tables_give_the_same_bytes_whatever_a_user_s_own_settings(name, tmp_path):
    tables = tables_for(name)
    style.save(draw(name, tables), tmp_path / "a.pdf", tmp_path / "a.png")
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "savefig.bbox": "tight"}):
        before = dict(mpl.rcParams)
        style.save(draw(name, tables), tmp_path / "b.pdf", tmp_path / "b.png")
        assert dict(mpl.rcParams) == before
    for kind in ("pdf", "png"):
        first = (tmp_path / f"a.{kind}").read_bytes()
        assert first == (tmp_path / f"b.{kind}").read_bytes()
        assert len(first) > 5000
        assert b"CreationDate" not in first
        assert b"Software" not in first


@pytest.mark.parametrize(("name", "table"), [(name, table) for name in FIGURES for table in FIGURES[name]])
def test_a_missing_column_or_row_is_named(name, table):
    tables = tables_for(name)
    with pytest.raises(InputError, match=f"'{table}'.*'{COLUMNS[table]}'"):
        draw(name, tables | {table: tables[table].drop(columns=COLUMNS[table])})
    with pytest.raises(InputError, match=f"'{table}' has no rows"):
        draw(name, tables | {table: tables[table].iloc[:0]})


def test_a_hole_in_a_table_is_named_and_not_averaged_away():
    tables = tables_for("fig1a")
    tables["ablation"].loc[5, "accuracy"] = np.nan
    with pytest.raises(InputError, match="'ablation'.*'accuracy' is empty in 1 of"):
        draw("fig1a", tables)


def test_a_missing_colour_is_an_error():
    with pytest.raises(InputError, match="no colour for 'layer 9'"):
        style.colour("layer 9")
    with pytest.raises(InputError, match="corrupted fraction 1.5"):
        style.corruption_colour(1.5)


def test_data_and_models_of_the_user_s_own_go_by_their_names():
    title = draw("fig1a", dataset="strokes", model="deep").axes[0].get_title(loc="left")
    assert title == "strokes · deep 2×128 · quick study"


def test_networks_of_two_sizes_do_not_share_a_panel():
    tables = tables_for("fig1a")
    tables["runs"].loc[0, "hidden"] = "64x64"
    with pytest.raises(InputError, match="one 'hidden'.*64x64"):
        draw("fig1a", tables)


@pytest.mark.parametrize(
    ("width", "said"), [(1.0, "conv11 ·"), (0.25, "conv11 × 1/4 ·"), (0.375, "× 3/8 ·"), (0.123, "× 0.123 ·")]
)
def test_the_title_gives_the_width(width, said):
    tables = tables_for("fig7b")
    tables["runs"]["width"] = width
    assert said in say.title(tables, "quick")


def test_the_title_says_when_no_network_has_batch_norm():
    tables = tables_for("fig7b")
    tables["runs"]["batch_norm"] = ["False", "False"]  # as a table read from disk may hold it
    assert "conv11 × 1/8 without batch norm" in say.title(tables, "quick")
    tables["runs"]["batch_norm"] = "maybe"
    with pytest.raises(InputError, match="'batch_norm' holds 'maybe'"):
        say.title(tables, "quick")


def test_numbers_have_a_true_minus_and_no_minus_before_zero():
    assert say.number(-0.126) == "−0.13"
    assert say.number(-0.001) == "0.00"
    assert say.interval(-0.5, -0.6, 0.1) == "−0.50 [−0.60, 0.10]"
    assert say.interval(0.5, None, None) == "0.50"
    assert [say.plain(value) for value in (0.00001, 0.001, 32.0)] == ["0.00001", "0.001", "32"]


def test_a_long_footnote_is_broken_between_words():
    note = " ".join(["feature"] * 40)
    layout = style.Layout((note, "short"))
    assert len(layout.lines) > 3
    assert " ".join(layout.lines[:-1]) == note
    assert layout.lines[-1] == "short"
    assert len(style.Layout((note, "short"), width=style.WIDE).lines) < len(layout.lines)


def test_the_axis_is_logarithmic_only_where_a_few_units_dwarf_the_rest():
    assert scales.symmetric_log(np.linspace(-1, 1, 50)) is None
    assert scales.symmetric_log(np.zeros(5)) is None
    assert scales.symmetric_log(np.array([3.3e-5] * 19 + [0.1])) == pytest.approx(4e-5)
    assert scales.symmetric_log(np.array([3.3e-5] * 19 + [3e-4])) is None
    assert scales.symmetric_log(np.array([3.3e-5] * 20), beside=[-0.1]) == pytest.approx(4e-5)


@pytest.mark.parametrize("ends", [(1.2, 60), (0.5, 3), (8, 12), (0.01, 100)])
def test_a_logarithmic_axis_has_three_labels_at_least(ends):
    axes = Figure().add_subplot()
    axes.set_xlim(*ends)
    scales.plain_log(axes)
    axes.figure.draw_without_rendering()
    labels = [tick.label1.get_text() for tick in axes.xaxis.get_major_ticks()]
    assert sum(bool(said) and ends[0] <= float(said) <= ends[1] for said in labels) >= 3


def test_few_layers_have_names_many_a_sequence_of_colours():
    assert layers.colour(2, 2) == style.colour("layer 2")
    assert len({layers.colour(place, 49) for place in range(1, 50)}) == 49
    assert list(layers.ticks(49)) == [1, 11, 21, 31, 41, 49]
    assert list(layers.ticks(11)) == [1, 3, 5, 7, 9, 11]


def test_in_the_readme_figures_have_no_small_print_and_larger_text():
    usual = drawn("fig7a")
    with style.for_readme():
        figure = draw("fig7a")
    assert "test images" in words(usual)
    assert "test images" not in words(figure)
    assert "layer 1" in words(figure)
    assert len(figure.axes) == 1 < len(usual.axes)
    assert figure.get_figwidth() == pytest.approx(style.README * style.WIDTH)
    assert figure.get_figheight() < usual.get_figheight()
    sizes = {text.get_fontsize() for text in figure.findobj(mpl.text.Text) if text.get_text()}
    assert sizes <= {text.get_fontsize() for text in usual.findobj(mpl.text.Text)}
    assert not style.in_readme()
    assert "test images" in words(draw("fig7a"))


def test_every_dropout_fraction_has_a_colour_of_its_own_with_and_without_networks_that_have_none():
    for fractions in ((0.0, 0.3, 0.6), (0.1, 0.3, 0.6)):
        ways = [("cross_entropy", np.nan, fraction) for fraction in fractions]
        made = synthetic_memorization.tables(ways=ways)
        handles = draw("limit_dropout", made).axes[0].get_legend_handles_labels()[0]
        assert len({str(line.get_color()) for line in handles}) == 3
