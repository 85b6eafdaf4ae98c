"""Which analysis makes which table: the one list shared by config, run table, rules and figures.

It imports neither PyTorch nor a plotting library, because the workflow reads it while it plans.
"""

import re
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path

from directions.core import user_functions
from directions.core.errors import InputError
from directions.study.analysis_spec import AnalysisSpec

PAPER = ("ablate_cumulative", "ablate_checkpoints", "add_noise", "ablate_single", "measure_units")
FOLLOW_UPS = (
    "measure_pairs",
    "ablate_ordered",
    "ablate_parts",
    "flip_images",
    "measure_memorization",
    "measure_cmi",
    "measure_kernel",
    "measure_examples",
    "ablate_examples",
)  # of later work
BUILT_IN = PAPER + FOLLOW_UPS

# Loaded by name, as the files of analyses are read by everything that plans: see analysis_spec.py.
SPECS: dict[str, AnalysisSpec] = {
    name: import_module(f"directions.analyses.{name}").SPEC for name in BUILT_IN
}
ANALYSES = {name: spec.table for name, spec in SPECS.items()}  # {analysis: its table}
OF_STUDIES = ("measure_memorization", "measure_cmi")  # they need true labels or the recipe of training
OWN_ANALYSES = tuple(name for name, spec in SPECS.items() if not spec.checkpoints and name not in OF_STUDIES)

TRAINED = ("runs", "history")  # tables that training alone gives
DERIVED = {"areas": ("ablation", "runs"), "selection": ("areas", "runs")}  # tables made from other tables
DERIVED_BY = {"areas": "measure_areas", "selection": "select_settings"}  # the rule and script that makes it
FOLLOWS = "ablate_cumulative"  # the analysis that `DERIVED` and `select_settings` follow


def specs(config: Mapping) -> dict[str, AnalysisSpec]:
    """Map each analysis to its declaration: those of this library and of the config's `analysis_files`.

    Raises InputError for a file that declares no analysis, or one whose name or table exists already.
    """
    found, tables = dict(SPECS), {*TRAINED, *DERIVED, *ANALYSES.values()}
    for file in config.get("analysis_files", ()):
        name, spec = Path(file).stem, user_functions.load(f"{file}:SPEC")
        user_functions.check(f"{file}:observe")
        if not isinstance(spec, AnalysisSpec):
            raise InputError(
                f"analysis_files: {file}: SPEC must be an AnalysisSpec, not {type(spec).__name__}"
            )
        if not re.fullmatch("[a-z][a-z0-9_]*", name):
            raise InputError(f"analysis_files: {file}: name the file with lower-case letters, digits and _")
        if name in found or spec.table in tables:
            what = f"an analysis {name}" if name in found else f"a table {spec.table}"
            raise InputError(f"analysis_files: {file}: there is {what} already: choose another name")
        found[name] = spec
        tables.add(spec.table)
    return found


def made_by(config: Mapping) -> dict[str, str | None]:
    """Map each table to the analysis that it needs; None: it comes from training alone."""
    analyses = {spec.table: name for name, spec in specs(config).items()}
    return dict.fromkeys(TRAINED) | dict.fromkeys(DERIVED, FOLLOWS) | analyses


def blocks(config: Mapping) -> dict[str, str]:
    """Map each block of settings to the analysis that an experiment must list for it to be read."""
    return {analysis: analysis for analysis in specs(config)} | {"select_settings": FOLLOWS}


def tables_of(analyses: Iterable[str], config: Mapping) -> list[str]:
    """List the tables of an experiment with these analyses, in the order of `made_by`."""
    return [table for table, analysis in made_by(config).items() if analysis is None or analysis in analyses]


def code_of_analysis(analysis: str, config: Mapping) -> list[str]:
    """Return where an analysis is: the name of a module, or the path of a file and of those it imports."""
    for file in config.get("analysis_files", ()):
        if Path(file).stem == analysis:
            others = set(user_functions.files(f"{file}:observe")) - {str(Path(file).expanduser())}
            return [str(Path(file).expanduser()), *sorted(others)]
    return [f"directions.analyses.{analysis}"]


