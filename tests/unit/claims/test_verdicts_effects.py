"""Every claim comes out right in a world where it is, and wrong in one where its effect is turned round."""

import functools

import pandas as pd
import pytest
import synthetic
import synthetic_bounds
import synthetic_claims as world
import synthetic_controls
import synthetic_examples
import synthetic_memorization
import synthetic_paper as theirs
import synthetic_shared

from directions.claims import verdicts as claims_verdicts
from unit.claims.test_verdicts import CLAIMS

# Follow-up work, or a replication, and the paper cannot both be right: in the paper's world these are wrong.
FRACTIONS = ("0.0", "0.2", "0.4", "0.6", "0.8", "1.0")
REPLICATION = {f"fig1a_replication_{fraction}" for fraction in FRACTIONS}
CONTRARY = {"fig7c_within_layers", "figA4c_within_layers"} | REPLICATION


def of_fractions(*names: str) -> str:
    """Claims that there are for every fraction of labels corrupted."""
    return " ".join(f"{name}_{fraction}" for name in names for fraction in FRACTIONS)


def of_dropout(*names: str) -> str:
    """Claims that there are for every dropout fraction."""
    return " ".join(f"{name}_{fraction}" for name in names for fraction in ("0.1", "0.2", "0.3"))


WRONG = {  # name of a changed world: (experiment, its tables, claims that must come out as not reproduced)
    "mnist corruption": (
        "mnist_corruption",
        lambda: world.corruption(world.MLP | {"hidden": "512x512"}, "fig1a", "fig2a", turned=True),
        "fig1a_clean_above_corrupted fig1a_clean_most_robust fig1a_trend fig1a_shape_largest"
        " fig1a_area_0.0 fig1a_area_0.2 fig1a_area_0.8 fig1a_area_1.0 fig1a_shape_0.0 fig1a_shape_0.2"
        " fig1a_shape_0.8 fig1a_shape_1.0 fig2a_clean_above_corrupted fig2a_consistently fig2a_shape_largest"
        " fig2a_mean_0.0 fig2a_mean_0.2 fig2a_mean_0.8 fig2a_mean_1.0 fig2a_half_0.0 fig2a_half_0.2"
        " fig2a_half_0.8 fig2a_half_1.0 fig2a_shape_0.0 fig2a_shape_0.2 fig2a_shape_0.8 fig2a_shape_1.0",
    ),
    "units share more where labels are corrupted": (
        "mnist_corruption",
        lambda: synthetic_shared.added(world.corruption(world.MLP, "fig1a"), sign=-1),
        "pairs_area_falls pairs_area_falls_pre pairs_area_tracks pairs_area_tracks_within"
        " pairs_area_entropy pairs_area_entropy_standardised orders_information orders_synergy"
        " orders_synergy_beyond_information orders_selectivity redundancy_falls redundancy_synergy_falls"
        " memories_flip memories_area layers_area_deep",
    ),
    "networks that reproduce wrong labels rely less on single units": (
        "mnist_limit",
        lambda: synthetic_memorization.tables(**world.MLP, sign=-1),
        "limit_follows limit_lowers",
    ),
    "the way of learning matters": (
        "mnist_limit",
        lambda: synthetic_memorization.tables(**world.MLP, off=0.2),
        "limit_on_curve",
    ),
    "networks with dropout that reproduce wrong labels rely less on single units": (
        "mnist_limit_dropout",
        lambda: synthetic_memorization.tables(ways=synthetic_memorization.WAYS_DROPOUT, **world.MLP, sign=-1),
        "limit_dropout_follows limit_dropout_lowers",
    ),
    "dropout matters": (
        "mnist_limit_dropout",
        lambda: synthetic_memorization.tables(ways=synthetic_memorization.WAYS_DROPOUT, **world.MLP, off=0.2),
        "limit_dropout_on_curve",
    ),
    "conv nets that reproduce wrong labels rely less on single maps": (
        "conv_limit",
        lambda: synthetic_memorization.tables(**world.CONV | {"hidden": "1"}, sign=-1),
        "limit_conv_follows limit_conv_lowers",
    ),
    "the way of learning matters to conv nets": (
        "conv_limit",
        lambda: synthetic_memorization.tables(**world.CONV | {"hidden": "1"}, off=0.2),
        "limit_conv_on_curve",
    ),
    "networks that overfit rely less on single units": (
        "mlp_controls",
        lambda: synthetic_controls.tables(slope=0.5),
        "controls_pvr_overfit controls_true_overfit controls_overfit controls_mnist_corruption"
        " controls_pvr_corruption",
    ),
    "clones take as many units as real images": (
        "mlp_controls",
        lambda: synthetic_controls.tables(clones=-1),
        "controls_clones controls_isotropic",
    ),
    "networks tell less about corrupted labels, and keep more": (
        "mnist_cmi",
        lambda: synthetic_bounds.tables(sign=-1),
        "cmi_rises cmi_area",
    ),
    "the gap is larger than the bound": (
        "mnist_cmi",
        lambda: synthetic_bounds.tables(scale=0.9),
        "cmi_holds",
    ),
    "half of the labels are too many": (
        "mnist_cmi",
        lambda: synthetic_bounds.tables(lowest=0.4),
        "cmi_says_something",
    ),
    "corrupted labels are simple, and tell little": (
        "mnist_examples",
        lambda: synthetic_examples.tables(**world.MLP, sign=-1),
        "complexity_grows complexity_follows examples_wrong examples_baseline examples_first",
    ),
    "wrong labels stay complex": (
        "mnist_examples",
        lambda: synthetic_examples.tables(**world.MLP, simpler=-0.3),
        "complexity_learned",
    ),
    "dropout takes redundancy away": (
        "mnist_dropout",
        lambda: synthetic_shared.with_pairs(world.dropout(), sign=-1),
        "redundancy_dropout_rises redundancy_dropout_synergy",
    ),
    "everything is fragile": (
        "mnist_corruption",
        lambda: fragile("mnist_corruption"),
        of_fractions("fig1a_area", "fig1a_shape", "fig2a_mean", "fig2a_half", "fig2a_shape"),
    ),
    "conv corruption": (
        "conv_corruption",
        lambda: world.corruption(world.CONV, "fig1b", "fig2b", turned=True, zero_lead=-0.1),
        "fig1b_clean_above_corrupted fig1b_clean_most_robust fig1b_trend fig1b_shape_largest"
        " fig2b_clean_above_corrupted fig2b_consistently fig2b_shape_largest figA1_zero_less_damaging",
    ),
    "all convolutional networks are fragile": (
        "conv_corruption",
        lambda: fragile("conv_corruption"),
        of_fractions("fig1b_area", "fig1b_shape", "fig2b_mean", "fig2b_half", "fig2b_shape"),
    ),
    "resnet corruption": (
        "resnet_corruption",
        lambda: world.corruption(world.RESNET, "fig1c", turned=True),
        "fig1c_clean_above_corrupted fig1c_clean_most_robust fig1c_shape_largest",
    ),
    "all ResNets are fragile": (
        "resnet_corruption",
        lambda: fragile("resnet_corruption"),
        of_fractions("fig1c_shape"),
    ),
    "better networks are fragile": (
        "conv_ensemble",
        lambda: world.ensemble(between=-1, within=-1),
        "fig3a_best_above_worst fig3a_area_best fig3a_area_worst fig3a_shape_best fig3a_shape_worst"
        " fig3a_shape_largest fig3b_negative fig3b_rank_correlation fig3b_within_learning_rate",
    ),
    "between learning rates only": (
        "conv_ensemble",
        lambda: world.ensemble(within=-1),
        "fig3b_within_learning_rate",
    ),
    "no clusters": ("conv_ensemble", lambda: world.ensemble(between=0, within=5), "fig3b_clusters"),
    "area never drops": (
        "mnist_early_stopping",
        lambda: world.course("never drops"),
        "fig4a_drops fig4a_same_time fig4a_peak_epoch fig4a_end fig4b_negative fig4b_rank_correlation",
    ),
    "area rises late": ("mnist_early_stopping", lambda: world.course("rises late"), "fig4a_rises_early"),
    "area only falls": ("mnist_early_stopping", lambda: world.course("only falls"), "fig4a_rises"),
    "test loss is high, and lowest late": (
        "mnist_early_stopping",
        lambda: world.course(loss="another"),
        "fig4a_lowest_loss fig4a_lowest_loss_epoch",
    ),
    "area against test accuracy": (
        "conv_sweep",
        lambda: world.sweep(correlation=-0.914, top=(0, 0, 0), gap=(0.05, 0.05)),
        "fig4c_positive fig4c_rank_correlation fig4c_top1 fig4c_top5 fig4c_top10 fig4c_gap fig4c_gap_sd"
        " fig4c_better_than_chance fig4c_relative_area fig4c_among_memorisers",
    ),
    "only training accuracy": ("conv_sweep", lambda: world.sweep(relative=-1), "fig4c_relative_area"),
    "dropout helps memorisers": (
        "mnist_dropout",
        lambda: world.dropout(clean=0.05, corrupted=0.9, protects=False, loss=-0.1),
        "fig5a_kept_clean fig5a_clean_above_corrupted fig5a_further_difference fig5a_clean_robust"
        " fig5a_worse_solutions fig5a_shape_largest "
        + of_dropout("fig5a_area_original", "fig5a_shape_original"),
    ),
    "dropout protects nobody": (
        "mnist_dropout",
        lambda: world.dropout(corrupted=0.05, protects=False),
        "fig5a_kept_corrupted "
        + of_dropout("fig5a_area_corrupted", "fig5a_shape_corrupted", "fig5a_further_corrupted"),
    ),
    "dropout fractions differ": ("mnist_dropout", lambda: world.dropout(alike=False), "fig5a_clean_alike"),
    "batch norm": (
        "conv_normalization",
        lambda: world.batch_norm(turned=True),
        "fig5b_batch_norm_above fig5b_area_with fig5b_area_without fig5b_shape_with fig5b_shape_without"
        " fig5b_shape_largest fig6a_lower_selectivity fig6a_fewer_selective fig6a_mean_with"
        " fig6a_mean_without fig6b_more_information fig6b_mean_with fig6b_mean_without fig6b_coarse_bins"
        " fig6b_fine_bins",
    ),
    "mlp units, signs": (
        "mnist_selectivity",
        lambda: world.mlp_units(
            early=-0.4, late=-0.4, worst=-0.7, information=(-0.4, 0, -0.4), importance_depth=0.7,
            weighted=0, cost=2,
        ),
        "fig7a_weighted_selectivity fig7a_free_units"
        " fig7a_rank_correlation fig7a_early_layers fig7a_within_layers fig7a_worst_class"
        " fig7a_worst_class_gain figA4a_within_layers",
    ),
    "mlp units, strong": (
        "mnist_selectivity",
        lambda: world.mlp_units(early=0.95, late=0.95, information=(0.8, 0, 0.8), importance_depth=0.0),
        "fig7a_poor_predictor fig7a_minimal_impact figA4a_poor_predictor figA4a_more_predictive",
    ),
    "conv units, within layers": (
        "conv_selectivity",
        lambda: world.conv_units(
            early=0.7, middle=0.5, late=0.4, information=(0, 0.3, 0), worst=-0.7, l1=0.5,
            depth=0, importance_depth=0, weighted=0, cost=2,
        ),
        "fig7b_weighted_selectivity fig7b_free_units"
        " fig7b_negative fig7b_rank_correlation fig7b_worst_class fig7b_worst_class_gain fig7c_early_negative"
        " fig7c_first_layer fig7c_layer_mean fig7c_later_largest"
        " fig7c_late_none fig7c_mostly_early figA3a_negative figA3a_within_layers figA4b_more_predictive"
        " figA4c_early_and_late",
    ),
    "conv units, between layers": (
        "conv_selectivity",
        lambda: world.conv_units(depth=-1, importance_depth=1, information=(0.9, 0.9, 0.9)),
        "fig7c_early_layers figA2a_rises_with_depth figA4b_poor_predictor",
    ),
    "resnet units": (
        "resnet_selectivity",
        lambda: world.resnet_units(
            early=0.7, late=0.7, worst=-0.7, l1=0.5, depth=-1, importance_depth=0.5, information=(0, 0, 0),
            weighted=0, cost=2,
        ),
        "fig7d_weighted_selectivity fig7d_free_units"
        " fig7d_no_more_impact fig7d_rank_correlation fig7e_first_layer fig7e_layer_mean"
        " fig7d_worst_class fig7d_worst_class_gain fig7e_within_no_more"
        " fig7e_early_layers figA2b_rises_with_depth figA3b_uncorrelated figA4d_more_predictive",
    ),
    "resnet units, information": (
        "resnet_selectivity",
        lambda: world.resnet_units(information=(0.9, 0.9, 0.9), information_depth=0),
        "figA4d_poor_predictor figA4e_poor_within_layers",
    ),
}  # fmt: skip


