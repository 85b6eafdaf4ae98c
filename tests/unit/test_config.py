import copy
import json
import shutil
import subprocess
import sys

import pytest
import yaml
from studies import ROOT, corruption, given, load, refused

from directions import config, runs, schema
from directions.errors import InputError
from directions.figures import FIGURES

LONGEST = 0.6  # seconds to import what planning needs; seen: 0.26, and 1.6 with torch


@pytest.fixture
def clone(tmp_path):
    """A folder with its own copy of everything that `load` reads."""
    for folder in ("configs", "schemas"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


# What is merged


def test_every_study_of_the_repository_loads():
    for path in (ROOT / "configs").glob("*.yaml"):
        study = load(study=path.stem)
        assert study["figures"] == [name for name in FIGURES if name in study["draw"]]
        assert runs.expand(study)


def test_the_papers_values():
    networks = runs.expand(load(study="paper"))
    assert {name: len(group) for name, group in networks.items()} == {
        "mnist_corruption": 6 * 3, "mnist_selectivity": 4, "mnist_early_stopping": 3,
        "mnist_dropout": 3 * 2 * 3, "conv_corruption": 6 * 3, "conv_early_stopping": 3,
        "conv_ensemble": 5 * 40, "conv_sweep": 96 * 2, "conv_normalization": 2 * 4, "conv_selectivity": 4,
        "resnet_corruption": 3 * 2, "resnet_selectivity": 2,
    }  # fmt: skip
    one = networks["mnist_corruption"]["corrupt-0.4_seed-1"]
    assert one == {
        "dataset": "mnist", "images": "all", "test_images": "all",
        "pad": None, "model": "mlp", "hidden": [512, 512], "width": None,
        "batch_norm": None, "optimizer": "sgd", "learning_rate": 0.01, "momentum": 0.9,
        "weight_decay": 0.0, "batch": 128, "norm_batch": None, "epochs": 640, "steps": None,
            "schedule": "constant", "augment": False, "dropout": 0.0, "corrupt": 0.4, "seed": 1,
        "keep_epochs": [], "evaluate_every": 10, "require_train_accuracy": None, "precision": "float32",
    }  # fmt: skip
    widths = {"mnist_selectivity": 128, "mnist_early_stopping": 2048, "mnist_dropout": 2048}
    for name, width in widths.items():
        assert all(row["hidden"] == [width, width] for row in networks[name].values())
    assert {row["epochs"] for row in networks["mnist_dropout"].values()} == {5000}


def test_the_papers_convolutional_networks():
    study = load(study="paper")
    networks = runs.expand(study)
    convolutional = {name: group for name, group in networks.items() if name.startswith("conv_")}
    assert convolutional["conv_normalization"]["batch_norm-false_seed-3"] == {
        "dataset": "cifar10", "images": "all", "test_images": "all",
        "pad": 0, "model": "conv11", "hidden": None, "width": 1.0,
        "batch_norm": False, "optimizer": "adam", "learning_rate": 0.001, "momentum": None,
        "weight_decay": 0.0, "batch": 32, "norm_batch": None, "epochs": 100, "steps": None,
        "schedule": "constant", "augment": False, "dropout": 0.0, "corrupt": 0.0, "seed": 3,
        "keep_epochs": [], "evaluate_every": 5, "require_train_accuracy": None, "precision": "float32",
    }  # fmt: skip
    varied = {"batch_norm", "learning_rate", "batch", "corrupt", "seed", "keep_epochs"}
    shared = {
        json.dumps({key: value for key, value in row.items() if key not in varied})
        for group in convolutional.values()
        for row in group.values()
    }
    assert len(shared) == 1
    for name in set(convolutional) - {"conv_ensemble", "conv_sweep"}:
        assert {(row["learning_rate"], row["batch"]) for row in convolutional[name].values()} == {(0.001, 32)}
    settings = {(row["learning_rate"], row["batch"]) for row in networks["conv_sweep"].values()}
    assert len(settings) == 96
    for name in convolutional:
        for analysis in ("ablate_cumulative", "ablate_checkpoints"):
            assert study["experiments"][name].get(analysis, {"layers": 3})["layers"] == 3


def test_the_papers_residual_networks():
    networks = runs.expand(load(study="paper"))
    one = networks["resnet_corruption"]["corrupt-0.5_seed-1"]
    assert one == {
        "dataset": "imagenet", "images": "all", "test_images": "all",
        "pad": 0, "model": "resnet50", "hidden": None, "width": 1.0,
        "batch_norm": None, "optimizer": "sgd", "learning_rate": 0.4, "momentum": 0.9,
        "weight_decay": 0.0, "batch": 1024, "norm_batch": 32, "epochs": None, "steps": 200_000,
        "schedule": "cosine", "augment": False, "dropout": 0.0, "corrupt": 0.5, "seed": 1,
        "keep_epochs": [], "evaluate_every": 20, "require_train_accuracy": None, "precision": "bf16",
    }  # fmt: skip
    other = networks["resnet_selectivity"]["seed-1"]
    assert {key: other[key] for key in one if other[key] != one[key]} == {
        "weight_decay": 1e-4, "augment": True, "corrupt": 0.0
    }  # fmt: skip


@pytest.mark.parametrize("name", ["quick", "laptop"])
def test_the_small_studies_draw_every_figure(name):
    study = load(study=name)
    assert study["figures"] == list(FIGURES)
    for group in runs.expand(study).values():
        for row in group.values():
            large = (row["steps"], row["norm_batch"], row["augment"], row["weight_decay"], row["precision"])
            assert large == (None, None, False, 0.0, "float32")


def test_the_laptop_study_has_the_papers_networks_of_mnist_and_smaller_ones_of_fashion_mnist():
    networks, papers = (runs.expand(load(study=name)) for name in ("laptop", "paper"))
    corrupted = networks["mnist_corruption"]["corrupt-0.4_seed-1"]
    same = ("dataset", "images", "hidden", "learning_rate", "batch", "epochs")
    full = papers["mnist_corruption"]["corrupt-0.4_seed-1"]
    assert [corrupted[key] for key in same] == [full[key] for key in same]
    for name, group in networks.items():
        convolutional = not name.startswith("mnist_")
        for row in group.values():
            assert row["dataset"] == ("fashion_mnist" if convolutional else "mnist")
            assert (row["pad"], row["width"]) == ((2, 0.25) if convolutional else (None, None))
        if not convolutional:
            assert {str(row["hidden"]) for row in group.values()} == {
                str(row["hidden"]) for row in papers[name].values()
            }


def test_the_quick_study_draws_every_figure_on_small_networks_of_mnist():
    study = load(study="quick")
    assert study["figures"] == list(FIGURES)
    networks = [row for group in runs.expand(study).values() for row in group.values()]
    assert {row["dataset"] for row in networks} == {"mnist"}
    assert {row["pad"] for row in networks if row["model"] != "mlp"} == {2}
    assert max(row["width"] or 0 for row in networks) <= 0.125
    assert len([row for row in networks if row["model"] != "mlp"]) <= 40


def test_layers_lie_over_each_other(clone):
    (clone / "configs/mine.yaml").write_text(
        "defaults: {training: {epochs: 700, batch: 16}}\n"
        "experiments: {mnist_corruption: {training: {batch: 32}, vary: {seed: [5]}}}\n"
    )
    over = {"experiments": {"mnist_corruption": {"training": {"weight_decay": 0.5}}}}
    study = config.load(given(study="mine", precision="bf16", **over), clone)
    corrupted, selective = (study["experiments"][f"mnist_{name}"] for name in ("corruption", "selectivity"))
    assert corrupted["training"]["epochs"] == selective["training"]["epochs"] == 700  # the study's default
    assert (corrupted["training"]["batch"], selective["training"]["batch"]) == (32, 16)
    assert (corrupted["training"]["weight_decay"], selective["training"]["weight_decay"]) == (0.5, 0.0)
    assert corrupted["vary"] == {"corrupt": [0.0, 0.2, 0.4, 0.6, 0.8, 1.0], "seed": [5]}  # lists replace
    assert corrupted["training"]["precision"] == "bf16"
    assert corrupted["ablate_cumulative"]["orderings"] == 10  # the base's default


def test_an_experiment_may_have_its_own_values_of_an_analysis():
    study = load(**corruption(ablate_cumulative={"points": "all"}))
    block = study["experiments"]["mnist_corruption"]["ablate_cumulative"]
    assert block == {"split": "train", "layers": "all", "orderings": 10, "clamp": ["zero"], "points": "all"}


def test_null_removes_what_can_be_removed_and_leaves_sections_alone():
    base = {"experiments": {"a": {"vary": {"seed": [1], "corrupt": [0]}, "add_noise": {"points": 3}}}}
    assert config.merge(base, {"experiments": {"a": {"vary": {"corrupt": None}, "add_noise": None}}}) == {
        "experiments": {"a": {"vary": {"seed": [1]}}}
    }
    own = {"experiments": {"a": {"training": {"hidden": [8], "require_train_accuracy": 0.9}}}}
    nulls = {"experiments": {"a": {"training": {"hidden": None, "require_train_accuracy": None}}}}
    assert config.merge(own, nulls) == {"experiments": {"a": {"training": {"require_train_accuracy": None}}}}
    assert config.merge(base, {"experiments": None}) == base  # all its lines were commented out
    study = load(study="paper", experiments={"conv_sweep": None}, draw={"fig4c": None})
    assert "conv_sweep" not in study["experiments"]
    assert "fig4b" in study["figures"]
    assert "fig4c" not in study["figures"]


def test_null_is_a_value_where_it_may_stand():
    study = load(
        study="quick", experiments={"mnist_corruption": {"training": {"require_train_accuracy": None}}}
    )
    assert study["experiments"]["mnist_corruption"]["training"]["require_train_accuracy"] is None


def test_loading_changes_nothing_of_what_it_was_given():
    before = given()
    after = copy.deepcopy(before)
    config.load(after, ROOT)
    assert after == before


def test_numbers_get_one_kind():
    study = load(**corruption(training={"weight_decay": 0, "epochs": 5.0}, vary={"corrupt": [0, -0.0 + 1]}))
    experiment = study["experiments"]["mnist_corruption"]
    assert repr(experiment["training"]["weight_decay"]) == "0.0"
    assert repr(experiment["training"]["epochs"]) == "5"
    assert repr(experiment["vary"]["corrupt"]) == "[0.0, 1.0]"
    keep = load(**corruption(training={"keep_epochs": [9, 1]}))["experiments"]["mnist_corruption"]
    assert keep["training"]["keep_epochs"] == [1, 9]  # a set of epochs: its order makes no other training
    assert repr(schema.exact(-0.0, {"type": "number"}, {})) == "0.0"


# Which figures


@pytest.mark.parametrize("words", ["fig1a", "[fig1a]", ["fig1a"], "fig1a,", "fig1a, fig1a"])
def test_figures_may_be_words_as_the_command_line_gives_them(words):
    study = load(study="paper", figures=words)
    assert study["figures"] == ["fig1a"]
    assert study["tables"] == {"mnist_corruption": ["runs", "areas", "ablation"]}


@pytest.mark.parametrize("words", ["all", " all ", "[all]"])
def test_all_figures_and_every_table(words):
    study = load(study="paper", figures=words)
    assert {"fig1a", "fig3b", "fig7c", "figA4c"} < set(study["figures"])
    assert set(study["tables"]["mnist_selectivity"]) == {"runs", "history", "single", "units"}
    assert set(study["tables"]["conv_sweep"]) == {"runs", "history", "ablation", "areas", "selection"}


def test_figures_come_in_the_order_of_the_paper():
    assert load(study="paper", figures="fig7a,fig2a,fig1a")["figures"] == ["fig1a", "fig2a", "fig7a"]


def test_a_figure_that_the_study_does_not_draw():
    message = refused(study="paper", figures="fig7a,fig1d", draw={"fig7a": None})
    assert "figures: fig7a is not among them" in message
    assert "figures: fig1d is not among them; did you mean fig" in message
    assert "study paper draws fig1a, fig1b, fig1c, fig2a, fig2b" in message


# What is refused by the schema


def test_an_unknown_study_names_the_files(clone):
    (clone / "configs/Mine-2.yaml").write_text("")
    with pytest.raises(InputError, match=r"did you mean quick\?; configs/ has Mine-2, laptop, paper, quick"):
        config.load(given(study="quikc"), clone)
    with pytest.raises(InputError, match="lower-case"):
        config.load(given(study="Mine-2"), clone)
    for wrong in (None, 3, ["quick"], "../configs/quick"):
        with pytest.raises(InputError, match="study: .* is unknown"):
            config.load(given() | {"study": wrong}, clone)


def nested(path, value):
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("presision", "precision"),
        ("sources.mnistt", "mnist"),
        ("imagefolder.sise", "size"),
        ("defaults.trainings", "training"),
        ("defaults.training.epoch", "epochs"),
        ("defaults.ablate_cumulative.point", "points"),
        ("defaults.ablate_cumulative.layer", "layers"),
        ("defaults.ablate_checkpoints.ordering", "orderings"),
        ("defaults.select_settings.subset", "subsets"),
        ("defaults.training.batch_norms", "batch_norm"),
        ("defaults.add_noise.repeat", "repeats"),
        ("defaults.ablate_single.splits", "split"),
        ("defaults.measure_units.bin", "bins"),
        ("experiments.mnist_corruption.analysis", "analyses"),
        ("experiments.mnist_corruption.training.epoch", "epochs"),
        ("experiments.mnist_corruption.vary.seeds", "seed"),
        ("experiments.mnist_corruption.ablate_cumulative.ordering", "orderings"),
        ("experiments.mnist_corruption.add_noise.low", "lowest"),
    ],
)
def test_a_typo_at_every_level_names_the_nearest_key(path, known):
    message = refused(**nested(path, 1))
    assert f"{path} (in config.yaml or the command line): unknown key; did you mean {known}?" in message


