import json
from pathlib import Path

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from directions.study import config, run_table, schema
from directions.study.catalogue import (
    ANALYSES,
    CLAMPED,
    COUNTED,
    DERIVED,
    FIGURES,
    VARIED,
    blocks,
    made_by,
    tables_of,
)
from directions.study.training_settings import LATER, OF_METHOD, VARIABLE

ROOT = Path(__file__).parents[3]


def load(**over):
    """The paper's study: its values are the paper's, while the small ones are tuned."""
    values = config.merge(config.read_yaml(ROOT / "config.yaml"), {"study": "paper"})
    return config.load(config.merge(values, over), ROOT)


def experiment(**over):
    """The paper's first experiment with other values, alone."""
    return load(experiments={"mnist_corruption": over}, figures="fig1a")


def undrawn(**vary):
    """The runs of an experiment that no figure shows, and that may so vary what no figure compares."""
    study = load(experiments={"undrawn": {"vary": vary, "analyses": ["measure_units"]}})
    return run_table.expand(study)["undrawn"]


def names(**over):
    return list(run_table.expand(experiment(**over))["mnist_corruption"])


@pytest.mark.parametrize(
    ("value", "word"),
    [(0.4, "0.4"), (0.0, "0.0"), (1.0, "1.0"), (1.0e-5, "0.00001"), (1.5e-7, "0.00000015"),
     (1e22, "1" + "0" * 22 + ".0"), (1, "1"), (True, "true"), (False, "false"),
     ("all", "all"), ([128, 64], "128x64"), ("sgd", "sgd")],
)  # fmt: skip
def test_words(value, word):
    assert run_table.text(value) == word


@for_any(st.floats(0, 1e12), st.floats(0, 1e12))
def test_words_of_numbers_are_theirs_alone(a, b):
    assert (run_table.text(a + 0.0) == run_table.text(b + 0.0)) == (a == b)
    assert set(run_table.text(a)) <= set("0123456789.")
    assert float(run_table.text(a)) == a


def test_names_say_what_is_varied_and_no_more():
    assert names(vary={"corrupt": [0.0, 0.4], "seed": [1, 2]}) == [
        "corrupt-0.0_seed-1", "corrupt-0.0_seed-2", "corrupt-0.4_seed-1", "corrupt-0.4_seed-2"
    ]  # fmt: skip
    assert names(vary={"corrupt": [0]}) == names(vary={"corrupt": [0.0]})
    varied = {"corrupt": None, "seed": [0], "images": ["all", 500], "learning_rate": [1.0e-5]}
    assert names(vary=varied) == [
        "images-500_learning_rate-0.00001_seed-0",
        "images-all_learning_rate-0.00001_seed-0",
    ]
    assert names(vary={"corrupt": None, "hidden": [[8, 4]], "seed": [0]}, training={"hidden": None}) == [
        "hidden-8x4_seed-0"
    ]


def test_varied_settings_stand_in_names_in_the_order_in_which_they_always_did():
    """In another order, all networks would have other names, and be trained again."""
    assert VARIABLE == (
        "dataset", "images", "model", "hidden", "init", "width", "batch_norm", "optimizer", "learning_rate",
        "momentum", "weight_decay", "batch", "epochs", "dropout", "method", "limit_loss", "limit_lambda",
        "limit_sample", "corrupt", "seed",
    )  # fmt: skip
    assert set(LATER) == {
        "init", "keep_every", "method", "limit_loss", "limit_lambda", "limit_sample", "limit_sum",
    }  # fmt: skip


def test_names_do_not_depend_on_the_order_of_keys_or_values():
    base = config.read_yaml(ROOT / "config.yaml") | {"study": "paper"}
    one = {"vary": {"batch": [16, 8], "seed": [2, 10]}, "analyses": ["ablate_single"]}
    other = {"analyses": ["ablate_single"], "vary": {"seed": [10, 2], "batch": [8, 16]}}
    loaded = [config.load(base | {"experiments": {"new": new}}, ROOT) for new in (one, other)]
    first, second = ([run_table.expand(c), run_table.key_columns(c, "new")] for c in loaded)
    assert json.dumps(first) == json.dumps(second)
    assert list(first[0]["new"]) == [
        "batch-16_seed-10",
        "batch-16_seed-2",
        "batch-8_seed-10",
        "batch-8_seed-2",
    ]


