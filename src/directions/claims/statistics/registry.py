"""Every statistic that a claim may name: the tables it reads and how it is computed from them."""

from directions.claims.statistics import (
    bounds,
    checkpoints,
    controls,
    curves,
    dropout,
    examples,
    kernels,
    memorization,
    networks,
    shared_units,
    units,
)
from directions.claims.statistics.bootstrap import Difference, Estimate, Statistic, column, mean, only, size
from directions.claims.statistics.conditions import Condition
from directions.claims.statistics.selection import SELECTIONS, Selection
from directions.core.tables import Tables

_AREAS = ("runs", "areas")
_NOISE = ("runs", "noise")
_UNITS = ("runs", "units")
_BOTH = ("runs", "single", "units")
_FEWEST = 5  # networks, for a rank correlation across networks
_AUC, _INFORMATION = column(0), "information_bits"


def estimate(
    name: str, tables: Tables, key: str, condition: Condition | None = None, fewest: int | None = None
) -> Estimate:
    """Compute statistic `name` from the `tables` of one experiment, with a 95 % interval.

    `key` names the random stream ("bootstrap", key); `condition` selects networks or a layer, if the
    statistic `asks` for it; an interval needs `fewest` networks (by default the statistic's own minimum).
    Raises Untestable if the study has no such networks, InputError if a table lacks a column.
    """
    return STATISTICS[name].estimate(tables, key, condition or {}, fewest)


def _areas(sample, combine, measure=_AUC, fewest=2, asks=((),)) -> Statistic:
    return Statistic(_AREAS, sample, measure, combine, fewest, asks)


def _pairs(combine=networks.across, **options) -> Statistic:
    return Statistic(_AREAS, networks.pairs(**options), mean, combine, _FEWEST)


def _noise(combine) -> Statistic:
    return Statistic(_NOISE, networks.noise_areas, _AUC, combine)


def _beside_paper(table: str, sample, combine, asks) -> Statistic:
    return Statistic(("runs", table, "paper"), sample, mean, combine, asks=asks)


def _dropout(combine, asks=((),)) -> Statistic:
    return Statistic(("runs", "ablation"), dropout.curves, mean, combine, asks=asks)


def _importance(x: str, measure, combine=only, y: str = "importance", asks=((),)) -> Statistic:
    return Statistic(_BOTH, units.units_of(x, y), measure, combine, asks=asks)


def _alone(x: str, measure, combine=only, y: str | None = None) -> Statistic:
    return Statistic(_UNITS, units.units_of(x, y or x), measure, combine)


def _batch_norm(x: str, measure=None) -> Statistic:
    measure = measure or column(units.X)
    return Statistic(_UNITS, units.units_by_batch_norm(x), measure, Difference(True, False))


