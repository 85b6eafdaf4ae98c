"""A wrong number must come out wrong: tables with effects dialled in, claims with numbers tampered with."""

import csv
from pathlib import Path

import pandas as pd
import pytest
import synthetic
import synthetic_claims as world
import synthetic_paper as theirs

from directions.claims import statistics
from directions.claims import verdicts as claims_verdicts
from directions.claims.statistics import Estimate
from directions.core.errors import InputError

PAPER = Path(__file__).parents[3] / "data" / "paper"
CLAIMS = PAPER / "claims.csv"
EXPERIMENTS = {"fig1a": "corruption", "fig2a": "corruption", "fig7a": "units", "figA4a": "units"}


def checked(corruption=None, units=None, path=CLAIMS) -> pd.DataFrame:
    """The results of all claims on these tables, indexed by claim."""
    tables = {"corruption": corruption, "units": units}
    asked = {figure: name for figure, name in EXPERIMENTS.items() if tables[name] is not None}
    given = [claim for claim in claims_verdicts.load(path) if claim.figure in asked]
    found = claims_verdicts.check(
        given, asked, lambda experiment, name: tables[experiment][name], theirs.panel
    )
    return found.set_index("id")


def tampered(tmp_path, which, /, **fields) -> Path:
    """A copy of the claims file with some fields of one claim changed."""
    with CLAIMS.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["id"] == which:
            row.update(fields)
    path = tmp_path / "claims.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


# --- verdicts on tables whose effect is known ---


def test_reversed_ablation_and_noise_come_out_as_not_reproduced():
    upside_down = dict(zip(synthetic.FRACTIONS, sorted(synthetic.REPLICATION_AUC.values()), strict=True))
    found = checked(synthetic.corruption_tables(auc=upside_down))
    sided = found[found["kind"] == "direction"]
    assert set(sided["verdict"]) == {"not reproduced"}
    wrong = found.loc[found["verdict"] == "not reproduced"].index
    for fraction in (0.0, 0.2, 0.4, 0.8, 1.0):  # the middle one barely moves
        assert f"fig1a_replication_{fraction}" in wrong
    assert found.loc["fig1a_clean_above_corrupted", "high"] < 0


def test_no_effect_is_never_reproduced():
    same = dict.fromkeys(synthetic.FRACTIONS, 0.5)
    for seed in range(3):
        found = checked(synthetic.corruption_tables(auc=same, spread=0.05, seed=seed))
        sided = found[found["kind"] == "direction"]
        assert not (sided["verdict"] == "reproduced").any()


def test_a_verdict_says_which_images_were_scored_and_which_statistics_batch_norm_used():
    tables = synthetic.corruption_tables(auc=synthetic.REPLICATION_AUC)
    plain = checked(tables)
    for name in ("ablation", "areas"):
        tables[name] = tables[name].assign(norm_images=500, scored_images=5000)
    found = checked(tables)
    said = "curves of 5,000 images drawn at random; batch norm by the statistics of 500 ablated images"
    assert said in found.loc["fig1a_clean_above_corrupted", "note"]
    assert said not in found.loc["fig2a_clean_above_corrupted", "note"]  # of noise
    assert not plain["note"].str.contains("batch norm by").any()


def test_one_corrupted_fraction_above_the_clean_one_breaks_only_consistency():
    auc = synthetic.REPLICATION_AUC | {0.4: 0.9}
    found = checked(synthetic.corruption_tables(auc=auc))["verdict"]
    assert found["fig1a_clean_above_corrupted"] == "reproduced"
    assert found["fig1a_clean_most_robust"] == "not reproduced"
    assert found["fig2a_clean_above_corrupted"] == "reproduced"
    assert found["fig2a_consistently"] == "not reproduced"
    assert found["fig1a_replication_0.4"] == "not reproduced"


def test_a_predictive_selectivity_contradicts_the_paper():
    found = checked(units=synthetic.unit_tables(selectivity_correlation=0.8, information_correlation=0.3))
    verdicts = found["verdict"]
    assert verdicts["fig7a_poor_predictor"] == "not reproduced"
    assert verdicts["fig7a_minimal_impact"] == "not reproduced"
    assert verdicts["fig7a_rank_correlation"] == "not reproduced"  # positive, but far from 0.095
    assert verdicts["figA4a_more_predictive"] == "not reproduced"