def fragile(experiment: str) -> dict:
    """The paper's tables of an experiment with accuracy gone after a few units or with little noise."""
    tables = world.paper_of(experiment)
    ablation, areas = tables["ablation"], tables["areas"]
    share = ablation["ablated"] / ablation["units"]
    fallen = {
        "ablation": ablation.assign(accuracy=0.1 + 0.9 * (share < 0.05)),
        "areas": areas.assign(auc=0.1),
    }
    if "noise" in tables:
        noise = tables["noise"]
        fallen["noise"] = noise.assign(accuracy=0.1 + 0.9 * (noise["noise_sd_ratio"] < 0.05))
    return tables | fallen


def checked(tables: dict[str, dict], chosen=None) -> pd.DataFrame:
    """Results of the claims about these experiments, and only the `chosen` ones, by claim."""
    asked = {figure: name for figure, name in world.EXPERIMENTS.items() if name in tables}
    rows = [claim for claim in claims_verdicts.load(CLAIMS) if chosen is None or claim.id in chosen]
    found = claims_verdicts.check(
        rows, asked, lambda experiment, name: tables[experiment][name], theirs.panel
    )
    return found.set_index("id")


@functools.cache
def in_the_paper_s_world() -> pd.DataFrame:
    return checked(world.paper())


def test_where_the_paper_is_right_every_claim_is_reproduced():
    found = in_the_paper_s_world()
    assert len(found) == len(claims_verdicts.load(CLAIMS)) == 249
    assert set(found.index[found["verdict"] != "reproduced"]) == CONTRARY
    assert set(found.loc[sorted(CONTRARY), "verdict"]) == {"not reproduced"}