_CURVES = ("runs", "ablation", "areas")
_NOISE = ("runs", "noise")
_IMPORTANCE = ("runs", "single", "units")
_UNITS = ("runs", "units")

FIGURES = {
    "fig1a": _CURVES,
    "fig1b": _CURVES,
    "fig1c": _CURVES,
    "fig2a": _NOISE,
    "fig2b": _NOISE,
    "fig3a": _CURVES,
    "fig3b": _CURVES,
    "fig4a": ("runs", "history", "checkpoints"),
    "fig4b": ("runs", "checkpoints"),
    "fig4c": ("runs", "areas", "selection"),
    "fig5a": _CURVES,
    "fig5b": _CURVES,
    "fig6a": _UNITS,
    "fig6b": _UNITS,
    "fig7a": _IMPORTANCE,
    "fig7b": _IMPORTANCE,
    "fig7c": _IMPORTANCE,
    "fig7d": _IMPORTANCE,
    "fig7e": _IMPORTANCE,
    "figA1": _CURVES,
    "figA2a": _UNITS,
    "figA2b": _UNITS,
    "figA3a": _UNITS,
    "figA3b": _UNITS,
    "figA4a": _IMPORTANCE,
    "figA4b": _IMPORTANCE,
    "figA4c": _IMPORTANCE,
    "figA4d": _IMPORTANCE,
    "figA4e": _IMPORTANCE,
    "pairs_area": ("runs", "areas", "pairs"),
    "orders": ("runs", "ordered"),
    "redundancy": ("runs", "pairs"),
    "redundancy_dropout": ("runs", "pairs"),
    "memories": ("runs", "parts", "flips"),
    "layers_area": ("runs", "parts"),
    **dict.fromkeys(("limit", "limit_dropout", "limit_conv"), ("runs", "areas", "memorization")),
    "controls": ("runs", "areas"),
    "cmi": ("runs", "cmi"),
    "complexity": ("runs", "areas", "kernel"),
    "examples": ("runs", "examples", "informative"),
}

# Panels whose curves or dots were read off the printed paper, one file each; none of the appendix.
_PANELS = "1a 1b 1c 2a 2b 3a 3b 4a 4b 4c 5a 5b 6a 6b 7a 7b 7c 7d 7e"
IN_PAPER = tuple(f"fig{panel}" for panel in _PANELS.split())
PAPER_CURVES = "data/paper/figures/{figure}.csv"

# What a figure compares: experiments that cannot show it are refused before anything trains.
VARIED = {  # the setting that must have several values
    "limit": "method", "limit_dropout": "dropout", "limit_conv": "method",
    "controls": "dataset", "cmi": "corrupt",
    "fig3b": "learning_rate", "fig5b": "batch_norm", "fig6a": "batch_norm", "fig6b": "batch_norm"
}  # fmt: skip
ALONE = {  # the only settings, with the seed, that may vary
    **dict.fromkeys(("limit", "limit_conv"), ("method", "limit_lambda", "epochs")),
    "limit_dropout": ("dropout", "epochs"),
    "controls": ("dataset", "images", "corrupt"), "cmi": ("corrupt",),
}  # fmt: skip
SCORED_ON = dict.fromkeys(
    ("limit", "limit_dropout", "limit_conv"), "test"
)  # the images of cumulative ablation
COUNTED = {"fig3a": ("networks", 2), "fig3b": ("networks", 3), "fig4c": ("settings", 4)}  # at least this many
CLAMPED = {"figA1": ("zero", "mean")}  # values that cumulative ablation must clamp to


def paper_files(figure: str, paper_curves: bool) -> list[str]:
    """Return the file of the paper's own curves that a figure draws behind ours, if any."""
    return [PAPER_CURVES.format(figure=figure)] if paper_curves and figure in IN_PAPER else []
