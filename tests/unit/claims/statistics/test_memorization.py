"""Ways of learning compared: what is plain, what is strongest, and what cannot be compared."""

import numpy as np
import pytest
import synthetic_memorization as made

from directions.claims.statistics import memorization
from directions.claims.statistics.ranks import Untestable
from directions.core.errors import InputError

DROPOUT = memorization.by_dropout, "with dropout"
LIMIT = memorization.by_limit, "by LIMIT"


def measured(tables):
    """{way: (1, networks, 2)}: what the bootstrap would hand over, for one draw of all networks."""
    groups = memorization.ways(tables, None)
    return {way: np.stack([one.mean(0) for one in networks])[None] for way, networks in groups.items()}


def guessing(tables, chosen):
    """The tables with networks that answer one class."""
    runs = tables["runs"].loc[chosen(tables["runs"]), "run"]
    rows = tables["areas"]["run"].isin(runs)
    areas = tables["areas"].astype({"auc_relative": float})
    areas.loc[rows, ["auc", "auc_relative", "auc_chance_corrected"]] = 0.1, 1.0, 0.0
    return tables | {"areas": areas}


def test_the_lead_is_that_of_the_strongest_treatment_after_the_most_epochs():
    tables = made.tables(ways=made.WAYS_DROPOUT)
    kept = memorization.kept_areas(tables).groupby("run")["kept"].mean()
    runs = tables["runs"][tables["runs"]["epochs"] == max(made.EPOCHS)]
    expected = (
        kept[runs.query("dropout == 0.6")["run"]].mean() - kept[runs.query("dropout == 0")["run"]].mean()
    )
    assert memorization.lead(*DROPOUT)(measured(tables)) == pytest.approx([expected])


@pytest.mark.parametrize(
    ("ways", "chosen", "said"),
    [
        (made.WAYS_DROPOUT, lambda runs: runs["dropout"] == 0.6, "cross_entropy, dropout 0.6 for 200 epochs"),
        (made.WAYS, lambda runs: runs["limit_lambda"] == 10, "by limit with lambda 10 for 200 epochs"),
    ],
)
def test_a_weaker_treatment_never_stands_in_for_one_that_guesses(ways, chosen, said):
    with pytest.raises(Untestable, match=f"all networks trained .*{said} hardly do better than guessing"):
        memorization.ways(guessing(made.tables(ways=ways), chosen), None)


def test_networks_that_guess_early_in_training_are_left_out():
    tables = guessing(made.tables(), lambda runs: runs["epochs"] == min(made.EPOCHS))
    assert {way.epochs for way in memorization.ways(tables, None)} == set(made.EPOCHS[1:])


def test_a_dropout_that_all_networks_share_is_no_treatment():
    tables = made.tables()
    shared = tables | {"runs": tables["runs"].assign(dropout=0.3)}
    lead = memorization.lead(*LIMIT)
    assert lead(measured(shared)) == pytest.approx(lead(measured(tables)))
    with pytest.raises(Untestable, match="lacks networks trained with dropout and by cross-entropy alone"):
        memorization.lead(*DROPOUT)(measured(shared))


def test_networks_that_reproduce_too_few_labels_to_be_compared_are_said_so():
    tables = made.tables(ways=made.WAYS_DROPOUT)
    runs = tables["runs"].loc[tables["runs"]["dropout"] > 0, "run"]
    found = tables["memorization"]
    found.loc[found["run"].isin(runs), "reproduced"] = 0.001
    with pytest.raises(Untestable, match="no networks trained with dropout reproduce as many labels"):
        memorization.distance(*DROPOUT)(measured(tables))


def test_an_unknown_method_is_named():
    tables = made.tables()
    runs = tables["runs"].replace({"method": {"mae": "sgd"}})
    with pytest.raises(InputError, match="method 'sgd' is none of cross_entropy, mae, limit"):
        memorization.of_ways(tables | {"runs": runs})