_CURVES = (("corrupt",), ("corrupt", "dropout"), ("batch_norm",), ("group",))  # conditions of a curve
_ONE_FRACTION = (("corrupt",),)
_SHAPES = {  # Figures 1, 2, 3a, 5: distance of our curves from the paper's
    f"{kind}_{name}_distance": _beside_paper(table, sample, combine, ((), *asks))
    for kind, table, sample, asks in (
        ("curve", "ablation", curves.ablation_distances, _CURVES),
        ("noise", "noise", curves.noise_distances, _ONE_FRACTION),
    )
    for name, combine in (("mean", curves.mean_distance), ("largest", curves.largest_distance))
}
_UNDER_NOISE = {  # Figure 2
    "noise_mean": _beside_paper("noise", curves.noise_levels, curves.mean_level, _ONE_FRACTION),
    "noise_half_scale": Statistic(
        _NOISE,
        curves.noise_scales,
        mean,
        curves.half_scale,
        asks=_ONE_FRACTION,
        undefined="accuracy does not fall to a half within these noise ratios",
    ),
}
_ACROSS = {  # Figures 1, 2, 3, 4c, 5b, A1: curves of networks
    "auc": _areas(networks.ablation_areas, only, asks=_CURVES),
    "auc_difference": _areas(networks.ablation_areas, Difference(0.0, 1.0)),
    "auc_smallest_difference": _areas(networks.ablation_areas, networks.smallest_lead_of_clean),
    "auc_trend": _areas(networks.ablation_areas, networks.trend),
    "noise_area_difference": _noise(Difference(0.0, 1.0)),
    "noise_area_smallest_difference": _noise(networks.smallest_lead_of_clean),
    "auc_clamp_difference": _areas(networks.clamps, only),
    "auc_extremes_difference": _areas(networks.extremes, Difference("best", "worst")),
    "auc_batch_norm_difference": _areas(networks.batch_norm_areas, Difference(True, False)),
    "auc_error_correlation": _pairs(quality="generalization_error", known=True),
    "auc_error_correlation_within_rate": _pairs(
        networks.within, quality="generalization_error", setting="learning_rate", known=True
    ),
    "auc_explained_by_rate": _pairs(
        networks.explained, quality="test_accuracy", setting="learning_rate", known=True
    ),
    "auc_accuracy_correlation": _pairs(quality="test_accuracy"),
    "auc_relative_accuracy_correlation": _pairs(quality="test_accuracy", area="auc_relative"),
    "auc_accuracy_correlation_memorised": _pairs(quality="test_accuracy", known=True),
}
_TRAINING = {  # Figures 4a, 4b
    name: Statistic(("runs", "checkpoints"), checkpoints.training, measure, only)
    for name, measure in checkpoints.MEASURES.items()
}
_DROPOUT = {  # Figure 5a
    "dropout_kept_clean": _dropout(dropout.least(0.0, dropout.KEPT)),
    "dropout_kept_corrupted": _dropout(dropout.least(1.0, dropout.KEPT)),
    "dropout_further_clean": _dropout(dropout.least(0.0, dropout.KEPT_FURTHER)),
    "dropout_further": _dropout(dropout.of_one(dropout.KEPT_FURTHER), asks=(("corrupt", "dropout"),)),
    "dropout_further_difference": _dropout(dropout.smallest_lead(dropout.KEPT_FURTHER)),
    "dropout_beyond_difference": _dropout(dropout.smallest_lead(dropout.BEYOND)),
    "dropout_clean_spread": _dropout(dropout.spread_of_clean),
    "dropout_loss_trend": _dropout(dropout.loss_trend),
}
_OF_UNITS = {  # Figures 6, A2, A3
    "selectivity_mean": Statistic(
        _UNITS, units.every_unit("selectivity"), column(0), only, asks=(("batch_norm",),)
    ),
    "information_mean": Statistic(
        _UNITS, units.every_unit(_INFORMATION), column(0), only, asks=(("batch_norm",),)
    ),
    "selectivity_batch_norm_difference": _batch_norm("selectivity"),
    "selective_share_batch_norm_difference": _batch_norm("selectivity", units.share_above(0.75)),
    "information_batch_norm_difference": _batch_norm(_INFORMATION),
    "information_batch_norm_difference_coarse": _batch_norm("information_bits_coarse"),
    "information_batch_norm_difference_fine": _batch_norm("information_bits_fine"),
    "selectivity_depth_correlation": _alone("selectivity", units.depth(units.X)),
    "selectivity_l1_correlation": _alone("selectivity", units.pooled, y="l1"),
    "selectivity_l1_correlation_size": _alone("selectivity", units.pooled, size, y="l1"),
    "selectivity_l1_correlation_within": _alone("selectivity", units.layers(), y="l1"),
}
_OF_IMPORTANCE = {  # Figures 7, A4: effects of single-unit ablation
    "importance_depth_correlation": _importance("selectivity", units.depth(units.Y)),
    "minimal_impact_share": _importance("selectivity", units.minimal_impact),
    "selectivity_correlation_layer": _importance("selectivity", units.pooled, asks=(("layer",),)),
    "selectivity_correlation_layer_mean": _importance("selectivity", units.layer_mean),
    "selectivity_correlation_later_largest": _importance("selectivity", units.largest_later),
    "selectivity_correlation_early": _importance("selectivity", units.layers("early")),
    "selectivity_correlation_late_size": _importance("selectivity", units.layers("late"), size),
    "information_correlation_within_size": _importance(_INFORMATION, units.layers(), size),
    "selectivity_correlation_early_minus_late": _importance(
        "selectivity", units.parts("early", "late"), units.first_minus_second
    ),
    "information_ends_gain": _importance(
        _INFORMATION, units.parts("early", "middle", "late"), units.ends_gain
    ),
    "information_gain": Statistic(
        _BOTH,
        units.two_units_of("selectivity", _INFORMATION, "importance"),
        units.both(),
        units.size_gain,
    ),
    "class_drop_gain": Statistic(  # does selectivity predict the worst class's loss better than that of all?
        _BOTH,
        units.two_units_of("selectivity", "selectivity", "worst_class_drop", "importance"),
        units.both(inside_layers=True),
        units.first_minus_second,
    ),
    "weighted_selectivity_gain": Statistic(
        _BOTH,
        units.two_units_of("selectivity", units.WEIGHTED, "importance"),
        units.both(inside_layers=True),
        units.size_gain,
    ),
    "free_share": _importance("selectivity", units.free_share),
    "selectivity_class_drop_correlation_within": _importance(
        "selectivity", units.layers(), y="worst_class_drop"
    ),
}
for _name, _column in (("selectivity", "selectivity"), ("information", _INFORMATION)):
    _OF_IMPORTANCE |= {
        f"{_name}_correlation": _importance(_column, units.pooled),
        f"{_name}_correlation_size": _importance(_column, units.pooled, size),
        f"{_name}_correlation_within": _importance(_column, units.layers()),
    }