def test_a_run_has_all_its_settings():
    chosen = run_table.expand(experiment(training={"epochs": 9}))["mnist_corruption"]["corrupt-0.6_seed-2"]
    assert (chosen["corrupt"], chosen["seed"], chosen["epochs"]) == (0.6, 2, 9)
    assert set(VARIABLE) - set(LATER) < set(chosen)
    assert set(chosen) - set(VARIABLE) == {
        "keep_epochs",
        "evaluate_every",
        "require_train_accuracy",
        "precision",
        "pad",
        "test_images",
        *("norm_batch", "steps", "schedule", "augment"),
    }


def test_steps_between_checkpoints_are_a_setting_of_networks_that_have_them_only():
    """So that networks which were trained before there was such a setting are still what is asked for."""
    assert "keep_every" not in run_table.expand(experiment())["mnist_corruption"]["corrupt-0.6_seed-2"]
    kept = run_table.expand(experiment(training={"keep_every": 100}))["mnist_corruption"]
    assert kept["corrupt-0.6_seed-2"]["keep_every"] == 100


def test_settings_of_one_method_neither_name_nor_multiply_the_runs_of_others():
    table = undrawn(
        method=["cross_entropy", "limit"], limit_loss=["laplace"],
        limit_lambda=[0, 3], seed=[1],
    )  # fmt: skip
    assert list(table) == [
        "method-cross_entropy_seed-1",
        "method-limit_limit_loss-laplace_limit_lambda-0.0_seed-1",
        "method-limit_limit_loss-laplace_limit_lambda-3.0_seed-1",
    ]
    assert "limit_lambda" not in table["method-cross_entropy_seed-1"]


def test_no_method_named_is_cross_entropy():
    assert list(undrawn(method=[None, "mae"])) == ["method-cross_entropy", "method-mae"]
    assert list(undrawn(method=[None, "cross_entropy"], seed=[1])) == ["method-cross_entropy_seed-1"]


def test_what_a_model_never_reads_is_none():
    table = undrawn(model=["mlp", "conv11", "resnet50"], seed=[0])
    own = ("hidden", "width", "batch_norm", "pad")
    assert {row["model"]: [row[key] for key in own] for row in table.values()} == {
        "mlp": [[512, 512], None, None, None],
        "conv11": [None, 1.0, True, 0],
        "resnet50": [None, 1.0, None, 0],
    }


def test_yes_and_no_are_said_in_words():
    study = load(figures="fig5b")
    assert list(run_table.expand(study)["conv_normalization"])[::4] == [
        "batch_norm-false_seed-0",
        "batch_norm-true_seed-0",
    ]
    assert run_table.key_columns(study, "conv_normalization")["batch_norm-false_seed-3"] == {
        "batch_norm": False, "seed": 3
    }  # fmt: skip


def test_what_an_optimizer_never_reads_is_none():
    table = run_table.expand(experiment(vary={"optimizer": ["sgd", "adam"], "corrupt": None, "seed": [0]}))
    assert {row["optimizer"]: row["momentum"] for row in table["mnist_corruption"].values()} == {
        "sgd": 0.9, "adam": None
    }  # fmt: skip


def test_only_what_the_figures_need_is_expanded():
    assert list(run_table.expand(load(figures="figA4a"))) == ["mnist_selectivity"]
    assert list(run_table.expand(load(figures=["figA4a", "fig2a"]))) == [
        "mnist_corruption",
        "mnist_selectivity",
    ]
    extra = {"extra": {"vary": {"seed": [0]}, "analyses": ["add_noise"]}}
    assert list(run_table.expand(load(experiments=extra))) == [*run_table.expand(load()), "extra"]
    assert list(run_table.expand(load(experiments=extra, figures="fig1a"))) == ["mnist_corruption"]


