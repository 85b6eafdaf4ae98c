"""One call from plain Python, and that it says of our own networks what our own analyses say."""

import copy
import importlib
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from checkouts import ROOT
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image
from torch import nn, optim
from torch.nn.functional import cross_entropy, gelu, relu

from directions import analyse, api, models
from directions.analyses.selectivity import NO_INDEX
from directions.core import tables as table_files
from directions.core.errors import InputError
from directions.data.registry import KNOWN
from directions.data.specs import Request
from directions.figures import own
from directions.figures.own_comparison import comparison

FEW = {
    "ablate_cumulative": {"orderings": 2, "points": 5, "clamp": ["zero", "mean"]},
    "add_noise": {"repeats": 2, "points": 3}, "measure_units": {"bins": 6, "shuffles": 2},
    "train_images": 150, "test_images": 120,
}  # fmt: skip


class Functional(nn.Module):
    """Two hidden layers; activations are functions."""

    def __init__(self, activation=relu):
        super().__init__()
        self.fc1, self.fc2, self.readout = nn.Linear(784, 20), nn.Linear(20, 15), nn.Linear(15, 10)
        self.activation = activation

    def forward(self, x):
        x = self.activation(self.fc1(x.flatten(1)))
        return self.readout(self.activation(self.fc2(x)))


@pytest.fixture(scope="module")
def mnist() -> dict[str, tuple]:
    """Real digits: 2,000 to train with, 500 to test."""
    digits = KNOWN["mnist"].prepare(Request(ROOT / "data/raw", KNOWN["mnist"].sources))
    train, test = digits.split("train"), digits.split("test")
    return {"train": (train[0][:2000], train[1][:2000]), "test": (test[0][:500], test[1][:500])}


@pytest.fixture(scope="module")
def trained(mnist) -> Functional:
    torch.manual_seed(0)
    network = Functional()
    images, labels = torch.tensor(mnist["train"][0]) / 255, torch.tensor(mnist["train"][1])
    optimizer = optim.Adam(network.parameters(), lr=0.003)
    for _step in range(150):
        chosen = torch.randint(len(labels), (64,))
        optimizer.zero_grad()
        cross_entropy(network(images[chosen]), labels[chosen]).backward()
        optimizer.step()
    return network.eval()


def test_a_functional_mlp_gives_what_our_own_mlp_gives_with_its_weights(trained, mnist, settings, caplog):
    """Every table, number by number, both on the fast way; only the names of layers differ."""
    caplog.set_level("INFO")
    found = analyse(trained, {"fc1": "relu", "fc2": "relu"}, **mnist, **FEW)
    assert found.tables["runs"]["test_accuracy"].item() > 0.7
    assert "along a chain of 2 layers from fc1_relu on" in caplog.text
    ours = models.build(settings | {"hidden": [20, 15]}, (1, 28, 28), 10)
    ours.load_state_dict(dict(zip(ours.state_dict(), trained.state_dict().values(), strict=True)))
    other = analyse(ours, list(models.unit_layers(ours)), **mnist, **FEW)
    assert found.tables.keys() == other.tables.keys() == {
        "runs", "ablation", "noise", "single", "units", "areas"
    }  # fmt: skip
    for name, table in found.tables.items():
        renamed = other.tables[name].replace({"relu1": "fc1_relu", "relu2": "fc2_relu"})
        named = ["information_null_bits", "units_by_layer"]  # draws go by the layers' names, noise's, too
        left, right = (part.drop(columns=named, errors="ignore") for part in (table, renamed))
        if name == "noise":
            left, right = (part[part["noise_sd_ratio"] == 0] for part in (left, right))
        assert list(left) == list(right)
        numbers = left.select_dtypes("number").columns
        np.testing.assert_allclose(left[numbers], right[numbers], atol=1e-5)
        assert left.drop(columns=numbers).equals(right.drop(columns=numbers))