_CLEAN_LESS_CORRUPTED = Difference(0.0, 1.0)
_SHARED = {  # figures of later work
    f"{name}_difference": Statistic(
        ("runs", "pairs"), shared_units.of_units(*columns), column(0), _CLEAN_LESS_CORRUPTED
    )
    for name, columns in {
        "mutual": ("mutual_bits",),
        "mutual_pre": ("mutual_pre_bits",),
        "entropy_pre_global": ("entropy_pre_global_bits",),
        "entropy_pre_standardised": ("entropy_pre_standardised_bits",),
        "redundancy": ("redundancy_bits", "redundancy_null_bits"),
        "synergy": ("synergy_bits", "synergy_null_bits"),
    }.items()
}
_SHARED |= {
    f"{name}_area_correlation{suffix}": Statistic(
        ("runs", "areas", "pairs"), shared_units.beside_area(f"{name}_bits"), mean, combine
    )
    for name in ("mutual", "mutual_pre")
    for suffix, combine in (("", shared_units.over_all), ("_within", shared_units.within_all))
}
_SHARED |= {
    f"{part}_dropout_trend": Statistic(
        ("runs", "pairs"),
        shared_units.by_dropout(f"{part}_bits", f"{part}_null_bits"),
        column(0),
        networks.trend,
    )
    for part in ("redundancy", "synergy")
}
_SHARED |= {
    f"{order}_order_lead": Statistic(("runs", "ordered"), shared_units.leads(order), column(0), only)
    for order in ("importance", "information", "mutual", "redundancy", "selectivity", "synergy")
}
_SHARED |= {
    "synergy_order_beyond_information": Statistic(
        ("runs", "ordered"),
        shared_units.leads("information", "synergy"),
        mean,
        shared_units.second_minus_first,
    ),
    "flips_difference": Statistic(
        ("runs", "flips"), shared_units.flips, shared_units.clean_minus_corrupted, only
    ),
    "memories_difference": Statistic(("runs", "parts"), shared_units.memories("all"), column(0), only),
    "memories_depth_difference": Statistic(
        ("runs", "parts"), shared_units.memories("first", "last"), mean, shared_units.second_minus_first
    ),
}

