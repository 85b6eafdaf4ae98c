"""Which analysis makes which table; the one list that config, run table, rules and figures share."""

ANALYSES = {  # analysis (its script, its block in the config) -> folder of its results and name of its table
    "ablate_cumulative": "ablation",
    "ablate_checkpoints": "checkpoints",
    "add_noise": "noise",
    "ablate_single": "single",
    "measure_units": "units",
}

# Of networks of the user's own; `DEFAULTS` in own/plan.py has their settings.
OWN_ANALYSES = ("ablate_cumulative", "add_noise", "ablate_single", "measure_units")

ACTIVATIONS = (  # what may follow a layer of such a network; none: its outputs are units as they come
    "none", "relu", "gelu", "silu", "elu", "leaky_relu", "relu6", "hardswish", "mish", "softplus", "tanh",
    "sigmoid",
)  # fmt: skip

MADE_BY = {  # table -> the analysis it needs; None: training alone gives it
    "runs": None,
    "history": None,
    "areas": "ablate_cumulative",
    "selection": "ablate_cumulative",
} | {table: analysis for analysis, table in ANALYSES.items()}

DERIVED = ("areas", "selection")  # tables that a rule of their own makes from other tables of the experiment

BLOCKS = {  # block of settings in the config -> the analysis that an experiment must list for it to be read
    analysis: analysis for analysis in ANALYSES
} | {"select_settings": "ablate_cumulative"}


def tables_of(analyses: list[str]) -> list[str]:
    """All tables of an experiment with these analyses, in the order of `MADE_BY`."""
    return [table for table, analysis in MADE_BY.items() if analysis is None or analysis in analyses]