def test_a_network_is_left_as_it_is(trained, mnist):
    network = nn.Sequential(copy.deepcopy(trained), nn.ReLU(inplace=True), nn.Linear(10, 10))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.train()
    analyse(network, {"0.fc1": "relu"}, **mnist, **FEW | {"analyses": ["add_noise"]})
    assert network.training
    assert network[1].inplace
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not any(hasattr(module, "unit_axis") for module in network.modules())


def test_units_with_negative_activity_have_no_selectivity_and_are_said_to(mnist, caplog):
    torch.manual_seed(0)
    layers = {"fc1": "gelu", "fc2": "gelu"}
    found = analyse(
        Functional(gelu), layers, **mnist, **FEW | {"analyses": ["ablate_single", "measure_units"]}
    )
    units = found.tables["units"]
    assert units["negative"].all()
    assert units["selectivity"].isna().all()
    assert (units["information_bits"] > 0).all()
    for layer in ("fc1_gelu", "fc2_gelu"):
        assert re.search(rf"{layer}: \d+ of \d+ units are negative for some images: {NO_INDEX}", caplog.text)
    said = "".join(text.get_text() for axes in found.figure().axes for text in axes.texts)
    assert "the index\nhas no meaning in these layers" in said


def test_figures_show_what_was_measured_of_one_network_and_of_several(trained, mnist):
    every = analyse(trained, {"fc1": "relu", "fc2": "relu"}, **mnist, **FEW, name="all").tables
    some = analyse(
        trained, {"fc1": "relu"}, **mnist, **FEW | {"analyses": ["measure_units"]}, name="few"
    ).tables
    figure = own.summary(every)
    area = every["areas"].groupby("clamp")["auc"].mean()
    said = "".join(text.get_text() for axes in figure.axes for text in axes.texts)
    assert len(figure.axes) == 4
    assert [len(set(tables["units"]["layer"])) for tables in (every, some)] == [2, 1]
    assert ", within layers " in said
    assert "within" not in "".join(text.get_text() for axes in own.summary(some).axes for text in axes.texts)
    error = every["areas"].groupby("clamp")["auc"].sem()
    assert f"area {area['zero']:.3f} ± {error['zero']:.3f}" in said
    assert f"area {area['mean']:.3f}" in said
    assert len(own.summary(some).axes) == 2
    alone = analyse(trained, {"fc1": "relu"}, **mnist, **FEW | {"analyses": ["ablate_single"]})
    [panel] = alone.figure().axes
    shown = np.concatenate([line.get_ydata() for line in panel.lines if line.get_marker() != "None"])
    np.testing.assert_allclose(np.sort(shown), np.sort(alone.tables["single"]["importance"]))
    sampled = FEW | {"ablate_single": {"units": 3}}
    figure = analyse(trained, {"fc1": "relu"}, **mnist, **sampled).figure()
    assert "of 3 drawn at random from" in "".join(text.get_text() for text in figure.texts)
    compared = comparison({"all": every, "few": some})
    names = [text.get_text() for text in compared.legends[0].get_texts()]
    assert [name.split(":")[0] for name in names] == ["all", "few"]
    assert f"all: {area['zero']:.3f}" in names[0]
    curve = compared.axes[0].lines[0]
    by_hand = every["ablation"].query("clamp == 'zero'").groupby("ablated")["accuracy"].mean()
    np.testing.assert_allclose(curve.get_ydata(), by_hand)
    np.testing.assert_allclose(curve.get_xdata(), by_hand.index / 35)
    assert compared.axes[0].get_xlabel() == "share of units ablated (to zero)"
    assert compared.axes[0].get_ylabel() == "accuracy, train set"
    assert "area under the ablation curve, of the first clamp" in compared.texts[-1].get_text()


