import copy
import json
import subprocess
import sys

import numpy as np
import pytest
from studies import ROOT, corruption, given, load, refused

from directions.study import config, run_table, schema, training_settings, training_steps
from directions.study.catalogue import FIGURES

# What is merged


def test_every_study_of_the_repository_loads():
    for path in set((ROOT / "configs").glob("*.yaml")) - set((ROOT / "configs").glob("own*.yaml")):
        study = load(study=path.stem)
        assert study["figures"] == [name for name in FIGURES if name in study["draw"]]
        assert run_table.expand(study)


def test_the_papers_values():
    networks = run_table.expand(load(study="paper"))
    assert {name: len(group) for name, group in networks.items()} == {
        "mnist_corruption": 6 * 3, "mnist_selectivity": 4, "mnist_early_stopping": 3,
        "mnist_dropout": 3 * 2 * 3, "mnist_limit": 6 * 5 * 3, "mlp_controls": 4 * 3 * 2 * 3,
        "mnist_limit_dropout": 3 * 5 * 3, "conv_limit": 4 * 3 * 3, "mnist_cmi": 4 * 3,
        "mnist_examples": 6 * 3,
        "conv_corruption": 6 * 3, "conv_ensemble": 5 * 40,
        "conv_sweep": 96 * 2, "conv_normalization": 2 * 4, "conv_selectivity": 4,
        "resnet_corruption": 6 * 2, "resnet_selectivity": 2,
    }  # fmt: skip
    one = networks["mnist_corruption"]["corrupt-0.4_seed-1"]
    assert one == {
        "dataset": "mnist", "images": "all", "test_images": "all",
        "pad": None, "model": "mlp", "hidden": [512, 512], "init": "he", "width": None,
        "batch_norm": None, "optimizer": "adam", "learning_rate": 0.001, "momentum": None,
        "weight_decay": 0.0, "batch": 128, "norm_batch": None, "epochs": 640, "steps": None,
        "schedule": "constant", "augment": False, "dropout": 0.0, "corrupt": 0.4, "seed": 1,
        "keep_epochs": [], "evaluate_every": 10, "require_train_accuracy": None, "precision": "float32",
    }  # fmt: skip
    widths = {"mnist_selectivity": 128, "mnist_early_stopping": 2048, "mnist_dropout": 2048}
    for name, width in widths.items():
        assert all(row["hidden"] == [width, width] for row in networks[name].values())
    assert {row["epochs"] for row in networks["mnist_dropout"].values()} == {5000}


def test_the_papers_early_stopping():
    study = load(study="paper")
    rows = run_table.expand(study)["mnist_early_stopping"].values()
    assert [len(training_steps.checkpoints(training_settings.read(row), 60_000)) for row in rows] == [190] * 3
    assert {row["epochs"] for row in rows} == {26}
    asked = study["experiments"]["mnist_early_stopping"]["ablate_checkpoints"]
    assert (asked["images"], asked["layers"], asked["points"]) == (10_000, "all", 33)
    assert study["draw"]["fig4a"] == study["draw"]["fig4b"] == "mnist_early_stopping"


def test_the_papers_noise():
    study = load(study="paper")["experiments"]
    dense, conv = (study[name]["add_noise"] for name in ("mnist_corruption", "conv_corruption"))
    ratios = [np.geomspace(asked["lowest"], asked["highest"], asked["points"]) for asked in (dense, conv)]
    np.testing.assert_allclose(ratios[0], [10 ** (k / 7) for k in range(-9, 8)], rtol=1e-5)
    assert (ratios[1][0], ratios[1][-1], len(ratios[1])) == (0.1, 1.0, 20)


def test_the_papers_convolutional_networks():
    study = load(study="paper")
    networks = run_table.expand(study)
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
    limited = {"epochs", "method", "limit_loss", "limit_lambda"}
    shared = {
        json.dumps(
            {key: row[key] for key in row if key not in varied | (limited if name == "conv_limit" else set())}
            | ({"epochs": 100} if name == "conv_limit" else {}),
            sort_keys=True,
        )
        for name, group in convolutional.items()
        for row in group.values()
    }
    assert len(shared) == 1
    for name in set(convolutional) - {"conv_ensemble", "conv_sweep"}:
        assert {(row["learning_rate"], row["batch"]) for row in convolutional[name].values()} == {(0.001, 32)}
    settings = {(row["learning_rate"], row["batch"]) for row in networks["conv_sweep"].values()}
    assert len(settings) == 96
    asked = {name: study["experiments"][name].get("ablate_cumulative") for name in convolutional}
    assert {name: (block["layers"], block["points"]) for name, block in asked.items() if block} == {
        "conv_corruption": (3, 49), "conv_limit": (3, 49), "conv_normalization": (3, 49),
        "conv_ensemble": ("all", 65), "conv_sweep": ("all", 65),
    }  # fmt: skip


