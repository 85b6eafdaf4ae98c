"""The science of "On the importance of single directions for generalization" as a library.

It knows neither Snakemake nor where a study keeps its files: `scripts/` join the two. For networks of your
own: `from directions import analyse`.
"""

import importlib


def __getattr__(name: str):
    """`directions.analyse`, imported when it is asked for: the workflow must not wait for torch.

    By name, as jobs list the modules that they import: they do not run this one.
    """
    if name == "analyse":
        return importlib.import_module("directions.own.call").analyse
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