def test_no_text_is_cut_off(trained, mnist):
    tables = analyse(trained, {"fc1": "relu", "fc2": "relu"}, **mnist, **FEW).tables
    worst = tables["single"].assign(importance=-tables["units"]["information_bits"])  # signs take room
    figure = own.summary(tables | {"single": worst})
    assert figure.axes[-1].texts[0].get_text().count("−1.00") == 2
    figure.set_dpi(220)  # letters are wider as it is saved than on a screen
    box = figure.get_tightbbox(FigureCanvasAgg(figure).get_renderer())  # inches
    assert 0 <= box.x0 <= box.x1 <= figure.get_figwidth()
    assert 0 <= box.y0 <= box.y1 <= figure.get_figheight()


def test_the_correlation_within_layers_does_not_see_what_differs_between_them():
    within = pd.DataFrame({
        "layer": ["a"] * 4 + ["b"] * 4, "dead": False, "selectivity": [1, 2, 3, 4, 11, 12, 13, 14],
        "importance": [4, 3, 2, 1, 14, 13, 12, 11],
    })  # fmt: skip
    said = own._rho(within, "selectivity", "importance")
    assert said == "8 units\nSpearman 0.52, within layers −1.00"
    one = within[within["layer"] == "a"]
    assert own._rho(one, "selectivity", "importance") == "4 units\nSpearman −1.00"
    assert own._rho(one.assign(importance=0), "selectivity", "importance") == "4 units"


def test_a_comparison_of_other_layers_says_so(trained, mnist, caplog):
    only = FEW | {"analyses": ["ablate_cumulative"]}
    one = analyse(trained, {"fc1": "relu"}, **mnist, **only, name="one")
    two = analyse(trained, "all activations", **mnist, **only, name="two")
    wanted = (
        "Layers do not correspond, so curves cover different parts of each network: one has 20 units"
        " (fc1_relu 20); two has 35 units (fc1_relu 20, fc2_relu 15)."
    )
    said = " ".join(text.get_text().replace("\n", " ") for text in one.compare(two).texts)
    assert wanted in said
    assert f"warning: comparison: {wanted}" in caplog.text
    some = only | {"ablate_cumulative": FEW["ablate_cumulative"] | {"layers": 1}}
    last = analyse(trained, ["fc?_relu"], **mnist, **some, name="last")
    said = " ".join(text.get_text().replace("\n", " ") for text in two.compare(last).texts)
    assert "last has 35 units, 15 of them ablated (" in said


def test_networks_are_compared_by_the_names_they_were_given(trained, mnist, caplog):
    first, second = (
        analyse(trained, {"fc1": "relu"}, **mnist, **FEW | {"analyses": ["measure_units"]}, name=name)
        for name in ("first", "second")
    )
    compared = first.compare(second)
    names = [text.get_text() for text in compared.legends[0].get_texts()]
    assert names == ["first", "second"]
    assert "do not correspond" not in compared.texts[-1].get_text() + caplog.text
    assert repr(first) == "Analysis of first; tables: runs (1 rows), units (20 rows)"
    with pytest.raises(InputError, match="need distinct names"):
        first.compare(second, first)


def test_networks_called_by_numbers_are_compared_when_read_from_files(trained, mnist, tmp_path):
    settings = FEW | {"analyses": ["measure_units"]}
    found = [analyse(trained, {"fc1": "relu"}, **mnist, **settings, name=name) for name in ("1", "2")]
    read = {one.name: table_files.read(one.save(tmp_path / one.name), ["runs", "units"]) for one in found}
    for tables in read.values():
        assert tables["runs"]["run"].dtype == int  # the trap
        tables["runs"] = tables["runs"].assign(train_accuracy=0.0, test_accuracy=0.0)
    compared = comparison(read)
    assert [text.get_text() for text in compared.legends[0].get_texts()] == ["1", "2"]
    assert "is about chance, see the figure of each: 1, 2." in compared.texts[-1].get_text()


