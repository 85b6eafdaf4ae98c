"""One module per figure of the paper; a figure is a function of tables, and these are the tables it reads.

Only names are here: the workflow reads them while it plans, and must not wait for a plotting library.
"""

FIGURES = {
    "fig1a": ("runs", "ablation", "areas"),
    "fig2a": ("runs", "noise"),
    "fig7a": ("runs", "single", "units"),
    "figA4a": ("runs", "single", "units"),
}
