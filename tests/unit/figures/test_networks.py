"""Dots of networks and curves over training draw what the tables say (Figures 3b, 4)."""

import numpy as np
import pandas as pd
import pytest
from figure_tables import RATES, curves, draw, drawn, tables_for, words
from scipy.stats import spearmanr

from directions.core.errors import InputError


def of_networks(tables):
    areas = tables["areas"].groupby("run")[["auc", "auc_relative"]].mean()
    return tables["runs"].set_index("run").drop(columns=["units"]).join(areas)


@pytest.mark.parametrize(("place", "column"), [(0, "auc"), (1, "auc_relative")])
def test_figure_3b_one_dot_per_network_by_learning_rate(place, column):
    tables = tables_for("fig3b", untrained=0)
    tables["areas"].loc[::2, "auc_relative"] += 0.01  # or there is no second panel
    figure, networks = draw("fig3b", tables), of_networks(tables)
    for (label, points), rate in zip(curves(figure, place).items(), RATES, strict=True):
        mine = networks[networks["learning_rate"] == rate]
        np.testing.assert_allclose(points[:, 0], 1 - mine["test_accuracy"])
        np.testing.assert_allclose(points[:, 1], mine[column] / networks[column].max())
        within = spearmanr(mine[column], 1 - mine["test_accuracy"]).statistic
        assert label == f"{rate:.10f}".rstrip("0") + f": {within:.2f} (6)".replace("-", "−")
    said = "Largest area" if column == "auc" else "divided by unablated accuracy"
    assert f"{said} {networks[column].max():.3f}" in words(figure)
    pooled = spearmanr(networks[column], 1 - networks["test_accuracy"]).statistic
    assert f"pooled Spearman {pooled:.2f}".replace("-", "−") == figure.axes[place].texts[0].get_text()


def test_figure_3b_has_one_panel_where_all_networks_know_their_training_set():
    assert len(draw("fig3b", untrained=0).axes) == 1
    assert len(drawn("fig3b").axes) == 2


def test_networks_that_did_not_learn_are_hollow_and_counted():
    figure = drawn("fig3b")
    assert "Hollow: 2 with training accuracy below 0.99, in no correlation" in words(figure)
    tables = tables_for("fig3b")
    networks = of_networks(tables).query("train_accuracy >= 0.99")
    pooled = spearmanr(networks["auc"], 1 - networks["test_accuracy"]).statistic
    assert f"pooled Spearman {pooled:.2f}".replace("-", "−") == figure.axes[0].texts[0].get_text()
    hollow = [line for line in figure.axes[0].get_lines() if line.get_markerfacecolor() == "none"]
    assert sum(len(line.get_xdata()) for line in hollow) == 2
    assert "Hollow" not in words(draw("fig3b", untrained=0))


def test_figure_4a_draws_losses_left_and_areas_right():
    tables = tables_for("fig4a")
    figure = draw("fig4a", tables)
    left, right = curves(figure, 0), curves(figure, 2)
    history, checkpoints = tables["history"].groupby("epoch"), tables["checkpoints"].groupby("epoch")
    for side in ("train", "test"):
        np.testing.assert_allclose(left[f"{side} loss (left)"][:, 1], history[f"{side}_loss"].mean())
    largest = checkpoints["auc"].mean().max()
    for label, column in (
        ("area / largest (right)", "auc"),
        ("the same / unablated accuracy", "auc_relative"),
    ):
        expected = (checkpoints[column].mean() / largest).reset_index().to_numpy()
        np.testing.assert_allclose(right[label], expected)
    lowest = history["test_loss"].mean().idxmin()
    assert f"lowest test loss (epoch {lowest})" in words(figure)
    assert f"Largest mean area {largest:.3f}" in words(figure)


def finely(tables) -> dict:
    """The same with a checkpoint every 64 steps, so that epochs are no whole numbers."""
    table = tables["checkpoints"]
    between = table[table["epoch"] > 0]
    more = [between.assign(epoch=between["epoch"] - part, test_loss=between["test_loss"] + part) for part in
            (0.136, 0.273, 0.409, 0.546, 0.682, 0.819)]  # fmt: skip
    return tables | {"checkpoints": pd.concat([table, *more], ignore_index=True)}


