"""Numbers about single training examples: what they told a network, and which ablation takes first."""

import numpy as np

from directions.claims.statistics.bootstrap import Groups, Sample
from directions.claims.statistics.conditions import Condition
from directions.claims.statistics.networks import by_setting, of_condition
from directions.claims.statistics.ranks import Untestable
from directions.claims.statistics.shared_units import areas_of
from directions.core.tables import Tables, require

SCORES = {  # columns of table examples, and their names in figures
    "information": "unique information",
    "weight_information": "the same, of weights",
    "left_out_residual": "left-out residual",
    "residual": "residual",
    "early_loss": "early loss",
    "loss": "final loss",
}


def detection(wrong: np.ndarray, scores: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Compute how often a wrong label scores higher than a right one, ties counted half (AUROC).

    Args:
        wrong: 1 for examples with a wrong label, 0 for others (n,).
        scores: (n,).
        counts: how often each example is drawn, (draws, n).

    Returns:
        (draws,), NaN where only wrong or only right labels are drawn.
    """
    order = np.argsort(scores, kind="stable")
    firsts = np.flatnonzero(np.diff(scores[order], prepend=np.nan) != 0)  # of each group of equal scores
    drawn = counts[:, order].astype(float)
    high = np.add.reduceat(drawn * wrong[order], firsts, axis=1)
    low = np.add.reduceat(drawn * (1 - wrong[order]), firsts, axis=1)
    pairs = high.sum(1) * low.sum(1)
    return (high * (low.cumsum(1) - low / 2)).sum(1) / np.where(pairs > 0, pairs, np.nan)


def scored(*scores: str) -> Sample:
    """Sample (wrong label, `scores`) of every example of networks with some of their labels corrupted."""

    def sample(tables: Tables, _condition: Condition) -> Groups:
        runs = require(tables, "runs", "run", "corrupt")
        runs = runs[(runs["corrupt"] > 0) & (runs["corrupt"] < 1)]
        if runs.empty:
            raise Untestable("this study lacks networks with some of their labels corrupted")
        found = require(tables, "examples", "run", "labels", *scores)
        found = found.assign(wrong=(found["labels"] == "corrupted").astype(float))
        return by_setting(runs, found[["run", "wrong", *scores]], None)

    return sample


def told_apart(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Compute the AUROC of the first score, less that of the second if there is one: (draws,)."""
    each = [detection(seen[:, 0], scores, counts) for scores in seen[:, 1:].T]
    return each[0] if len(each) == 1 else each[0] - each[1]


def lead_of_least(score: str) -> Sample:
    """Sample the area on the least less that on the most informative tenth with true labels, per ordering."""

    def sample(tables: Tables, condition: Condition) -> Groups:
        curves = require(
            tables, "informative", "run", "ranked_by", "labels", "part", "ordering", "ablated", "accuracy"
        )
        curves = curves[(curves["ranked_by"] == score) & (curves["labels"] == "clean")]
        if curves.empty:
            raise Untestable(f"no curves of examples ranked by {score} in this study")
        sides = areas_of(curves, "run", "part", "ordering").pivot_table(
            index=["run", "ordering"], columns="part", values="auc"
        )
        lead = (sides["least"] - sides["most"]).rename("lead").reset_index("run")
        return by_setting(of_condition(tables, condition), lead, None)

    return sample
