"""What each training example alone has told a network: unique information, and baselines (docs/BEYOND.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from directions.analyses.example_settings import ScoreSettings
from directions.core.columns import amount, count, text
from directions.study.analysis_spec import AnalysisSpec
from directions.study.settings import setting, whole

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from directions.analyses.network import Trained


@dataclass(frozen=True)
class Settings(ScoreSettings):
    """Settings of unique information."""

    retrained: int = setting(
        0, "images for which training is repeated without them, spread over the ranks", whole(0)
    )
    steps: int = setting(500, "steps of each of these trainings", whole(1))


SPEC = AnalysisSpec(
    table="examples",
    rows="one row per training image",
    settings=Settings,
    columns=(
        count("image", "its place in the training set, from 0"),
        count("label", "its training label, from 0"),
        text("labels", "whether its training label is true (clean) or not (corrupted)"),
        amount(
            "information",
            "unique information: half the squared change of the outputs on test images, mean over these, if"
            " the image is left out; in nats, for outputs with noise of variance 1",
        ),
        amount("weight_information", "half the squared change of the weights, likewise"),
        amount("residual", "distance of the linearised network's outputs from its label, as 0 and 1"),
        amount("left_out_residual", "the same for the network that has not seen it"),
        amount("early_loss", "cross-entropy at the first checkpoint after the start, on the training label"),
        amount("loss", "the same at the end of training"),
        amount(
            "retrained_information",
            "`information` measured by training the network itself with and without the image; empty if it"
            " was not",
            empty=True,
        ),
    ),
    cost=lambda settings, _sizes: (60 + 3 * settings.steps * (settings.retrained + 1), 1.0),
    resumes=False,
    checkpoints=True,
    start=True,
)


def observe(trained: Trained, settings: Settings) -> pd.DataFrame:
    """Build the table with the columns of `SPEC`."""
    from directions.analyses import unique_information

    problem = unique_information.posed(trained, settings)
    table = unique_information.scores(trained, problem)
    if settings.retrained:
        ranks = table["information"].to_numpy().argsort()
        chosen = spread(ranks, settings.retrained)
        table.loc[chosen, "retrained_information"] = unique_information.retrained(
            problem, chosen, settings.steps
        )
    return table.reindex(columns=SPEC.names)


def spread(ranked: np.ndarray, wanted: int) -> list[int]:
    """Choose so many of the ranked examples, evenly from the first to the last."""
    import numpy as np

    places = np.linspace(0, len(ranked) - 1, min(wanted, len(ranked))).round().astype(int)
    return [int(ranked[place]) for place in places]