def test_the_comparison_has_a_chance_level_for_every_number_of_classes(trained, mnist):
    images, labels = mnist["test"]
    some = images[labels < 4], labels[labels < 4]
    only = FEW | {"analyses": ["ablate_cumulative", "add_noise"]}
    ten = analyse(trained, {"fc1": "relu"}, **mnist, **only, name="ten").tables
    four = analyse(trained, {"fc1": "relu"}, some, **only, name="four").tables
    for axes in comparison({"ten": ten, "four": four}).axes:
        levels = {line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == ":"}
        assert levels == {0.1, 0.25}


def test_a_figure_says_what_speaks_against_it(mnist):
    torch.manual_seed(0)
    images, labels = mnist["test"]
    few = images[:12], labels[:12]
    found = analyse(Functional(), {"fc1": "relu"}, few, **FEW | {"analyses": ["measure_units"]})
    said = " ".join(text.get_text().replace("\n", " ") for text in found.figure().texts)
    assert "Accuracy is about chance: are these the network's weights" in said
    assert "Mutual information is mostly bias here: with permuted labels" in said
    assert "Dots: one per unit, train set." in said


def test_without_a_test_set_nothing_is_said_of_one(trained, mnist):
    found = analyse(trained, {"fc1": "relu", "fc2": "relu"}, mnist["train"], **FEW)
    [run] = found.tables["runs"].to_dict("records")
    assert run["dataset"] == "own data, no test set"
    assert run["test_images"] == 0
    assert np.isnan([run["test_accuracy"], run["test_loss"]]).all()
    assert all(set(found.tables[name]["split"]) == {"train"} for name in ("single", "units", "noise"))
    assert found.tables["single"]["loss_before"].iloc[0] == pytest.approx(run["train_loss"], rel=1e-6)
    said = " ".join(text.get_text() for text in found.figure().texts)
    assert "training images, no test set." in said
    assert "test images" not in said
    assert "test set" not in said.replace("no test set", "")
    with pytest.raises(InputError, match="measure_units: split test, but there is no test set"):
        analyse(trained, {"fc1": "relu"}, mnist["train"], measure_units={"split": "test"})


@pytest.mark.parametrize(("module", "name", "change", "said"), [
    ("describe", "record", {"train_accuracy": 1.5}, "table runs: column train_accuracy is 1.5 in row 1"),
    ("auc", "of_curves", {"auc": 2.0}, "table areas: column auc is 2.0 in row 1"),
    ("ablate_cumulative", "observe", {"accuracy": -1.0}, "table ablation: column accuracy is -1.0 in row 1"),
])  # fmt: skip
def test_tables_that_are_not_as_declared_are_refused(trained, mnist, monkeypatch, module, name, change, said):
    home = importlib.import_module(f"directions.analyses.{module}")
    made = getattr(home, name)

    def changed(*args):
        found = made(*args)
        return found | change if isinstance(found, dict) else found.assign(**change)

    monkeypatch.setattr(api if name == "record" else home, name, changed)
    with pytest.raises(InputError, match=said):
        analyse(trained, {"fc1": "relu"}, **mnist, **FEW, analyses=["ablate_cumulative"])


def test_layers_and_dead_units_have_a_legend(trained, mnist):
    tables = analyse(trained, {"fc1": "relu", "fc2": "relu"}, **mnist, **FEW).tables
    dead = tables["units"].assign(dead=tables["units"]["unit"] == 3, selectivity=0.5)
    figure = own.summary(tables | {"units": dead})
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["fc1_relu", "fc2_relu", "dead unit"]
    assert figure.axes[-1].texts[0].get_text().startswith("33 units, 2 dead\nSpearman ")
    lines = [line for line in figure.axes[-1].lines if line.get_label() in names]
    assert [handle.get_marker() for handle in figure.legends[0].legend_handles] == [
        line.get_marker() for line in lines
    ]