def test_settings_that_cannot_be_varied():
    message = refused(**corruption(vary={"keep_epochs": [1]}))
    assert "experiments.mnist_corruption.vary.keep_epochs" in message


def test_all_that_is_wrong_is_said_at_once_with_its_file(clone):
    (clone / "configs/mine.yaml").write_text("defaults: {training: {epochs: 0}}\n")
    over = {"experiments": {"mnist_corruption": {"training": {"dropout": 1.0}}}}
    with pytest.raises(InputError) as caught:
        config.load(given(study="mine", device="gpu", **over), clone)
    lines = str(caught.value).splitlines()[1:]
    assert sorted(line.split(" is ")[0] for line in lines) == [
        "  defaults.training.epochs (in configs/mine.yaml): 0",
        "  device (in config.yaml or the command line): 'gpu'",
        "  experiments.mnist_corruption.training.dropout (in config.yaml or the command line): 1.0",
    ]


@pytest.mark.parametrize(
    ("path", "value", "allowed"),
    [
        ("device", "gpu", "auto, cpu, cuda or cuda:N"),
        ("precision", "float16", "float32 or bf16"),
        ("data_root", "", "a folder"),
        ("data_root", 2024, "a folder"),
        ("figures", [], "all, or figure names"),
        ("figures", 1, "all, or figure names"),
        ("sources.mnist", [], "a list"),
        ("sources.mnist", ["local", "local"], "each once"),
        ("sources.cifar10", ["wheel"], "local, mirror"),
        ("imagefolder", {"path": "x", "size": 0}, "a whole number >= 1"),
        ("defaults.training.dataset", "mnits", "did you mean mnist?"),
        ("defaults.training.images", 0, "all, or a whole number >= 1"),
        ("defaults.training.images", "some", "all, or a whole number >= 1"),
        ("defaults.training.model", "mpl", "did you mean mlp?"),
        ("defaults.training.hidden", 128, "a list of layer widths"),
        ("defaults.training.hidden", [], "a list of layer widths"),
        ("defaults.training.hidden", [0], "a whole number >= 1"),
        ("defaults.training.pad", -1, "a whole number >= 0"),
        ("defaults.training.width", 0, "a number > 0"),
        ("defaults.training.width", -0.5, "a number > 0"),
        ("defaults.training.batch_norm", 1, "true or false"),
        ("defaults.training.batch_norm", "no", "true or false"),
        ("defaults.training.optimizer", "sdg", "did you mean sgd?"),
        ("defaults.training.learning_rate", 0, "a number > 0"),
        ("defaults.training.momentum", 1, "a number >= 0 and < 1"),
        ("defaults.training.weight_decay", -0.1, "a number >= 0"),
        ("defaults.training.batch", 0, "a whole number >= 1"),
        ("defaults.training.epochs", 2.5, "a whole number >= 1"),
        ("defaults.training.dropout", 1.0, "a number >= 0 and < 1"),
        ("defaults.training.corrupt", -0.2, "a share from 0 to 1"),
        ("defaults.training.corrupt", 1.01, "a share from 0 to 1"),
        ("defaults.training.seed", -1, "a whole number >= 0"),
        ("defaults.training.keep_epochs", [1, 1], "each once"),
        ("defaults.training.evaluate_every", 0, "a whole number >= 1"),
        ("defaults.training.require_train_accuracy", 99, "a share > 0 and <= 1, or null"),
        ("defaults.ablate_cumulative.split", "validation", "train or test"),
        ("defaults.ablate_cumulative.clamp", "zero", "a list"),
        ("defaults.ablate_cumulative.clamp", ["median"], "zero or mean"),
        ("defaults.ablate_cumulative.points", 1, "all, or a whole number >= 2"),
        ("defaults.ablate_cumulative.layers", 0, "all, or a whole number >= 1"),
        ("defaults.ablate_cumulative.layers", "last", "all, or a whole number >= 1"),
        ("defaults.ablate_checkpoints.layers", 2.5, "all, or a whole number >= 1"),
        ("defaults.ablate_checkpoints.points", 1, "all, or a whole number >= 2"),
        ("defaults.select_settings.subsets", 0, "a whole number >= 1"),
        ("defaults.add_noise.points", 1, "a whole number >= 2"),
        ("defaults.add_noise.lowest", 0, "a number > 0"),
        ("defaults.measure_units.bins", 1, "a whole number >= 2"),
        ("experiments.mnist_corruption.vary", {"corrupt": None, "seed": None}, "seed: [0] for a single run"),
        ("experiments.mnist_corruption.vary.seed", [], "a list of one or more values"),
        ("experiments.mnist_corruption.vary.seed", 3, "a list of one or more values"),
        ("experiments.mnist_corruption.vary.corrupt", [0.5, 1.5], "a share from 0 to 1"),
        ("experiments.conv_normalization.vary.batch_norm", [1, 0], "true or false"),
        ("experiments.mnist_corruption.analyses", ["add_noisse"], "did you mean add_noise?"),
        ("experiments.mnist_corruption.analyses", ["add_noise", "add_noise"], "each once"),
        ("experiments.no-path", {"vary": {"seed": [0]}, "analyses": ["add_noise"]}, "lower-case letters"),
        ("draw.fig77a", "mnist_corruption", "did you mean fig7a?"),
        ("draw.fig1a", ["mnist_corruption"], "the name of an experiment"),
    ],
)  # fmt: skip
def test_values_that_are_not_allowed(path, value, allowed):
    message = refused(**nested(path, value))
    # Names in a mapping are refused at the mapping, items of a list at their number.
    where = path if path.split(".")[-1] not in ("no-path", "fig77a") else path.rsplit(".", 1)[0]
    assert f"  {where}" in message
    assert "is refused: allowed is" in message
    assert allowed in message


