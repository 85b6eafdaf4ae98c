"""The science of "On the importance of single directions for generalization" as a library.

It knows neither Snakemake nor where a study keeps its files; `scripts/` connect the two. To analyse your own
networks: `from directions import analyse, show_layers`.
"""

import importlib

__all__ = ["analyse", "show_layers"]


def __getattr__(name: str) -> object:
    """Import `analyse`, `show_layers` and `__version__` on first use: the workflow must not wait for torch.

    They are imported by name because jobs list the modules they import, and jobs do not use these.
    """
    if name == "analyse":
        return importlib.import_module("directions.api").analyse
    if name == "show_layers":
        return importlib.import_module("directions.interventions.layer_listing").show_layers
    if name == "__version__":
        return importlib.import_module("directions.version").VERSION
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
