"""Which analysis makes which table: the one list shared by config, run table, rules and figures."""

ANALYSES = {  # analysis (its script and config block) -> its results folder and table name
    "ablate_cumulative": "ablation",
    "ablate_checkpoints": "checkpoints",
    "add_noise": "noise",
    "ablate_single": "single",
    "measure_units": "units",
}

# For networks in configs/own.yaml; `DEFAULTS` in user_networks.py holds their settings.
OWN_ANALYSES = ("ablate_cumulative", "add_noise", "ablate_single", "measure_units")


MADE_BY = {  # table -> the analysis it needs; None: training alone is enough
    "runs": None,
    "history": None,
    "areas": "ablate_cumulative",
    "selection": "ablate_cumulative",
} | {table: analysis for analysis, table in ANALYSES.items()}

DERIVED = ("areas", "selection")  # tables that a separate rule derives from other tables of the experiment

BLOCKS = {  # block of settings in the config -> the analysis that must be listed for the block to be read
    analysis: analysis for analysis in ANALYSES
} | {"select_settings": "ablate_cumulative"}


def tables_of(analyses: list[str]) -> list[str]:
    """List all tables of an experiment with these analyses, in the order of `MADE_BY`."""
    return [table for table, analysis in MADE_BY.items() if analysis is None or analysis in analyses]


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
}


# Panels whose curves or dots were read off the printed paper, one file each; none of the appendix.
_PANELS = "1a 1b 1c 2a 2b 3a 3b 4a 4b 4c 5a 5b 6a 6b 7a 7b 7c 7d 7e"


IN_PAPER = tuple(f"fig{panel}" for panel in _PANELS.split())


PAPER_CURVES = "data/paper/figures/{figure}.csv"


# What a figure compares: experiments that cannot show it are refused before anything trains.
VARIED = {  # the setting that must have several values
    "fig3b": "learning_rate", "fig5b": "batch_norm", "fig6a": "batch_norm", "fig6b": "batch_norm"
}  # fmt: skip


COUNTED = {"fig3a": ("networks", 2), "fig3b": ("networks", 3), "fig4c": ("settings", 4)}  # at least this many


CLAMPED = {"figA1": ("zero", "mean")}  # values that cumulative ablation must clamp to


def paper_files(figure: str, paper_curves: bool) -> list[str]:
    """Return the file of the paper's own curves that a figure draws behind ours, if any."""
    return [PAPER_CURVES.format(figure=figure)] if paper_curves and figure in IN_PAPER else []