def test_a_layer_has_the_same_colour_in_every_panel(trained, mnist):
    tables = analyse(trained, {"fc1": "relu", "fc2": "relu"}, **mnist, **FEW).tables
    first = tables["units"]["layer"] == "fc1_relu"
    units = tables["units"].assign(negative=first)
    units.loc[first, "selectivity"] = np.nan
    figure = own.summary(tables | {"units": units})
    colours = {
        (line.get_color(), line.get_marker())
        for axes in figure.axes[-2:]
        for line in axes.lines
        if line.get_label() in ("fc2_relu", "layer 2")
    }
    assert len(colours) == 1
    assert re.match(r"\d+ units, \d+ dead, \d+ have no index\nSpearman ", figure.axes[-2].texts[0].get_text())
    assert "negative for some images: fc1_relu." in figure.texts[-1].get_text()


def test_a_line_per_analysis_says_how_far_it_is(trained, mnist, capsys):
    only = FEW | {"analyses": ["ablate_single", "measure_units"]}
    analyse(trained, {"fc1": "relu"}, **mnist, **only, name="mine")
    assert capsys.readouterr().err == "mine: ablate_single (1 of 2)\nmine: measure_units (2 of 2)\n"
    analyse(trained, {"fc1": "relu"}, **mnist, **only, progress=False)
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a GPU")
def test_a_gpu_that_is_not_there_is_no_error_of_pytorch_s(trained, mnist):
    with pytest.raises(InputError, match='device="cuda": PyTorch finds no GPU here; use "auto" or "cpu"'):
        analyse(trained, {"fc1": "relu"}, **mnist, device="cuda")
    only = FEW | {"analyses": ["ablate_single"]}
    assert analyse(trained, {"fc1": "relu"}, **mnist, **only, device=torch.device("cpu")).tables


def test_images_may_be_floats_as_the_network_takes_them_or_be_normalised(trained, mnist):
    images, labels = mnist["test"]
    only = FEW | {"analyses": ["ablate_single"]}
    layers = {"fc1": "relu"}
    pixels = analyse(trained, layers, (images, labels), **only, normalize={"mean": [0.1], "sd": [0.3]})
    floats = torch.tensor((images / 255 - 0.1) / 0.3, dtype=torch.float32)
    same = analyse(trained, layers, (floats, torch.tensor(labels)), **only)
    flat = analyse(trained, layers, (floats.flatten(1), labels), **only)
    plain = analyse(trained, layers, (images, labels), **only)
    loss = [found.tables["single"]["loss_after"].to_numpy() for found in (pixels, same, flat, plain)]
    np.testing.assert_allclose(loss[0], loss[1], rtol=1e-4)
    np.testing.assert_allclose(loss[1], loss[2], rtol=1e-4)
    assert abs(loss[3] - loss[0]).min() > 1e-3


@pytest.mark.parametrize(("over", "said"), [
    ({"ablate_cumulativ": {}}, "ablate_cumulativ: unknown key; did you mean ablate_cumulative?"),
    ({"add_noise": {"repeat": 3}}, "add_noise.repeat: unknown key; did you mean repeats?"),
    ({"normalize": {"mean": [0.1, 0.2], "sd": [0.3]}}, "mean has 2 numbers, images have 1 channels"),
    ({"test": (np.zeros((3, 28, 28), np.uint8), np.zeros(4, int))}, "3 images, 4 labels: give one label"),
    ({"test": (np.zeros((3, 28, 28), np.uint8), np.array([0, 1, 12]))}, "its data have 13 classes"),
    ({"train": (np.zeros((3, 28, 28), np.uint8), np.array([1, 5, 10]))}, "labels start at 1 here"),
    ({"train": (np.zeros((3, 28, 28), np.uint8), np.array([0, 5, 12]))}, "the highest label is 12: labels"),
    ({"network": Functional}, r"network is type, .*: call it first, analyse\(build\(\)"),
    ({"layers": []}, r"layers is \[\]: give a list of modules"),
    ({"layers": "fc1"}, "layers is 'fc1': give a list of modules"),
    ({"train": np.zeros((3, 28, 28), np.uint8)}, r"train must be a pair, .*, not ndarray"),
    ({"analyses": "ablate_single"}, "analyses: 'ablate_single' is refused: allowed is a list of analyses"),
    ({"analyses": ["ablate_singel"]}, "did you mean ablate_single?"),
    ({"ablate_cumulative": {"clamp": "zero"}}, "clamp: 'zero' is refused: allowed is a list of one or both"),
    ({"ablate_cumulative": {"points": 1}}, "points: 1 is refused: allowed is all, or a whole number >= 2"),
    ({"add_noise": {"split": "tests"}}, "'tests' is refused: allowed is train or test; did you mean test"),
    ({"add_noise": {"lowest": 20.0}}, "add_noise: lowest 20.0 must be below highest 10.0"),
    ({"normalize": {"mean": 0.1, "sd": 0.3}}, "normalize.mean: 0.1 is refused: allowed is a list of numbers"),
    ({"normalize": {"mean": [0.1], "std": [0.3]}}, "normalize.std: unknown key; did you mean sd?"),
    ({"train_images": 0}, "train_images: 0 is refused: allowed is all, or a whole number >= 1"),
])  # fmt: skip
def test_what_does_not_fit_is_refused(trained, mnist, over, said):
    given = {"network": trained, "layers": {"fc1": "relu"}, **mnist, **FEW} | over
    with pytest.raises(InputError, match=said):
        analyse(**given)


