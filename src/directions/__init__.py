"""The science of "On the importance of single directions for generalization" as a library.

It knows neither Snakemake nor where a study keeps its files: `scripts/` join the two. For networks of your
own: `from directions import analyse, show_layers`.
"""

import importlib


def __getattr__(name: str):
    """`directions.analyse` and `show_layers`, imported when asked for: the workflow must not wait for torch.

    By name, as jobs list the modules that they import: they do not run this one.
    """
    if name == "analyse":
        return importlib.import_module("directions.own.call").analyse
    if name == "show_layers":
        return importlib.import_module("directions.own.shown").show_layers
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
