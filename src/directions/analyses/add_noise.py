"""Noise of increasing size on all units: loss and accuracy (Figure 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from directions.core.columns import amount, count, share
from directions.study.analysis_spec import SPLIT, AnalysisSpec, split_setting
from directions.study.settings import number, setting, whole

if TYPE_CHECKING:
    import pandas as pd

    from directions.analyses.network import Trained

RATIO = number("a number > 0 (noise_sd_ratio)", exclusiveMinimum=0)
RATIOS = {
    "type": "array", "minItems": 1, "uniqueItems": True, "items": RATIO,
    "description": "a list of numbers > 0, in place of lowest, highest and points",
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """Settings of noise on all units."""

    split: str = split_setting("train")
    repeats: int = setting(5, "independent draws of the noise", whole(1))
    ratios: list[float] | None = setting(None, "noise levels, in place of lowest, highest and points", RATIOS)
    lowest: float = setting(0.0316, "smallest noise level above 0", RATIO)
    highest: float = setting(10.0, "largest noise level", RATIO)
    points: int = setting(12, "noise levels from lowest to highest, evenly spaced on a log axis", whole(2))


SPEC = AnalysisSpec(
    table="noise",
    rows="one row per repeat and noise level",
    settings=Settings,
    columns=(
        count("repeat", "index of the draw of the noise, from 0"),
        amount(
            "noise_sd_ratio",
            "SD of the noise divided by the unit's own SD on the training set (in a feature map, by that of"
            " each element, D5); 0: no noise",
        ),
        SPLIT,
        amount("loss", "with this noise", empty=True),
        share("accuracy", "likewise"),
    ),
    cost=lambda settings, _sizes: (settings.repeats * settings.points, 1.0),
)


def observe(trained: Trained, settings: Settings) -> pd.DataFrame:
    """Build the table with the columns of `SPEC`; each repeat starts at ratio 0."""
    import numpy as np

    from directions.analyses.network import grid_table
    from directions.interventions import noise

    examples = trained.examples(settings.split)
    if settings.ratios:
        ratios = np.array([0.0, *sorted(settings.ratios)])
    else:
        ratios = noise.ratios(settings.lowest, settings.highest, settings.points)
    loss, accuracy = noise.add_noise(
        trained.model,
        examples.images,
        examples.labels,
        spread={name: sd for name, (_, sd) in trained.moments().items()},
        noise_sd_ratios=ratios,
        repeats=settings.repeats,
        seed=trained.seed,
        unfinished=trained.unfinished,
    )
    keys = ("repeat", range(settings.repeats)), ("noise_sd_ratio", ratios)
    table = grid_table(*keys, loss=loss, accuracy=accuracy).assign(split=settings.split)
    return table[SPEC.names]
