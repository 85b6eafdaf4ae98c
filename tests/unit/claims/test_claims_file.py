"""The file of claims: its numbers are those of the figures and of the replication; a wrong row is named."""

import numpy as np
import pandas as pd
import pytest

from directions.claims import verdicts
from directions.core.errors import InputError
from unit.claims.test_verdicts import CLAIMS, PAPER, tampered


def test_the_claims_file_holds_the_replication_s_areas():
    table = pd.read_csv(PAPER / "replication_fig1a_mnist.csv")
    stated = {
        claim.condition["corrupt"]: claim.paper_value
        for claim in verdicts.load(CLAIMS)
        if claim.certainty == "replication"
    }
    for fraction, curve in table.groupby("fraction_corrupted"):
        area = np.trapezoid(curve["mean_accuracy"], curve["units_ablated"] / 1024)
        assert stated[fraction] == pytest.approx(area, abs=0.0006)


def test_the_claims_file_holds_the_numbers_read_from_the_figures():
    """Areas, means and rank correlations of the claims are those of data/paper/figures/areas.csv."""
    table = pd.read_csv(PAPER / "figures/areas.csv")
    known = {}
    for row in table.itertuples():
        value = row.value if np.isnan(row.area_over_fraction) else row.area_over_fraction
        known.setdefault(f"fig{row.panel}", []).append(round(value, 3))
        if "half-accuracy scale" in str(row.note):
            known[f"fig{row.panel}"].append(round(float(row.note.split()[-1]), 3))
    of_areas = ("auc", "noise_mean", "noise_half_scale", "selectivity_mean", "information_mean")
    checked = 0
    for claim in verdicts.load(CLAIMS):
        if claim.statistic in of_areas and claim.certainty != "replication" and claim.figure != "fig3a":
            assert round(claim.paper_value, 3) in known[claim.figure], claim.id
            checked += 1
    assert checked == 6 + 6 + 12 + 12 + 6 + 2 + 2 + 2


def test_every_claim_about_a_printed_figure_says_whether_the_figure_shows_it():
    """The paper's numbers are read from a figure or inferred from it; only the text has those of a choice."""
    text_only = {"fig4c_top1", "fig4c_top5", "fig4c_top10", "fig4c_gap", "fig4c_gap_sd"}
    for claim in verdicts.load(CLAIMS):
        if claim.paper_value is not None and claim.certainty != "replication":
            seen = claim.certainty in ("read from the figure", "inferred")
            assert seen != (claim.id in text_only), claim.id


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"statistic": "auc_diference"}, "unknown statistic 'auc_diference'.*auc_difference"),
        ({"direction": "up"}, "unknown direction"),
        ({"kind": "number"}, "unknown kind"),
        ({"certainty": "sure"}, "unknown certainty"),
        ({"figure": "figure 1"}, "'figure 1' is no figure"),
        ({"bound": ""}, "needs direction above or below and a bound"),
        ({"direction": "equal"}, "needs direction above or below and a bound"),
        ({"bound": "zero"}, "'bound' holds 'zero'"),
        ({"bound": "nan"}, "'bound' holds 'nan'"),
        ({"claim": ""}, "'claim' is empty"),
        ({"tolerance": "0.1"}, "takes no tolerance"),
        ({"paper_error": "-1"}, "paper_error is below 0"),
        ({"paper_value": ""}, "paper_error needs a paper_value"),
        ({"kind": "value"}, "kind value has direction equal and no bound"),
        ({"kind": "value", "direction": "equal", "bound": "", "tolerance": ""}, "needs paper_value, paper_e"),
        ({"kind": "shape"}, "kind shape goes with the statistics curve_mean_distance"),
        ({"statistic": "curve_mean_distance"}, "kind shape goes with"),
        ({"condition": "corrupt=0.2"}, "auc_difference takes the condition none, got 'corrupt=0.2'"),
        ({"statistic": "auc"}, "takes the condition corrupt or corrupt; dropout or batch_norm or group"),
        ({"condition": "corrupt=2"}, "'condition': corrupt must be between 0 and 1"),
        ({"condition": "seed=2"}, "'condition': 'seed=2': write name=value, name one of corrupt"),
        ({"needs": "hidden is 512"}, "'needs' holds"),
        ({"id": "fig1a_trend"}, "ids must differ"),
    ],
)
def test_a_malformed_row_is_named(tmp_path, fields, message):
    path = tampered(tmp_path, "fig1a_clean_above_corrupted", **fields)
    row = "fig1a_trend" if "id" in fields else "fig1a_clean_above_corrupted"
    with pytest.raises(InputError, match=f"row '{row}'.*{message}"):
        verdicts.load(path)


def test_a_row_of_the_wrong_length_is_named(tmp_path):
    text = CLAIMS.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "claims.csv"
    for broken in (text[1] + ",more", text[1].rsplit(",", 1)[0]):
        path.write_text("\n".join([text[0], broken]) + "\n")
        with pytest.raises(InputError, match="line 2.*fields"):
            verdicts.load(path)
