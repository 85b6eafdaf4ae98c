"""Which analysis makes which table: the one list shared by config, run table, rules and figures."""

ANALYSES = {  # analysis (its script and config block) -> its results folder and table name
    "ablate_cumulative": "ablation",
    "ablate_checkpoints": "checkpoints",
    "add_noise": "noise",
    "ablate_single": "single",
    "measure_units": "units",
}

# For networks in configs/own.yaml; `DEFAULTS` in own/plan.py holds their settings.
OWN_ANALYSES = ("ablate_cumulative", "add_noise", "ablate_single", "measure_units")

ACTIVATIONS = (  # what may follow a layer of such a network; none: the module's output unchanged
    "none", "relu", "gelu", "silu", "elu", "leaky_relu", "relu6", "hardswish", "mish", "softplus", "tanh",
    "sigmoid",
)  # fmt: skip

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