def test_a_negative_correlation_is_far_from_the_paper_s():
    found = checked(units=synthetic.unit_tables(selectivity_correlation=-0.4))
    assert found.loc["fig7a_rank_correlation", "verdict"] == "not reproduced"


@pytest.mark.parametrize(
    ("value", "error", "verdict"),
    [
        ("0.095", "0.17", "reproduced"),
        ("0.42", "0.17", "not reproduced"),
        ("-0.35", "0.17", "not reproduced"),
        ("-0.35", "0.45", "reproduced"),  # the same number, known less exactly
    ],
)
def test_a_tampered_number_is_not_reproduced_unless_its_own_error_allows_it(tmp_path, value, error, verdict):
    tables = synthetic.unit_tables(selectivity_correlation=0.12, networks=12)
    path = tampered(tmp_path, "fig7a_rank_correlation", paper_value=value, paper_error=error)
    assert checked(units=tables, path=path).loc["fig7a_rank_correlation", "verdict"] == verdict


def test_a_number_beside_a_direction_is_shown_and_not_judged(tmp_path):
    path = tampered(tmp_path, "fig1a_clean_above_corrupted", paper_value="-0.4")
    row = checked(synthetic.corruption_tables(), path=path).loc["fig1a_clean_above_corrupted"]
    assert (row["paper_value"], row["verdict"]) == (-0.4, "reproduced")


@pytest.mark.parametrize(("bound", "verdict"), [("0.05", "reproduced"), ("0.0001", "not reproduced")])
def test_a_shape_is_judged_by_the_distance_of_the_curves(tmp_path, bound, verdict):
    path = tampered(tmp_path, "fig1a_shape_0.2", bound=bound)
    found = checked(world.paper_of("mnist_corruption"), path=path).loc["fig1a_shape_0.2"]
    assert (found["verdict"], found["condition"]) == (verdict, "corrupt=0.2")


def test_a_tampered_replication_number_is_not_reproduced(tmp_path):
    path = tampered(tmp_path, "fig1a_replication_0.2", paper_value="0.5")
    found = checked(synthetic.corruption_tables(), path=path)
    assert found.loc["fig1a_replication_0.2", "verdict"] == "not reproduced"
    assert "the number 0.5 is missed (tolerance 0.033)" in found.loc["fig1a_replication_0.2", "note"]


# --- what cannot be tested, and why ---


def test_a_small_study_tests_directions_but_not_numbers_and_shows_its_values():
    small = {"hidden": "128x128", "train_images": 5000, "epochs": 100}
    units = synthetic.unit_tables(train_images=5000, epochs=100)
    found = checked(synthetic.corruption_tables(**small), units)
    numbers = found[found["kind"] == "value"]
    assert set(numbers["verdict"]) == {"not testable at this scale"}
    assert numbers[["estimate", "low", "high"]].notna().all(axis=None)
    assert "needs hidden=512x512, here 128x128" in numbers.loc["fig1a_replication_0.0", "note"]
    assert set(found.loc[found["kind"] == "shape", "note"]) == {"needs train_images=60000, here 5000"}
    assert (found.loc[found["kind"] == "direction", "verdict"] != "not testable at this scale").all()


def test_networks_that_did_not_memorise_are_not_compared():
    tables = synthetic.corruption_tables()
    tables["runs"].loc[3, "train_accuracy"] = 0.5
    found = checked(tables)
    assert set(found["verdict"]) == {"not testable at this scale"}
    assert found["note"].str.contains("train_accuracy>=0.97, here 0.5 and 1.0", regex=False).all()


def test_one_network_gives_a_value_but_no_verdict():
    found = checked(synthetic.corruption_tables(networks=1), synthetic.unit_tables(networks=1))
    assert set(found["verdict"]) == {"too few networks"}
    assert found["estimate"].notna().all()
    assert found["low"].isna().all()
    assert found["note"].str.contains("too few").all()


