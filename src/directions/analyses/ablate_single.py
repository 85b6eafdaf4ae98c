"""Single-unit ablation: the loss caused by each unit (Figures 7, A4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from directions.core.columns import Column, amount, count, share
from directions.core.errors import InputError
from directions.core.types import Count
from directions.study.analysis_spec import LAYER, SPLIT, UNIT, AnalysisSpec, Sizes, split_setting
from directions.study.settings import setting

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from directions.analyses.network import Trained

UNITS = {
    "type": ["string", "integer", "object"],
    "pattern": "^all$",
    "minimum": 1,
    "maximum": 1_000_000_000,
    "minProperties": 1,
    "additionalProperties": {
        "type": "array",
        "minItems": 1,
        "description": "a list of numbers of units, from 0",
        "items": {
            "type": "integer", "minimum": 0, "maximum": 1_000_000_000, "description": "a whole number >= 0"
        },
    },
    "description": "all, a whole number >= 1 (so many, drawn at random), at most 1e9, or"
    " {layer: [numbers of units, from 0]}",
}  # fmt: skip
SHARE = 0.35  # of the multiplications of a pass: layers before the unit are computed once (D29)


@dataclass(frozen=True)
class Settings:
    """Settings of single-unit ablation."""

    split: str = split_setting("test")
    units: Count | dict[str, list[int]] = setting(
        "all", "units to ablate: all, so many at random, or some of each layer", UNITS
    )


def _cost(settings: Settings, sizes: Sizes) -> tuple[float, float]:
    units, wanted = sum(sizes.layers.values()), settings.units
    if isinstance(wanted, dict):
        return sum(map(len, wanted.values())), SHARE
    return (units if wanted == "all" else min(units, wanted)), SHARE


SPEC = AnalysisSpec(
    table="single",
    rows="one row per unit ablated alone",
    settings=Settings,
    columns=(
        LAYER,
        UNIT,
        SPLIT,
        amount("loss_before", "of the intact network"),
        amount("loss_after", "with this unit clamped to zero", empty=True),
        Column("importance", "`loss_after` minus `loss_before` (D10)", empty=True),
        share("accuracy_before, accuracy_after", "as `loss_before` and `loss_after`"),
        Column(
            "drop_class_{class}",
            "accuracy lost on the images of this class, for data sets with at most ten classes",
            low=-1,
            high=1,
            empty=True,
            optional=True,
        ),
        count("worst_class", "the class that loses most accuracy"),
        Column("worst_class_drop", "how much it loses", low=-1, high=1),
    ),
    cost=_cost,
)


def observe(trained: Trained, settings: Settings) -> pd.DataFrame:
    """Build the table layer, unit, split, losses, importance, accuracies, largest accuracy drop of a class.

    With few classes it has the drop of every class; ImageNet's thousand would take half a gigabyte.
    """
    import numpy as np

    from directions.core.scoring import FEW
    from directions.interventions import ablation, single_units

    examples = trained.examples(settings.split)
    if isinstance(settings.units, dict):
        units = numbers(trained.layers, settings.units)
    else:
        units = ablation.sample(sum(trained.layers.values()), settings.units, trained.seed)
    found = single_units.single(
        trained.model,
        examples.images,
        examples.labels,
        layers=trained.layers,
        classes=examples.classes,
        values=trained.clamp_values("zero", trained.layers),
        units=units,
        unfinished=trained.unfinished,
    )
    drops = found.class_accuracy_before - found.class_accuracy
    drops[:, found.class_images == 0] = np.nan
    share = found.class_images / found.class_images.sum()
    classes = range(examples.classes if examples.classes <= FEW else 0)
    return (
        trained.numbered()
        .iloc[units]
        .assign(
            split=settings.split,
            loss_before=found.loss_before,
            loss_after=found.loss,
            importance=found.loss - found.loss_before,
            accuracy_before=found.class_accuracy_before @ share,
            accuracy_after=found.class_accuracy @ share,
            worst_class=np.nanargmax(drops, axis=1),
            worst_class_drop=np.nanmax(drops, axis=1),
            **{f"drop_class_{label}": drops[:, label] for label in classes},
        )
    )


def numbers(layers: Mapping[str, int], wanted: Mapping[str, Sequence[int]]) -> np.ndarray:
    """Number the wanted units, {layer: numbers within it}, through all layers, ascending.

    Raises InputError for a layer or unit that does not exist.
    """
    import numpy as np

    starts = dict(zip(layers, np.cumsum([0, *layers.values()]).tolist(), strict=False))
    found = []
    for name, units in wanted.items():
        if name not in layers:
            raise InputError(f"units: {name} is not a layer of units: there are {', '.join(layers)}")
        for unit in units:
            if not 0 <= unit < layers[name]:
                raise InputError(f"units: {name} has units 0 to {layers[name] - 1}, not {unit}")
            found.append(starts[name] + unit)
    return np.unique(found)
