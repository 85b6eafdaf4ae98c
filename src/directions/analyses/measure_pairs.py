"""What the units of a layer share: information between them, and about the class (docs/FOLLOW_UPS.md)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from directions.core.columns import Column, amount, count, share
from directions.core.errors import InputError
from directions.core.types import Count
from directions.study.analysis_spec import LAYER, SPLIT, UNIT, AnalysisSpec, split_setting
from directions.study.settings import setting, whole, whole_or_all

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from directions.analyses.network import Trained

TOGETHER = 2**16  # units whose activity is kept at a time
DIGITS = 6  # after the point, of all measures: far below their errors


@dataclass(frozen=True)
class Settings:
    """Settings of measures of what units share."""

    split: str = split_setting("test")
    images: Count = setting(
        2000, "images to measure on, drawn at random: all, or at most so many", whole_or_all(10)
    )
    partners: int = setting(
        16, "other units of its layer that a unit is paired with to decompose information", whole(2)
    )
    checked: int = setting(
        2, "of these, those for which the nearest-neighbour estimate is computed too", whole(2)
    )
    bins: int = setting(
        2, "bins of equal frequency for units that are not 0, to decompose information", whole(1, most=100)
    )
    entropy_bins: int = setting(100, "bins of equal width for entropies", whole(2, most=10**5))


bits = partial(amount, empty=True)  # empty where a unit has no other to be compared with

SPEC = AnalysisSpec(
    table="pairs",
    rows="one row per unit, with means over its pairs within the layer",
    settings=Settings,
    columns=(
        LAYER,
        UNIT,
        SPLIT,
        count("images", "number of images measured on"),
        bits(
            "mutual_bits",
            "information between the unit and another of its layer: mean over all others; Gaussian copula."
            " The activity of a feature map is its mean over positions",
        ),
        bits("mutual_null_bits", "the same with the images of each unit permuted, which is the bias"),
        bits(
            "mutual_pre_bits",
            "`mutual_bits` of the activations' inputs; empty where a layer is no activation",
        ),
        bits(
            "mutual_position_bits, mutual_pre_position_bits",
            "of feature maps, at one random position of the layer",
        ),
        Column(
            "ksg_bits, ksg_null_bits",
            "a check on few pairs of the unit: the nearest-neighbour estimate (k = 3), which may be below 0,"
            " and the same with permuted images",
            empty=True,
        ),
        bits("ksg_copula_bits", "the Gaussian copula for the same pairs"),
        bits(
            "redundancy_bits, unique_bits, synergy_bits",
            "what a pair tells about the class: the smaller information of the two, the larger less the"
            " smaller, and what both tell together less the larger; means over the unit's partners, from"
            " binned activity",
        ),
        bits("redundancy_null_bits, unique_null_bits, synergy_null_bits", "the same with permuted labels"),
        bits(
            "redundancy_specific_bits, synergy_specific_bits",
            "with the redundancy of Williams and Beer (2010), in which the smaller information is taken"
            " class by class",
        ),
        bits("redundancy_specific_null_bits, synergy_specific_null_bits", "the same with permuted labels"),
        bits(
            "added_bits, added_null_bits",
            "what the unit adds to all others of its layer about the class, and with permuted labels;"
            " empty unless the layer is so small that its combinations of bins and classes are no more than"
            " the images. The smallest of a layer is its full-order synergy",
        ),
        bits(
            "entropy_global_bits, entropy_unit_bits, entropy_standardised_bits",
            "entropy of the activity, in bins of equal width over the range of the layer, of the unit, or of"
            " the layer after each unit has mean 0 and SD 1",
        ),
        bits(
            "entropy_pre_global_bits, entropy_pre_unit_bits, entropy_pre_standardised_bits",
            "of the activations' inputs",
        ),
        share(
            "predicted",
            "fraction of the unit's variance that a linear function of the other units of its layer predicts"
            " (R^2), scored on the images it is fitted to; empty for a constant unit",
            empty=True,
        ),
        amount(
            "dimensions",
            "participation ratio of the whole layer: the number of directions that its activity fills; the"
            " same for all its units",
            empty=True,
        ),
    ),
    cost=lambda _settings, _sizes: (3, 1.0),
    resumes=False,
)


def observe(trained: Trained, settings: Settings) -> pd.DataFrame:
    """Build the table layer, unit, split, images, and the measures of `SPEC.columns`."""
    import pandas as pd

    from directions.analyses.subset import at_most
    from directions.core.seeds import stream
    from directions.interventions import self_check

    examples = at_most(trained.examples(settings.split), settings.images, settings.split)
    self_check.of_network(trained.model, trained.layers, examples.images)
    labels, parts = examples.labels.cpu().numpy(), []
    for layer, activity in activities(trained, examples.images):
        rng = stream("pairs", trained.seed, layer)
        measured = of_layer(activity, labels, examples.classes, settings, rng)
        parts.append(pd.DataFrame({"layer": layer, "unit": range(trained.layers[layer]), **measured}))
    table = pd.concat(parts).round(DIGITS)
    table.insert(2, "split", settings.split)
    table.insert(3, "images", len(examples))
    return table


def activities(trained: Trained, images) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Yield (layer, {kind: activity (images, units)}) with the kinds "", "pre", "position", "pre_position".

    Layers are run together as far as their activity fits into memory.
    """
    import numpy as np
    import torch

    from directions.core.scoring import pass_size, scaled
    from directions.interventions.hooks import observed, observed_inputs

    size = pass_size(trained.model, images)
    for layers in groups(trained.layers):
        before = [layer for layer in layers if is_activation(trained.model, layer)]
        kept: dict[str, dict[str, list]] = {layer: {} for layer in layers}
        with (
            torch.no_grad(),
            observed(trained.model, dict.fromkeys(layers)) as after,
            observed_inputs(trained.model, dict.fromkeys(before)) as given,
        ):
            for batch in images.split(size):
                trained.model(scaled(batch))
                for layer in layers:
                    for kind, values in kinds(after[layer], given.get(layer), layer, trained.seed):
                        kept[layer].setdefault(kind, []).append(values)
        for layer in layers:
            found = {kind: np.concatenate(parts).astype(np.float64) for kind, parts in kept[layer].items()}
            if not all(np.isfinite(values).all() for values in found.values()):
                raise InputError(f"layer {layer}: its activity is NaN or infinite for some of these images")
            yield layer, found