@pytest.mark.parametrize("name", WRONG)
def test_a_turned_effect_is_not_reproduced(name):
    experiment, make, wrong = WRONG[name]
    found = checked({experiment: make()}, wrong.split())
    assert found["verdict"].to_dict() == dict.fromkeys(wrong.split(), "not reproduced")


def test_every_claim_has_a_world_in_which_it_is_wrong():
    told = {claim for _, _, wrong in WRONG.values() for claim in wrong.split()}
    assert told | CONTRARY == {claim.id for claim in claims_verdicts.load(CLAIMS)}


def test_where_the_replication_is_right_its_numbers_are_and_the_paper_s_are_not():
    tables = synthetic.corruption_tables()
    paper = {f"fig1a_area_{fraction}" for fraction in FRACTIONS}
    found = checked({"mnist_corruption": tables}, {*REPLICATION, *paper, "fig1a_clean_above_corrupted"})
    verdicts = found["verdict"]
    assert set(verdicts[sorted(REPLICATION)]) == {"reproduced"}
    assert set(verdicts[sorted(paper)]) == {"not reproduced"}
    assert verdicts["fig1a_clean_above_corrupted"] == "reproduced"


def test_follow_up_work_is_right_where_layers_differ_from_their_pool():
    tables = world.conv_units(
        early=0.4, middle=0.4, late=0.4, information=(0.4, 0.4, 0.4), importance_depth=-4, depth=3
    )
    found = checked({"conv_selectivity": tables}, {*CONTRARY, "fig7b_negative"})
    assert set(found["verdict"]) == {"reproduced"}