def test_figure_4a_draws_losses_from_checkpoints_where_they_are_finer_than_the_history():
    tables = finely(tables_for("fig4a"))
    table = tables["checkpoints"]
    assert table["epoch"].nunique() > tables["history"]["epoch"].nunique()
    figure = draw("fig4a", tables)
    for side in ("train", "test"):
        expected = table.groupby("epoch")[f"{side}_loss"].mean().reset_index().to_numpy()
        np.testing.assert_allclose(curves(figure)[f"{side} loss (left)"], expected)
    lowest = table.groupby("epoch")["test_loss"].mean().idxmin()
    assert f"lowest test loss (epoch {lowest:.3g})" in words(figure)
    tests = tables["runs"]["test_images"].iloc[0]
    assert f"Losses on 500 training and {tests:,} test images; area on 500 training images" in words(figure)


def test_figure_4a_says_on_which_images_the_losses_of_a_finer_history_are():
    tables = tables_for("fig4a")
    [run] = tables["runs"][["train_images", "test_images"]].drop_duplicates().to_numpy()
    said = f"Losses on {run[0]:,} training and {run[1]:,} test images; area on 500 training images"
    assert run[0] != 500
    assert said in words(draw("fig4a", tables))
    tested = tables["checkpoints"].assign(split="test", images=20)
    assert "area on 20 test images" in words(draw("fig4a", tables | {"checkpoints": tested}))


def test_figure_4a_has_axes_that_hold_the_paper_s_and_all_from_the_first_epoch_on():
    tables = tables_for("fig4a")
    figure = draw("fig4a", tables)
    left, _, right, _ = figure.axes
    losses = np.concatenate(list(curves(figure).values()))
    areas = curves(figure, 2)["area / largest (right)"]
    assert left.get_ylim()[1] >= losses[losses[:, 0] >= 1, 1].max() > 0.4
    assert right.get_ylim()[0] <= areas[areas[:, 0] >= 1, 1].min() < 0.9
    assert "Before epoch 1 the axes over all epochs are cropped" in words(figure)
    late = {name: tables[name].query("epoch >= 30") for name in ("history", "checkpoints")}
    for name in late:
        late[name] = late[name].assign(test_loss=late[name]["test_loss"] / 4)
    figure = draw("fig4a", tables | late)
    assert figure.axes[0].get_ylim() == (0, 0.4)
    assert "cropped" not in words(figure)


def test_figure_4a_shows_the_first_epochs_beside_at_checkpoints():
    tables = tables_for("fig4a")
    figure = draw("fig4a", tables)
    losses, areas = curves(figure, 1), curves(figure, 3)
    first = tables["checkpoints"].query("epoch <= 5").groupby("epoch")
    for side in ("train", "test"):
        expected = first[f"{side}_loss"].mean().reset_index().to_numpy()
        np.testing.assert_allclose(losses[f"{side} loss (left)"], expected)
    assert len(expected) == 5  # 0, 1, 2, 3, 5: before training too, of which the history knows nothing
    largest = tables["checkpoints"].groupby("epoch")["auc"].mean().max()
    np.testing.assert_allclose(areas["area / largest (right)"][:5, 1], first["auc"].mean() / largest)
    whole, zoom, right, right_of_zoom = figure.axes
    assert zoom.get_xlim()[0] < 0
    assert 5 < zoom.get_xlim()[1] < 5.5
    assert zoom.get_ylim()[1] > max(expected[:, 1]) > whole.get_ylim()[1]  # here nothing is cropped
    assert right_of_zoom.get_ylim()[0] < areas["area / largest (right)"][0, 1] < right.get_ylim()[0]
    assert "the first 5, whole" in words(figure)
    assert len(figure.legends[0].get_texts()) == 4  # each line named once


def test_figure_4a_marks_the_lowest_test_loss_in_both_panels_at_its_epoch():
    tables = tables_for("fig4a")
    for epoch, loss in ((20, 0.02), (4, 0.01)):  # outside the second panel, inside it
        tables["history"].loc[tables["history"]["epoch"] == epoch, "test_loss"] = loss
        figure = draw("fig4a", tables)
        for axes in figure.axes[:2]:
            [dotted] = [line.get_xdata()[0] for line in axes.get_lines() if line.get_linestyle() == ":"]
            assert dotted == epoch
        assert f"lowest test loss (epoch {epoch})" in words(figure)