class Recurrent(nn.Module):
    """A module within it answers with a tuple, and so does the whole where asked to."""

    def __init__(self, tokens_first=False, answers=1):
        super().__init__()
        self.gru = nn.GRU(5, 12, batch_first=True)
        self.fc, self.readout = nn.Linear(12, 8), nn.Linear(8, 4)
        self.tokens_first, self.answers = tokens_first, answers

    def forward(self, x):
        steps, _ = self.gru(x)
        if self.tokens_first:
            return self.readout(torch.relu(self.fc(steps.transpose(0, 1)))).mean(0)
        found = self.readout(torch.relu(self.fc(steps[:, -1])))
        return found if self.answers == 1 else (found, steps)


def series(network: nn.Module, count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Random series (count, 7 steps, 5 numbers), with labels that the network tells better than chance."""
    drawn = torch.randn(count, 7, 5, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        answers = network.eval()(drawn)
    labels = ((answers - answers.mean(0)) / answers.std(0)).argmax(1).numpy()
    assert len(np.unique(labels)) == 4
    return drawn.numpy(), labels


def untouched(tables: dict) -> list[float]:
    """Accuracies where nothing is ablated and no noise added, and of the network as it is."""
    ablation, noise = tables["ablation"].query("ablated == 0"), tables["noise"].query("noise_sd_ratio == 0")
    return [table["accuracy"].iloc[0] for table in (ablation, noise)] + list(tables["runs"]["train_accuracy"])


def test_a_network_and_modules_within_may_answer_with_a_tuple_but_not_with_tokens_first():
    torch.manual_seed(0)
    network = Recurrent()
    found = analyse(network, {"fc": "relu"}, series(network), **FEW)
    assert len(set(untouched(found.tables))) == 1
    both = Recurrent(answers=2)
    both.load_state_dict(network.state_dict())
    also = analyse(both, {"fc": "relu"}, series(network), **FEW)
    pd.testing.assert_frame_equal(also.tables["single"], found.tables["single"])
    with pytest.raises(InputError, match="layer fc_relu returns .* must be on its first axis"):
        analyse(Recurrent(tokens_first=True), {"fc": "relu"}, series(network), **FEW)


def on_tokens() -> nn.Sequential:
    """Units of the first layers are on the last axis, (examples, 7, 7)."""
    return nn.Sequential(nn.Linear(5, 7), nn.GELU(), nn.Flatten(), nn.Linear(49, 4))


def with_a_module_used_twice() -> nn.Sequential:
    relu = nn.ReLU()
    layers = [nn.Flatten(), nn.Linear(35, 16), relu, nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 16), relu]
    return nn.Sequential(*layers, nn.Linear(16, 4))


class Whole(nn.Module):
    """The same network, not to be taken apart."""

    def __init__(self, network):
        super().__init__()
        self.all = network

    def forward(self, x):
        return self.all(x)


@pytest.mark.parametrize(("made", "layer"), [(on_tokens, "1"), (with_a_module_used_twice, "4")])
def test_a_sequential_gives_what_the_network_as_a_whole_gives(made, layer):
    torch.manual_seed(0)
    network = made()
    parted = analyse(network, [layer], series(network), **FEW).tables
    whole = analyse(Whole(network), [f"all.{layer}"], series(network), **FEW).tables
    for table, columns in (("ablation", ["accuracy", "loss"]), ("single", ["importance"])):
        np.testing.assert_allclose(parted[table][columns], whole[table][columns], rtol=1e-4, atol=1e-6)
    assert len(set(untouched(parted))) == 1
    quiet = [tables["noise"].query("noise_sd_ratio == 0")["loss"].iloc[0] for tables in (parted, whole)]
    assert quiet[0] == pytest.approx(quiet[1], rel=1e-5)
    assert parted["noise"]["loss"].nunique() > 3
    assert parted["single"]["importance"].nunique() > 3


def test_a_class_without_images_is_nobodys_worst(trained, mnist):
    images, labels = mnist["test"]
    some = images[labels == 2], labels[labels == 2]
    found = analyse(trained, {"fc1": "relu"}, mnist["train"], some, **FEW | {"analyses": ["ablate_single"]})
    assert (found.tables["single"]["worst_class"] == 2).all()
    assert found.tables["single"]["drop_class_3"].isna().all()


def test_data_may_lack_classes_that_the_network_knows(trained, mnist, caplog):
    images, labels = mnist["test"]
    some = images[labels < 7], labels[labels < 7]
    found = analyse(trained, {"fc1": "relu"}, some, **FEW | {"analyses": ["ablate_single"]})
    assert "the network has 10 classes, its data have 7" in caplog.text
    assert "drop_class_6" in found.tables["single"]
    assert "drop_class_7" not in found.tables["single"]


def test_a_network_that_knows_nothing_is_warned_of(mnist, caplog):
    torch.manual_seed(0)
    analyse(Functional(), {"fc1": "relu"}, **mnist, **FEW | {"analyses": ["ablate_single"]})
    assert "warning: network: Accuracy is about chance: are these the network's weights" in caplog.text


def test_a_network_that_answers_with_probabilities_is_refused(trained, mnist):
    with pytest.raises(
        InputError, match="probabilities, which sum to 1, as after softmax; the loss is computed from logits"
    ):
        analyse(nn.Sequential(trained, nn.Softmax(1)), ["0.fc1"], **mnist, **FEW)
    logarithms = nn.Sequential(trained, nn.LogSoftmax(1))
    few = FEW | {"analyses": ["measure_units"]}
    found = analyse(logarithms, ["0.fc1"], **mnist, **few).tables["runs"]
    as_it_is = analyse(trained, ["fc1"], **mnist, **few).tables["runs"]
    assert found["train_loss"].to_numpy() == pytest.approx(as_it_is["train_loss"].to_numpy(), rel=1e-5)


def test_the_call_shown_in_the_readme_works(mnist, tmp_path, monkeypatch):
    """Its very lines, in a folder with the files that they name."""
    [code] = re.findall(
        r"```python\n(.*?from directions import analyse.*?)```", (ROOT / "README.md").read_text(), re.S
    )
    assert len(code.strip().splitlines()) < 10
    shutil.copy(ROOT / "examples/mlp.py", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    torch.save(importlib.import_module("mlp").build().state_dict(), tmp_path / "mlp.pt")
    for split, (images, labels) in mnist.items():
        np.save(tmp_path / f"{split}_images.npy", images)
        np.save(tmp_path / f"{split}_labels.npy", labels)
    exec(code, {})
    with Image.open(tmp_path / "mlp.png") as picture:
        assert picture.width > 2000  # pixels: text can be read