def test_the_papers_residual_networks():
    study = load(study="paper")
    networks = run_table.expand(study)
    layers = study["experiments"]["resnet_corruption"]["ablate_cumulative"]["layers"]
    assert layers == [f"block{number}.relu3" for number in (14, 15, 16)]
    one = networks["resnet_corruption"]["corrupt-0.4_seed-1"]
    assert one == {
        "dataset": "imagenet", "images": "all", "test_images": "all",
        "pad": 0, "model": "resnet50", "hidden": None, "width": 1.0,
        "batch_norm": None, "optimizer": "sgd", "learning_rate": 0.4, "momentum": 0.9,
        "weight_decay": 0.0, "batch": 1024, "norm_batch": 32, "epochs": None, "steps": 200_000,
        "schedule": "cosine", "augment": False, "dropout": 0.0, "corrupt": 0.4, "seed": 1,
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
    for experiment, group in run_table.expand(study).items():
        for row in group.values():
            assert row["steps"] is None or experiment == "mlp_controls"  # equally many for all its data sets
            large = (row["norm_batch"], row["augment"], row["weight_decay"], row["precision"])
            assert large == (None, False, 0.0, "float32")


def test_the_laptop_study_has_the_papers_networks_of_mnist_and_smaller_ones_of_fashion_mnist():
    networks, papers = (run_table.expand(load(study=name)) for name in ("laptop", "paper"))
    corrupted = networks["mnist_corruption"]["corrupt-0.4_seed-1"]
    full = papers["mnist_corruption"]["corrupt-0.4_seed-1"]
    same = ("dataset", "images", "hidden", "learning_rate", "batch")
    assert [corrupted[key] for key in same] == [full[key] for key in same]
    assert (corrupted["epochs"], full["epochs"]) == (320, 640)
    for name, group in networks.items():
        if name == "mlp_controls":  # on other data sets
            continue
        convolutional = not name.startswith("mnist_")
        for row in group.values():
            dense = "mnist_4v9" if name == "mnist_cmi" else "mnist"
            assert row["dataset"] == ("fashion_mnist" if convolutional else dense)
            narrow = 0.125 if name.startswith("conv_") else 0.25
            assert (row["pad"], row["width"]) == ((2, narrow) if convolutional else (None, None))
        if not convolutional and name != "mnist_cmi":
            assert {str(row["hidden"]) for row in group.values()} == {
                str(row["hidden"]) for row in papers[name].values()
            }


def test_the_quick_study_draws_every_figure_on_small_networks_of_mnist():
    study = load(study="quick")
    assert study["figures"] == list(FIGURES)
    networks = [row for group in run_table.expand(study).values() for row in group.values()]
    assert {row["dataset"] for row in networks} == {"mnist", "mnist_4v9", "mnist_clones_full", "pvr"}
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
    assert block == {
        "split": "train",
        "layers": "all",
        "orderings": 10,
        "clamp": ["zero"],
        "points": "all",
        "precision": "float32",
        "images": "all",
    }


def test_null_removes_what_can_be_removed_and_leaves_sections_alone():
    base = {"experiments": {"a": {"vary": {"seed": [1], "corrupt": [0]}, "add_noise": {"points": 3}}}}
    assert config.merge(base, {"experiments": {"a": {"vary": {"corrupt": None}, "add_noise": None}}}) == {
        "experiments": {"a": {"vary": {"seed": [1]}}}
    }
    own = {"experiments": {"a": {"training": {"hidden": [8], "require_train_accuracy": 0.9}}}}
    nulls = {"experiments": {"a": {"training": {"hidden": None, "require_train_accuracy": None}}}}
    assert config.merge(own, nulls) == {"experiments": {"a": {"training": {"require_train_accuracy": None}}}}
    assert config.merge(base, {"experiments": None}) == base  # all its lines were commented out


def test_with_an_experiment_go_its_drawings_but_none_that_was_given_another():
    study = load(study="paper", experiments={"conv_sweep": None})
    assert "conv_sweep" not in study["experiments"]
    assert "fig4b" in study["figures"]
    assert "fig4c" not in study["figures"]
    study = load(study="paper", experiments={"conv_sweep": None}, draw={"fig4c": "conv_ensemble"})
    assert "fig4c" in study["figures"]
    refusal = refused(study="paper", experiments={"conv_sweep": None}, draw={"fig3a": "conv_sweep"})
    assert "draw.fig3a: conv_sweep is not an experiment" in refusal


def test_where_figures_are_chosen_the_rest_of_the_study_need_not_make_sense():
    few = {"defaults": {"training": {"images": 500, "epochs": 5}}}
    assert "images 10000 is more than the 500" in refused(study="paper", **few)
    study = load(study="paper", figures="fig1a", **few)
    assert study["experiments"]["mnist_corruption"]["training"]["epochs"] == 5
    assert "images 10000 is more than the 500" in refused(study="paper", figures="fig1a,fig4a", **few)


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


# What planning costs


def test_planning_imports_no_heavy_library():
    heavy = ("torch", "torchvision", "pandas", "pyarrow", "matplotlib", "scipy", "snakemake")
    modules = (
        "study.config study.run_table study.fingerprints study.catalogue core.recipe figures workflow.jobs"
    )
    code = (
        f"import sys, importlib\n"
        f"for name in {modules.split()}: importlib.import_module(f'directions.{{name}}')\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"