@pytest.mark.parametrize("value", [True, False, float("nan"), float("inf"), "many", [1], {"a": 1}, None])
@pytest.mark.parametrize("key", ["epochs", "learning_rate", "corrupt", "images"])
def test_what_is_no_number_is_refused_as_one(key, value):
    message = refused(study="paper", defaults={"training": {key: value}})
    assert f"defaults.training.{key}" in message
    assert ("YAML reads yes" in message) == isinstance(value, bool)


@pytest.mark.parametrize(
    ("word", "number"),
    [("1e-3", "1.0e-3"), ("1e3", "1.0e+3"), ("1.e3", "1.0e+3"), ("2.5E3", "2.5e+3"), (".5e3", "0.5e+3"),
     ("5", "5"), ("0.1", "0.1"), (".5", "0.5"), ("5.", "5.0"), ("+1e-2", "+1.0e-2")],
)  # fmt: skip
def test_numbers_that_are_text_are_told_apart(word, number):
    assert f"write {number} without quotes" in refused(**corruption(training={"learning_rate": word}))
    assert yaml.safe_load(number) == float(word)  # the way out leads out


@pytest.mark.parametrize("word", ["", ".", "e3", "-", "1e", "0x10", "1_000", "ten", "1.2.3"])
def test_other_words_are_not_taken_for_numbers(word):
    assert schema.yaml_number(word) is None