def test_a_missing_fraction_is_named():
    tables = synthetic.corruption_tables(auc={0.0: 0.7, 0.5: 0.3})
    found = checked(tables)
    assert "lacks clean" in found.loc["fig1a_trend", "note"]
    assert "corrupt=0.2" in found.loc["fig1a_replication_0.2", "note"]
    assert found.loc["fig1a_replication_0.0", "estimate"] == pytest.approx(0.7, abs=0.03)


def test_a_table_that_the_study_lacks_is_named():
    def absent(experiment, name):
        raise statistics.Untestable(f"this study has no table {experiment}/{name}.csv")

    found = claims_verdicts.check(claims_verdicts.load(CLAIMS), EXPERIMENTS, absent, theirs.panel)
    assert set(found["verdict"]) == {"not testable at this scale"}
    assert found["note"].str.contains("no table").all()


def test_only_the_figures_asked_for_are_checked():
    assert set(checked(units=synthetic.unit_tables())["figure"]) == {"fig7a", "figA4a"}


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        (Estimate(0.2, 0.1, 0.3, 3), "reproduced"),
        (Estimate(0.2, -0.1, 0.3, 3), "direction only"),
        (Estimate(0.2, 0.18, 0.22, 3), "reproduced"),  # a number beside a direction does not count
        (Estimate(-0.1, -0.2, 0.3, 3), "not reproduced"),
        (Estimate(0.0, 0.0, 0.0, 3), "not reproduced"),
        (Estimate(0.2, None, None, 1, "too few"), "too few networks"),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_rule(ours, verdict, sign):
    def turned(value):
        return None if value is None else sign * value

    ends = sorted([turned(ours.low), turned(ours.high)]) if ours.low is not None else [None, None]
    mirrored = Estimate(turned(ours.value), *ends, ours.networks, ours.note)
    direction = "above" if sign > 0 else "below"
    for kind in ("direction", "shape"):
        claim = made(kind=kind, direction=direction, bound=0.0, paper_value=sign * 0.1)
        assert claims_verdicts.judge(claim, mirrored)[0] == verdict


def made(**fields) -> claims_verdicts.Claim:
    """A claim of which only some fields matter."""
    words = dict.fromkeys(("id", "figure", "claim", "statistic", "certainty", "origin", "where"), "x")
    numbers = dict.fromkeys(("bound", "paper_value", "paper_error", "tolerance"))
    return claims_verdicts.Claim(**{**words, **numbers, "condition": {}, "needs": (), **fields})


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        (Estimate(0.2, 0.18, 0.22, 3), "reproduced"),  # 0.1 + 0.03 + 0.05 reaches 0.18
        (Estimate(0.2, 0.1801, 0.22, 3), "not reproduced"),
        (Estimate(0.0, -0.1, 0.02, 3), "reproduced"),  # and 0.1 - 0.03 - 0.05 reaches 0.02
        (Estimate(0.0, -0.1, 0.0199, 3), "not reproduced"),
        (Estimate(0.2, None, None, 1, "too few"), "too few networks"),
    ],
)
def test_the_rule_for_values_counts_both_intervals_and_the_tolerance(ours, verdict):
    claim = made(kind="value", direction="equal", paper_value=0.1, paper_error=0.03, tolerance=0.05)
    assert claims_verdicts.judge(claim, ours)[0] == verdict


def test_a_condition_on_an_unknown_setting_names_the_row(tmp_path):
    path = tampered(tmp_path, "fig1a_trend", needs="epoch=640")
    with pytest.raises(InputError, match="fig1a_trend.*'epoch'"):
        checked(synthetic.corruption_tables(), path=path)


def test_metrics_are_flat_with_null_for_what_is_missing():
    found = claims_verdicts.metrics(checked(synthetic.corruption_tables(networks=1)).reset_index())
    entry = found["fig1a_replication_0.0"]
    assert entry["low"] is None
    assert entry["paper"] == 0.735
    assert entry["verdict"] == "too few networks"
    assert entry["tested_on"] == "MNIST, mlp 512x512, 60,000 images, 640 epochs"
    assert set(entry) == {"estimate", "low", "high", "paper", "verdict", "tested_on"}
