"""From the study's config to its run table: varied settings name the runs, the rest is fixed.

Names are built only here and looked up everywhere else; nothing parses them.
"""

import itertools
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from directions.study.architectures import ARCHITECTURES
from directions.study.catalogue import FIGURES, tables_of
from directions.study.training_settings import LATER, OF_METHOD, VARIABLE

MODELS = {name: one.reads for name, one in ARCHITECTURES.items()}
OPTIMIZERS = {"sgd": ("momentum",), "adam": ()}  # {optimizer: settings that only it reads}
CROSS_ENTROPY = "cross_entropy"  # the method where none is named
METHODS = {
    CROSS_ENTROPY: (), "mae": (), "limit": ("limit_loss", "limit_lambda", "limit_sample", "limit_sum"),
}  # fmt: skip

Settings = dict[str, Any]
Runs = dict[str, dict[str, Settings]]


def text(value: object) -> str:
    """Format a setting for a file name: 0.4, 0.00001 (never 1e-05), 128x128, all, true."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        digits = f"{Decimal(repr(value)):f}"
        return digits if "." in digits else f"{digits}.0"
    if isinstance(value, list):
        return "x".join(map(text, value))
    return str(value)


def varied(experiment: dict) -> list[str]:
    """List the settings that an experiment of a loaded config varies, in the order of its run names."""
    return [key for key in VARIABLE if key in experiment["vary"]]


def models_of(config: Mapping) -> dict[str, tuple[str, ...]]:
    """Add the user's models, from `config.load`'s result, to `MODELS`."""
    return MODELS | {name: tuple(entry["reads"]) for name, entry in config["models"].items()}


def product(experiment: dict, models: dict[str, tuple[str, ...]] = MODELS) -> list[tuple[str, Settings]]:
    """List [(run name, all its training settings)], sorted by name: every combination of varied values once.

    Sorted because JSON with sorted keys passes runs to tables in this order too. models: see `models_of`.
    Names leave out settings of another method than the run's, so combinations that differ in these alone are
    one run.
    """
    keys = varied(experiment)
    rows = {}
    for values in itertools.product(*(experiment["vary"][key] for key in keys)):
        chosen = dict(zip(keys, values, strict=True))
        if "method" in chosen:
            chosen["method"] = chosen["method"] or CROSS_ENTROPY
        settings = experiment["training"] | chosen
        told = (key for key in keys if key not in OF_METHOD or key not in unread(settings, models))
        name = "_".join(f"{key}-{text(chosen[key])}" for key in told)
        rows[name] = without_unread(settings, models)
    return sorted(rows.items())


def choosing(models: dict[str, tuple[str, ...]]) -> tuple[tuple[str, dict[str, tuple[str, ...]]], ...]:
    """List settings that decide which others are read, each with {value: settings that only some read}."""
    return ("model", models), ("optimizer", OPTIMIZERS), ("method", METHODS)


def without_unread(settings: Settings, models: dict[str, tuple[str, ...]] = MODELS) -> Settings:
    """Set settings that this model, optimizer or method never reads to None: changing them reruns nothing.

    Those in `LATER` are dropped if null.
    """
    none = unread(settings, models)
    read = {key: None if key in none else value for key, value in settings.items()}
    return {key: value for key, value in read.items() if key not in LATER or value is not None}


def unread(settings: Settings, models: dict[str, tuple[str, ...]] = MODELS) -> set[str]:
    """Find the settings that this model, optimizer or method never reads."""
    found = set()
    for kind, choices in choosing(models):
        others = itertools.chain.from_iterable(choices.values())
        found |= set(others) - set(choices[settings.get(kind) or CROSS_ENTROPY])
    return found | ({"epochs"} if settings["steps"] is not None else set())


def expand(config: Mapping) -> Runs:
    """Build {experiment: {run: settings}} for the selected figures, from `config.load`'s result."""
    models = models_of(config)
    return {name: dict(product(config["experiments"][name], models)) for name in config["tables"]}


def key_columns(config: dict, experiment: str) -> dict[str, Settings]:
    """Build {run: {varied setting: value}}: the key columns of an experiment's tables.

    Lists become text (hidden: "128x128"), because a table field holds one value.
    """
    chosen = config["experiments"][experiment]
    return {
        run: {key: text(v) if isinstance(v := settings.get(key), list) else v for key in varied(chosen)}
        for run, settings in product(chosen, models_of(config))
    }


def labels_settings(settings: Settings) -> Settings:
    """Select the settings of a run that its label ledger depends on."""
    return {key: settings[key] for key in ("images", "corrupt", "seed")}


def labels_name(settings: Settings) -> str:
    """Name the label ledger of a run: "images-5000_corrupt-0.4_seed-1"; runs with equal labels share it."""
    return "_".join(f"{key}-{text(value)}" for key, value in labels_settings(settings).items())


def labels(runs: Runs) -> dict[str, dict[str, Settings]]:
    """Build {dataset: {ledger name: {images, corrupt, seed}}} of all ledgers that the runs need."""
    found: dict[str, dict[str, Settings]] = {}
    for settings in (row for group in runs.values() for row in group.values()):
        found.setdefault(settings["dataset"], {})[labels_name(settings)] = labels_settings(settings)
    return found


def needed_tables(config: Mapping, figures: list[str] | None) -> dict[str, list[str]]:
    """Build {experiment: tables}, in config order, that the figures read; None: all possible tables."""
    needed = {}
    for name, experiment in config["experiments"].items():
        read = {t for f in figures or () if config["draw"][f] == name for t in FIGURES[f]}
        tables = [t for t in tables_of(experiment["analyses"], config) if figures is None or t in read]
        if tables:
            needed[name] = tables
    return needed
