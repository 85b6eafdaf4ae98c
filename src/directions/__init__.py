"""The science of "On the importance of single directions for generalization" as a library.

It knows neither Snakemake nor where a study keeps its files; `scripts/` connect the two. To analyse your own
networks: `from directions import analyse, show_layers`.
"""

import importlib

__all__ = ["analyse", "show_layers"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import `directions.analyse` and `show_layers` on first use: the workflow must not wait for torch.

    They are imported by name because jobs list the modules they import, and jobs do not use these two.
    """
    if name == "analyse":
        return importlib.import_module("directions.api").analyse
    if name == "show_layers":
        return importlib.import_module("directions.interventions.layer_listing").show_layers
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