def test_results_are_sorted_as_in_the_paper():
    figures = " ".join(dict.fromkeys(in_the_paper_s_world()["figure"]))
    assert figures == (
        "fig1a fig1b fig1c fig2a fig2b fig3a fig3b fig4a fig4b fig4c fig5a fig5b fig6a fig6b fig7a fig7b"
        " fig7c fig7d fig7e figA1 figA2a figA2b figA3a figA3b figA4a figA4b figA4c figA4d figA4e"
        " cmi complexity controls examples layers_area limit limit_conv limit_dropout memories orders"
        " pairs_area redundancy redundancy_dropout"
    )


def test_each_result_says_what_it_was_tested_on():
    scale = in_the_paper_s_world()["tested_on"]
    assert scale["fig1a_trend"] == "MNIST, mlp 512x512, 60,000 images, 640 epochs"
    assert scale["fig7b_negative"] == "CIFAR-10, conv11 width 1.0, 50,000 images, 100 epochs"


def test_training_that_ends_after_steps_says_so():
    settings = {"dataset": "imagenet", "model": "resnet50", "width": 1.0, "train_images": 1_281_167}
    runs = pd.DataFrame([settings | {"epochs": None, "steps": 200_000, "seed": seed} for seed in (0, 1)])
    assert claims_verdicts.tested_on(runs) == "ImageNet, resnet50 width 1.0, 1,281,167 images, 200,000 steps"


SMALL = {"dataset": "mnist", "width": 0.125, "train_images": 1000, "epochs": 20}


def test_at_another_scale_directions_are_tested_and_numbers_only_shown():
    tables = {
        "conv_selectivity": world.maps(
            world.CONV | SMALL, 9, early=-0.6, late=0.0, importance_depth=-1.0, depth=1.0
        ),
        "conv_sweep": world.sweep(settings=8),
    }
    tables["conv_sweep"]["runs"] = tables["conv_sweep"]["runs"].assign(**SMALL)
    found = checked(tables)
    numbers = found[found["kind"] == "value"]
    assert len(numbers) == 10
    assert set(numbers["verdict"]) == {"not testable at this scale"}
    assert numbers["estimate"].notna().all()
    assert "needs settings=96, here 8" in numbers.loc["fig4c_top5", "note"]
    assert "needs width=1.0, here 0.125" in numbers.loc["fig7b_rank_correlation", "note"]
    assert found.loc["fig7b_negative", "verdict"] == "reproduced"
    assert found.loc["fig7b_negative", "tested_on"] == "MNIST, conv11 width 0.125, 1,000 images, 20 epochs"
