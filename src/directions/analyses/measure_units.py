"""Selectivity and mutual information of every unit (Figures 6, 7, A2 to A4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from directions.core.columns import Column, amount, share, truth
from directions.study.analysis_spec import LAYER, SPLIT, UNIT, AnalysisSpec, split_setting
from directions.study.settings import setting, whole

if TYPE_CHECKING:
    import pandas as pd

    from directions.analyses.network import Trained


@dataclass(frozen=True)
class Settings:
    """Settings of the measures of units."""

    split: str = split_setting("test")
    bins: int = setting(20, "bins of equal frequency for mutual information", whole(2))
    shuffles: int = setting(10, "permutations of the labels for its null", whole(1))


SPEC = AnalysisSpec(
    table="units",
    rows="one row per unit measured",
    settings=Settings,
    columns=(
        LAYER,
        UNIT,
        SPLIT,
        share(
            "selectivity",
            "class selectivity index (section 2.4 of the paper); empty for dead units and for layers with"
            " negative activity",
            empty=True,
        ),
        amount("information_bits", "mutual information of binned activity and the class (section A.5)"),
        amount(
            "information_null_bits", "the same with permuted labels: the upward bias of the estimate (D7)"
        ),
        amount(
            "information_bits_coarse, information_bits_fine",
            "with half and with twice the number of bins: shows how much the estimate depends on that number",
        ),
        amount(
            "l1",
            "L1 norm of the incoming weights; empty unless exactly one layer of weights feeds the unit",
            empty=True,
        ),
        truth("dead", "true if the unit is 0 for every image (D8)"),
        truth("negative", "true if the layer has negative activity, and therefore no selectivity"),
        Column("mean", "of the unit's activity over the images; a feature map's is its mean over positions"),
        amount("sd", "likewise"),
    ),
    cost=lambda _settings, _sizes: (2, 1.0),
    resumes=False,
)


def observe(trained: Trained, settings: Settings) -> pd.DataFrame:
    """Build the table with the columns of `SPEC`: information with its floor and with other bins."""
    import numpy as np

    from directions.analyses import selectivity

    examples = trained.examples(settings.split)
    found = selectivity.measure_all(
        trained.model,
        trained.layers,
        examples.images,
        examples.labels,
        examples.classes,
        bins=settings.bins,
        shuffles=settings.shuffles,
        seed=trained.seed,
    )
    norms = [trained.incoming[layer].abs().sum(1).cpu().numpy() for layer in trained.layers]
    table = trained.numbered().assign(**found, l1=np.concatenate(norms), split=settings.split)
    return table[SPEC.names]
