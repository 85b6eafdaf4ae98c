"""Figures draw what the tables say, say what they draw, and always give the same bytes."""

import importlib

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import synthetic
from matplotlib.backends.backend_agg import FigureCanvasAgg

from directions import statistics
from directions.errors import InputError
from directions.figures import FIGURES, style

TITLE = "MNIST · MLP 2×128 · quick study"


def tables_for(figure: str, **settings) -> dict[str, pd.DataFrame]:
    if figure in ("fig1a", "fig2a"):
        made = synthetic.corruption_tables(networks=2, orderings=4, hidden="128x128", **settings)
    else:
        made = synthetic.unit_tables(**settings)
    return {name: made[name] for name in FIGURES[figure]}


def draw(figure: str, tables=None, **settings):
    module = importlib.import_module(f"directions.figures.{figure}")
    return module.draw(tables_for(figure, **settings) if tables is None else tables, "quick")


def words(figure) -> str:
    """All text in the figure outside its axes' ticks."""
    axes = figure.axes[0]
    texts = [text.get_text() for text in (*figure.texts, *axes.texts)]
    legends = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return "\n".join([axes.get_title(loc="left"), *texts, *legends, axes.get_xlabel(), axes.get_ylabel()])


def curves(figure) -> dict[str, np.ndarray]:
    """{label: (points, 2)} of the labelled lines, in the order drawn."""
    lines = figure.axes[0].get_lines()
    return {line.get_label(): line.get_xydata() for line in lines if not line.get_label().startswith("_")}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_says_data_set_network_study_and_n(name):
    figure = draw(name)
    assert figure.axes[0].get_title(loc="left") == TITLE
    said = words(figure)
    if name in ("fig1a", "fig2a"):
        assert f"Mean ± SD over 4 {'orderings' if name == 'fig1a' else 'repeats'} × 2 networks" in said
        assert "0.4 (36 % changed)" in said
        assert "60,000 training images, with the labels trained on" in said
    else:
        assert "seed 0: 253 live, 3 dead" in said
        assert "10,000 test images" in said


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_is_cut_off_or_too_small(name):
    figure = draw(name)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    box = figure.get_tightbbox(renderer)  # inches
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= figure.get_figwidth()
    assert box.y1 <= figure.get_figheight()
    texts = [t for t in figure.findobj(mpl.text.Text) if t.get_text()]
    assert min(text.get_fontsize() for text in texts) >= 7


def test_figure_1a_draws_the_means_of_its_tables():
    tables = tables_for("fig1a")
    drawn = curves(draw("fig1a", tables))
    assert len(drawn) == len(synthetic.FRACTIONS)
    for (label, points), fraction in zip(drawn.items(), synthetic.FRACTIONS, strict=True):
        mine = tables["ablation"][tables["ablation"]["corrupt"] == fraction]
        np.testing.assert_allclose(points[:, 1], mine.groupby("ablated")["accuracy"].mean())
        np.testing.assert_allclose(points[:, 0], sorted(mine["ablated"].unique()))
        areas = tables["areas"].loc[tables["areas"]["corrupt"] == fraction, "auc"]
        assert label.startswith(f"{fraction} (")
        assert label.endswith(f": {areas.mean():.3f} ± {areas.std():.3f}")


def test_figure_1a_pools_orderings_and_networks_in_its_band():
    tables = tables_for("fig1a")
    band = draw("fig1a", tables).axes[0].collections[0].get_paths()[0].vertices
    mine = tables["ablation"].query("corrupt == 0")
    half = mine["ablated"].unique()[16]
    here = mine.loc[mine["ablated"] == half, "accuracy"]
    edges = np.unique(band[np.isclose(band[:, 0], half), 1])
    np.testing.assert_allclose(edges, [here.mean() - here.std(), here.mean() + here.std()])
    assert len(here) == 8


def test_figure_1a_shows_the_zero_clamp_only():
    tables = tables_for("fig1a")
    both = dict(tables)
    for name, column in (("ablation", "accuracy"), ("areas", "auc")):
        both[name] = pd.concat([tables[name], tables[name].assign(clamp="mean", **{column: 0.0})])
    assert {k: v.tolist() for k, v in curves(draw("fig1a", both)).items()} == {
        k: v.tolist() for k, v in curves(draw("fig1a", tables)).items()
    }


def test_figure_2a_draws_means_on_a_log_axis_and_keeps_the_untouched_accuracy():
    tables = tables_for("fig2a")
    tables["noise"].loc[tables["noise"]["noise_sd_ratio"] == 0, "accuracy"] = 0.97
    figure = draw("fig2a", tables)
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    noise = tables["noise"][tables["noise"]["noise_sd_ratio"] > 0]
    for points, fraction in zip(curves(figure).values(), synthetic.FRACTIONS, strict=True):
        mine = noise[noise["corrupt"] == fraction]
        np.testing.assert_allclose(points[:, 1], mine.groupby("noise_sd_ratio")["accuracy"].mean())
    dots = [line for line in axes.get_lines() if line.get_marker() == "o"]
    assert len(dots) == len(synthetic.FRACTIONS)
    edge = dots[0].get_xdata()[0]
    assert axes.get_xlim()[0] < edge < 0.0316
    np.testing.assert_allclose([dot.get_ydata()[0] for dot in dots], 0.97)
    assert axes.xaxis.get_major_formatter()(edge, 0) == "0"