def test_yaml_itself_has_the_trap():
    assert yaml.safe_load("1e-3") == "1e-3"


def test_a_missing_key_and_a_misspelt_experiment():
    without = given()
    del without["device"]
    del without["sources"]["mnist"]
    with pytest.raises(InputError) as caught:
        config.load(without, ROOT)
    lacking = [line.split("lacks ")[1] for line in str(caught.value).splitlines()[1:]]
    assert lacking == ["device", "mnist"]
    message = refused(experiments={"mnist_coruption": {"training": {"epochs": 3}}})
    assert "experiments.mnist_coruption (in config.yaml or the command line): lacks vary" in message
    assert "did you mean mnist_corruption?" in message


def test_keys_that_are_no_text_are_named():
    message = refused(experiments={1: {}, "mnist_corruption": {"training": {False: 3}}})
    assert "experiments.1 (in" in message
    assert "experiments.mnist_corruption.training.False (in" in message


def test_a_study_may_not_set_what_the_user_sets(clone):
    (clone / "configs/mine.yaml").write_text("device: cpu\nexperiment: {}\n")
    with pytest.raises(InputError) as caught:
        config.load(given(study="mine"), clone)
    assert "device (in configs/mine.yaml): is not for a study to set" in str(caught.value)
    assert "experiment (in configs/mine.yaml): is not for a study to set; did you mean exp" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [1", "not readable YAML"),
        ("- a\n- b\n", "holds a list"),
        ("defaults: {}\ndefaults: {}\n", "'defaults' stands twice"),
        ("draw:\n  fig1a: a\n  fig1a: b\n", "'fig1a' stands twice"),
        (b"\xff\xfe\x00", "not readable YAML"),
    ],
)
def test_files_that_cannot_be_read(clone, content, message):
    path = clone / "configs/mine.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=message) as caught:
        config.load(given(study="mine"), clone)
    assert "mine.yaml" in str(caught.value)


def test_an_empty_study_is_the_papers(clone):
    (clone / "configs/mine.yaml").write_text("# nothing yet\n")
    mine, paper = (config.load(given(study=name), clone) for name in ("mine", "paper"))
    assert mine | {"study": "paper"} == paper


def test_a_missing_base_is_named(clone):
    (clone / "configs/paper.yaml").unlink()
    with pytest.raises(InputError, match="paper.yaml does not exist"):
        config.load(given(study="quick"), clone)


# What planning costs


def test_planning_imports_no_heavy_library_and_starts_fast():
    heavy = ("torch", "torchvision", "pandas", "matplotlib", "scipy", "snakemake")
    modules = "config, runs, provenance, recipe, analyses, figures"
    code = (
        f"import resource, sys\nfrom directions import {modules}\n"
        f"print([name for name in {heavy} if name in sys.modules])\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\nprint(used.ru_utime + used.ru_stime)"
    )
    seconds = []
    for _ in range(5):  # processor time of the luckiest start: other work on this machine must not count
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
        )
        names, used = done.stdout.splitlines()
        assert names == "[]"
        seconds.append(float(used))
        if seconds[-1] < LONGEST:
            break
    assert min(seconds) < LONGEST