def groups(layers: dict[str, int]) -> Iterator[list[str]]:
    """Group consecutive layers with at most `TOGETHER` units, or one layer with more."""
    group: list[str] = []
    for layer in layers:
        if group and sum(layers[name] for name in [*group, layer]) > TOGETHER:
            yield group
            group = []
        group.append(layer)
    yield group


def is_activation(model, layer: str) -> bool:
    """Return whether a layer of units is an activation, so that its input is its pre-activation."""
    from directions.interventions.activations import name_of
    from directions.interventions.hooks import find_layer

    return name_of(find_layer(model, layer)) is not None


def kinds(output, given, layer: str, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (kind, activity (images, units)) of a layer's output (images, units, ...) and of its input."""
    from directions.analyses.selectivity import mean_activity
    from directions.core.seeds import stream

    for name, values in (("", output), ("pre", given)):
        if values is None:
            continue
        yield name, mean_activity(values)
        if values.dim() > 2:
            flat = values.flatten(2)
            position = stream("position", seed, layer).integers(flat.shape[2])
            yield f"{name}_position".lstrip("_"), flat[:, :, position].float().cpu().numpy()


def of_layer(
    activity: dict[str, np.ndarray], labels: np.ndarray, classes: int, settings: Settings, rng
) -> dict[str, np.ndarray]:
    """Measure the units of a layer, {column: (units,)}, from their activity (see `activities`)."""
    import numpy as np

    from directions.analyses import pair_information as pair

    empty = np.full(activity[""].shape[1], np.nan)
    scores = pair.normal_scores(activity[""], rng)
    found = {
        "mutual_bits": pair.mean_with_others(scores),
        "mutual_null_bits": pair.mean_with_others(rng.permuted(scores, axis=0)),
    }
    for kind in ("pre", "position", "pre_position"):
        known = kind in activity
        found[f"mutual_{kind}_bits"] = (
            pair.mean_with_others(pair.normal_scores(activity[kind], rng)) if known else empty
        )
    found |= nearest_neighbours(activity[""], scores, pair.partners(len(empty), settings.checked, rng), rng)
    found |= about_classes(activity[""], labels, classes, settings, rng)
    for kind in ("", "pre"):
        entropies = pair.entropies(activity[kind], settings.entropy_bins) if kind in activity else {}
        for name in ("global", "unit", "standardised"):
            column = "_".join(filter(None, ("entropy", kind, name, "bits")))
            found[column] = entropies.get(name, empty)
    dimensions = np.full(len(empty), pair.participation_ratio(activity[""]))
    return found | {"predicted": pair.predictability(activity[""]), "dimensions": dimensions}


def nearest_neighbours(
    activity: np.ndarray, scores: np.ndarray, pairs: np.ndarray, rng
) -> dict[str, np.ndarray]:
    """Estimate the information of these pairs by nearest neighbours and by the copula, {column: (units,)}."""
    import numpy as np

    from directions.analyses import pair_information as pair

    units, mixed = activity.shape[1], rng.permuted(activity, axis=0)
    values = {
        "ksg_bits": [pair.ksg_information(activity[:, a], activity[:, b], rng) for a, b in pairs],
        "ksg_null_bits": [pair.ksg_information(activity[:, a], mixed[:, b], rng) for a, b in pairs],
        "ksg_copula_bits": [pair.copula_information(scores[:, [a]], scores[:, [b]]).item() for a, b in pairs],
    }
    return {
        name: pair.mean_over_pairs(np.array(found, dtype=float), pairs, units)
        for name, found in values.items()
    }


def about_classes(
    activity: np.ndarray, labels: np.ndarray, classes: int, settings: Settings, rng
) -> dict[str, np.ndarray]:
    """Decompose what pairs tell about the class, with its null, {column: (units,)}."""
    from directions.analyses import pair_information as pair
    from directions.analyses.selectivity import binned

    units = activity.shape[1]
    pairs, bins = pair.partners(units, settings.partners, rng), binned(activity, settings.bins)
    mixed = rng.permutation(labels)
    true = pair.decomposition(bins, pairs, labels, classes)
    null = pair.decomposition(bins, pairs, mixed, classes)
    columns = {f"{part}_bits": true[part] for part in ("redundancy", "unique", "synergy")}
    columns |= {f"{part}_null_bits": null[part] for part in ("redundancy", "unique", "synergy")}
    for part in ("redundancy", "synergy"):
        columns[f"{part}_specific_bits"] = true[f"{part}_specific"]
        columns[f"{part}_specific_null_bits"] = null[f"{part}_specific"]
    means = {name: pair.mean_over_pairs(values, pairs, units) for name, values in columns.items()}
    return means | {
        "added_bits": pair.added(bins, labels, classes),
        "added_null_bits": pair.added(bins, mixed, classes),
    }