@pytest.mark.parametrize(("kept", "panels"), [([0, 2, 5, 30], 2), ([0, 5, 8, 30], 1), ([12, 30], 1)])
def test_figure_4a_has_no_second_panel_of_fewer_than_three_checkpoints(kept, panels):
    tables = tables_for("fig4a")
    table = tables["checkpoints"]
    figure = draw("fig4a", tables | {"checkpoints": table[table["epoch"].isin(kept)]})
    assert len(figure.axes) == 2 * panels
    assert ("the first 5" in words(figure)) == (panels == 2)
    assert figure.axes[0].get_title(loc="left").startswith("MNIST")


def test_figure_4a_of_a_short_training_is_not_drawn_twice():
    tables = tables_for("fig4a")
    short = {name: tables[name].query("epoch <= 5") for name in ("history", "checkpoints")}
    assert len(draw("fig4a", tables | short).axes) == 2


def test_figure_4b_one_dot_per_checkpoint():
    tables = tables_for("fig4b")
    figure = draw("fig4b", tables)
    means = tables["checkpoints"].groupby(["run", "epoch"])[["test_loss", "auc"]].mean()
    dots = np.concatenate([np.asarray(some.get_offsets()) for some in figure.axes[0].collections])
    np.testing.assert_allclose(dots, (means / [1, means["auc"].max()]).to_numpy())
    assert not figure.axes[0].get_lines()  # nothing joins them
    expected = spearmanr(means["test_loss"], means["auc"]).statistic
    assert figure.axes[0].texts[0].get_text() == f"Spearman {expected:.2f}".replace("-", "−")


def test_figure_4b_of_an_mlp_holds_all_but_the_checkpoints_of_the_first_epoch():
    tables = finely(tables_for("fig4a"))
    figure = draw("fig4b", {name: tables[name] for name in ("runs", "checkpoints")})
    axes = figure.axes[0]
    dots = np.concatenate([np.asarray(some.get_offsets()) for some in axes.collections])
    inside = (dots[:, 0] < axes.get_xlim()[1]) & (dots[:, 1] > axes.get_ylim()[0])
    late = tables["checkpoints"].drop_duplicates(["run", "epoch"]).query("epoch >= 1")
    early = len(dots) - len(late)
    assert inside.sum() >= len(late)
    assert not inside.all()
    assert f"all from epoch 1 on; {early} before it may lie outside" in words(figure)
    assert "MLP 2×2048" in words(figure)


def test_figure_4c_shows_the_selection_with_its_chance_level():
    tables = tables_for("fig4c")
    figure, selection = draw("fig4c", tables), tables["selection"]
    bars = [bar.get_height() for bar in figure.axes[1].patches]
    np.testing.assert_allclose(bars, [100 * (selection["rank"] <= top).mean() for top in (1, 5, 10)])
    chance = [line.get_ydata()[0] for line in figure.axes[1].get_lines()]
    np.testing.assert_allclose(chance, [25, 100, 100])  # of 4 settings
    gap = 100 * selection["gap"]
    assert f"gap of the pick: {gap.mean():.2f} ± {gap.std():.2f} %" in words(figure)
    networks = of_networks(tables)
    expected = spearmanr(networks["auc"], networks["test_accuracy"]).statistic
    assert f"Spearman {expected:.2f}" == figure.axes[0].texts[0].get_text()
    shown = np.concatenate([line.get_xydata() for line in figure.axes[0].get_lines()])
    ours = networks.assign(auc=networks["auc"] / networks["auc"].max())[["test_accuracy", "auc"]].to_numpy()
    np.testing.assert_allclose(shown[np.lexsort(shown.T)], ours[np.lexsort(ours.T)])
    knowing = networks[networks["train_accuracy"] >= 0.99]
    among = spearmanr(knowing["auc"], knowing["test_accuracy"]).statistic
    assert f"among the 16 networks with training accuracy ≥ 0.99: {among:.2f}" in words(figure)


def test_a_network_without_areas_is_named():
    tables = tables_for("fig3b")
    lacking = tables["runs"]["run"].iloc[3]
    tables["areas"] = tables["areas"][tables["areas"]["run"] != lacking]
    with pytest.raises(InputError, match=f"no row for network '{lacking}'"):
        draw("fig3b", tables)