@pytest.mark.parametrize(("name", "column"), [("fig7a", "selectivity"), ("figA4a", "information_bits")])
def test_one_dot_per_unit_of_the_lowest_seed(name, column):
    tables = tables_for(name)
    drawn = curves(draw(name, tables))
    one = (
        tables["units"]
        .query("run == 'seed-0'")
        .merge(tables["single"].query("run == 'seed-0'"), on=["layer", "unit"])
    )
    live = one[~one["dead"]]
    for label, layer in (("layer 1", "relu1"), ("layer 2", "relu2")):
        expected = live.loc[live["layer"] == layer, [column, "importance"]].to_numpy()
        np.testing.assert_allclose(drawn[label], expected)
    assert len(drawn["dead"]) == 3
    assert (drawn["dead"][:, 0] < 0).all()


def test_figure_7a_quotes_the_correlation_of_the_claims_table():
    tables = tables_for("fig7a", selectivity_correlation=-0.2)
    ours = statistics.estimate("selectivity_correlation", tables, "fig7a_rank_correlation")
    said = words(draw("fig7a", tables)).replace("−", "-")
    assert f"Mean of 4 networks: Spearman {ours.value:.2f} [{ours.low:.2f}, {ours.high:.2f}]" in said


def test_figure_a4a_shows_the_floor_of_shuffled_labels():
    figure = draw("figA4a")
    assert "shuffled labels: 0.020" in words(figure)
    assert curves(figure)["shuffled labels: 0.020"][0, 0] == pytest.approx(0.02)


def test_the_axis_is_logarithmic_only_where_a_few_units_dwarf_the_rest():
    assert style.symmetric_log(np.linspace(-1, 1, 50)) is None
    assert style.symmetric_log(np.zeros(5)) is None
    assert style.symmetric_log(np.array([3.3e-5] * 19 + [0.1])) == pytest.approx(3e-5)
    assert style.symmetric_log(np.array([3.3e-5] * 19 + [3e-4])) is None
    tables = tables_for("fig7a")
    tables["single"].loc[0, "importance"] = 100 * tables["single"]["importance"].abs().max()
    figure = draw("fig7a", tables)
    assert figure.axes[0].get_yscale() == "symlog"
    assert "linear within" in words(figure)


@pytest.mark.parametrize("name", FIGURES)
def test_the_same_tables_give_the_same_bytes(name, tmp_path):
    for copy in ("a", "b"):
        style.save(draw(name), tmp_path / f"{copy}.pdf", tmp_path / f"{copy}.png")
    for kind in ("pdf", "png"):
        first = (tmp_path / f"a.{kind}").read_bytes()
        assert first == (tmp_path / f"b.{kind}").read_bytes()
        assert len(first) > 5000
        assert b"CreationDate" not in first
        assert b"Software" not in first


@pytest.mark.parametrize("name", FIGURES)
def test_a_user_s_own_matplotlib_settings_change_nothing(name, tmp_path):
    style.save(draw(name), tmp_path / "a.pdf", tmp_path / "a.png")
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "savefig.bbox": "tight"}):
        before = dict(mpl.rcParams)
        style.save(draw(name), tmp_path / "b.pdf", tmp_path / "b.png")
        assert dict(mpl.rcParams) == before
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("name", FIGURES)
def test_a_missing_column_or_row_is_named(name):
    tables = tables_for(name)
    for table, column in (
        ("runs", "dataset"),
        (FIGURES[name][1], {"fig1a": "ablated", "fig2a": "repeat"}.get(name, "importance")),
    ):
        with pytest.raises(InputError, match=f"'{table}'.*'{column}'"):
            draw(name, tables | {table: tables[table].drop(columns=column)})
        with pytest.raises(InputError, match=f"'{table}' has no rows"):
            draw(name, tables | {table: tables[table].iloc[:0]})


def test_a_hole_in_a_table_is_named_and_not_averaged_away():
    tables = tables_for("fig1a")
    tables["ablation"].loc[5, "accuracy"] = np.nan
    with pytest.raises(InputError, match="'ablation'.*'accuracy' is empty in 1 of"):
        draw("fig1a", tables)


def test_a_missing_colour_or_name_is_an_error():
    with pytest.raises(InputError, match="no colour for 'layer 9'"):
        style.colour("layer 9")
    with pytest.raises(InputError, match="corrupted fraction 1.5"):
        style.corruption_colour(1.5)
    with pytest.raises(InputError, match="no printed name for 'emnist'"):
        draw("fig1a", dataset="emnist")


def test_networks_of_two_sizes_do_not_share_a_panel():
    tables = tables_for("fig1a")
    tables["runs"].loc[0, "hidden"] = "64x64"
    with pytest.raises(InputError, match="one 'hidden'.*64x64"):
        draw("fig1a", tables)


def test_a_network_without_dead_units_has_no_strip_for_them():
    figure = draw("fig7a", dead=0)
    assert "dead" not in curves(figure)
    assert "256 live, none dead" in words(figure)
    assert figure.axes[0].get_xlim()[0] == 0