_MEMORIZATION = {  # Figures limit, limit_dropout, limit_conv
    name: Statistic(("runs", "areas", "memorization"), memorization.ways, mean, combine)
    for name, combine in {
        "memorized_area_correlation": shared_units.over_all,
        "limit_lead": memorization.lead(memorization.by_limit, "by LIMIT"),
        "limit_distance": memorization.distance(memorization.by_limit, "by LIMIT"),
        "dropout_lead": memorization.lead(memorization.by_dropout, "with dropout"),
        "dropout_distance": memorization.distance(memorization.by_dropout, "with dropout"),
    }.items()
}
_BOUNDS = {  # Figure cmi
    name: Statistic(("runs", "cmi"), sample, mean, combine, asks=asks)
    for name, sample, combine, asks in (
        ("cmi_slack", bounds.supersamples, bounds.smallest_slack, ((),)),
        ("cmi_bound", bounds.supersamples, bounds.largest_bound, _ONE_FRACTION),
        ("cmi_rise", bounds.supersamples, bounds.rise, ((),)),
        ("cmi_area_correlation", bounds.gap_and_area, shared_units.over_all, ((),)),
    )
}

_CONTROLS = {  # Figure controls
    "controls_gap_correlation": _areas(controls.kinds(), shared_units.over_all, mean),
    "true_labels_gap_correlation": _areas(controls.kinds(true_labels=True), shared_units.over_all, mean),
    "pvr_gap_correlation": _areas(
        controls.kinds(controls.PVR, true_labels=True), shared_units.over_all, mean
    ),
    "pvr_corruption_difference": _areas(controls.kinds(controls.PVR), controls.lead_of_true_labels, mean),
    "mnist_corruption_difference": _areas(controls.kinds(controls.MNIST), controls.lead_of_true_labels, mean),
    "clones_difference": _areas(*controls.lead(controls.FULL, controls.MNIST), mean),
    "isotropic_difference": _areas(*controls.lead(controls.ISOTROPIC, controls.FULL), mean),
}
_KERNEL = ("runs", "areas", "kernel")
_EXAMPLES = {  # Figures examples, complexity
    "wrong_labels_told_apart": Statistic(
        ("runs", "examples"), examples.scored("information"), examples.told_apart, only
    ),
    "wrong_labels_gain": Statistic(
        ("runs", "examples"), examples.scored("information", "left_out_residual"), examples.told_apart, only
    ),
    "informative_area_difference": Statistic(
        ("runs", "informative"),
        examples.lead_of_least("information"),
        column(0),
        only,
        asks=((), ("corrupt",)),
    ),
    "complexity_trend": Statistic(_KERNEL, kernels.beside_area, column(kernels.START), networks.trend),
    "complexity_area_correlation": Statistic(
        _KERNEL, kernels.beside_area, kernels.area_and_complexity, shared_units.over_all
    ),
    "complexity_change": Statistic(_KERNEL, kernels.beside_area, kernels.change, only, asks=(("corrupt",),)),
}

SHAPES = tuple(_SHAPES)
STATISTICS: dict[str, Statistic | Selection] = {
    **_SHAPES, **_UNDER_NOISE, **_ACROSS, **_TRAINING, **SELECTIONS, **_DROPOUT, **_OF_UNITS,
    **_OF_IMPORTANCE, **_SHARED, **_MEMORIZATION, **_CONTROLS, **_BOUNDS,
    **_OF_IMPORTANCE, **_SHARED, **_MEMORIZATION, **_CONTROLS, **_EXAMPLES,
}  # fmt: skip