def test_key_columns_hold_one_value_each():
    varied = {"corrupt": None, "seed": [0], "batch": [32], "hidden": [[8, 4]]}
    study = experiment(vary=varied, training={"hidden": None})
    assert run_table.key_columns(study, "mnist_corruption") == {
        "hidden-8x4_batch-32_seed-0": {"hidden": "8x4", "batch": 32, "seed": 0}
    }


def test_key_columns_keep_the_order_of_the_runs_through_sorted_json():
    study = experiment(vary={"seed": [0, 1, 2, 10, 20], "corrupt": [0.0, 1.0]})
    through = json.loads(json.dumps(run_table.key_columns(study, "mnist_corruption"), sort_keys=True))
    assert list(through) == list(run_table.expand(study)["mnist_corruption"])


def test_ledgers_are_shared_by_runs_with_equal_labels():
    ledgers = run_table.labels(run_table.expand(load()))
    assert {name: len(group) for name, group in ledgers.items()} == {
        # seeds 0..2 of the clean networks serve all but one; controls; examples share some of theirs
        "mnist": 6 * 3 + 1 + 3 + 3 * 2 * 3 + (6 * 3 - 3),
        "pvr": 3 * 2 * 3,
        "mnist_clones_full": 3 * 2 * 3,
        "mnist_clones_isotropic": 3 * 2 * 3,
        "mnist_4v9": 4 * 3,
        "cifar10": 5 * 3 + 40 + 3,  # and conv_limit
        "imagenet": 6 * 2,
    }
    assert ledgers["mnist"]["images-all_corrupt-0.4_seed-1"] == {"images": "all", "corrupt": 0.4, "seed": 1}
    table = run_table.expand(experiment(training={"images": 5000}))["mnist_corruption"]
    assert run_table.labels_name(table["corrupt-1.0_seed-2"]) == "images-5000_corrupt-1.0_seed-2"


def test_ledgers_of_several_data_sets():
    ledgers = run_table.labels({"undrawn": undrawn(dataset=["mnist", "cifar10"], seed=[0])})
    assert {name: list(group) for name, group in ledgers.items()} == {
        "cifar10": ["images-all_corrupt-0.0_seed-0"], "mnist": ["images-all_corrupt-0.0_seed-0"]
    }  # fmt: skip


def test_every_table_that_a_figure_reads_is_made():
    for tables in FIGURES.values():
        assert set(tables) <= set(made_by({}))
    assert tables_of(ANALYSES, {}) == list(made_by({}))
    assert tables_of(["add_noise"], {}) == ["runs", "history", "noise"]
    assert tables_of(["ablate_cumulative"], {}) == ["runs", "history", "areas", "selection", "ablation"]
    assert set(DERIVED) < set(made_by({}))


def test_the_registries_agree_with_the_library_and_the_schema():
    from directions import models

    assert set(run_table.MODELS) == set(models.MODELS)
    rules = schema.read()
    assert tuple(rules["$defs"]["vary"]["properties"]) == VARIABLE
    training = rules["$defs"]["training"]["properties"]
    assert rules["properties"]["defaults"]["properties"]["training"]["required"] == [
        key for key in training if key not in ("precision", *OF_METHOD)
    ]
    for own in (*run_table.MODELS.values(), *run_table.OPTIMIZERS.values()):
        assert set(own) <= set(training)
    defaults = rules["properties"]["defaults"]
    assert set(defaults["required"]) == set(defaults["properties"]) == {"training", *blocks({})}
    assert set(blocks({}).values()) == set(ANALYSES)
    for name in blocks({}):  # defaults give every value of every analysis, but those that may be left out
        values = [
            key
            for key in rules["$defs"][name]["properties"]
            if key not in ("ratios", "epochs", "norm_images")
        ]
        assert defaults["properties"][name]["required"] == values
        assert name in rules["$defs"]["experiment"]["properties"]
    assert set(VARIED.values()) <= set(VARIABLE)
    assert {*VARIED, *COUNTED, *CLAMPED} <= set(FIGURES)
