"""How many units an image needs: units are ablated for it alone until its answer changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from directions.core.columns import count, text
from directions.core.types import Count
from directions.study.analysis_spec import LAYERS, SPLIT, AnalysisSpec, split_setting
from directions.study.settings import setting, whole_or_all

if TYPE_CHECKING:
    import pandas as pd

    from directions.analyses.network import Trained


@dataclass(frozen=True)
class Settings:
    """Settings of ablation until an image flips."""

    split: str = split_setting("train")
    layers: int | str | list[str] = setting("all", "layers whose units are ablated", LAYERS)
    images: Count = setting(
        200, "images of each kind of labels, drawn at random: all, or at most so many", whole_or_all(10)
    )


SPEC = AnalysisSpec(
    table="flips",
    rows="one row per image",
    settings=Settings,
    columns=(
        text("labels", "whether the image's training label is true (clean) or not (corrupted)"),
        count(
            "flipped_after",
            "number of units clamped to zero, for this image alone, when its answer first differed from its"
            " label: one at a time, always the one with the largest gradient times activation, where the"
            " gradient is that of the label's logit less the largest other one; 0: it was wrong from the"
            " start; empty: it kept its label until no unit was left",
            empty=True,
        ),
        count("units", "number of units in these layers"),
        SPLIT,
    ),
    cost=lambda _settings, sizes: (3 * sum(sizes.layers.values()) ** 0.5, 1.0),
    resumes=False,
)


def observe(trained: Trained, settings: Settings) -> pd.DataFrame:
    """Build the table labels, flipped_after, units, split."""
    import pandas as pd

    from directions.analyses import subset
    from directions.interventions import ablation, self_check
    from directions.interventions.flips import flips

    examples = trained.examples(settings.split)
    layers = ablation.chosen(trained.layers, settings.layers)
    self_check.of_clamping(trained.model, layers, examples.images)
    parts = []
    for labels, group in subset.by_label(examples, settings.images, settings.split).items():
        if labels != subset.ALL:
            after = flips(trained.model, layers, group.images, group.labels)
            parts.append(pd.DataFrame({"labels": labels, "flipped_after": after}))
    table = pd.concat(parts).assign(units=sum(layers.values()), split=settings.split)
    return table[["labels", "flipped_after", "units", "split"]]
