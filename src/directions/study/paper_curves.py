"""The paper's own curves and dots, read off its printed figures (data/paper/figures/README.md)."""

from pathlib import Path

import pandas as pd

from directions.core import tables as table_files
from directions.core.errors import InputError

COLUMNS = {  # of each panel's file; every panel of Figures 1 to 7 has one
    "fig1a": ("corrupt", "ablated", "accuracy", "sd", "status"),
    "fig1b": ("corrupt", "ablated", "accuracy", "sd", "status"),
    "fig1c": ("corrupt", "ablated", "accuracy", "sd", "status"),
    "fig2a": ("corrupt", "noise_scale", "accuracy", "status"),
    "fig2b": ("corrupt", "noise_scale", "accuracy", "status"),
    "fig3a": ("group", "generalisation_error", "ablated", "accuracy", "sd"),
    "fig3b": ("generalisation_error", "area_normalized", "visible_fraction"),
    "fig4a": ("epoch", "train_loss", "test_loss", "area_normalized", "train_min", "train_max", "note"),
    "fig4b": ("test_loss", "area_normalized"),
    "fig4c": ("test_accuracy", "area_normalized"),
    "fig5a": ("dropout", "labels", "ablated", "accuracy", "status"),
    "fig5b": ("batch_norm", "ablated", "accuracy", "sd", "sd_above", "sd_below"),
    "fig6a": ("batch_norm", "bin_left", "bin_right", "density"),
    "fig6b": ("batch_norm", "bin_left", "bin_right", "density"),
    "fig7a": ("layer", "selectivity", "impact", "visible_fraction"),
    "fig7b": ("layer", "selectivity", "impact", "visible_fraction"),
    "fig7c": ("layer", "correlation"),
    "fig7d": ("layer", "selectivity", "impact", "visible_fraction"),
    "fig7e": ("layer", "correlation"),
}
UNITS = {  # maximum units ablated; fig1c and fig3a end earlier, at chance: their totals are inferred
    "fig1a": 1024,
    "fig1b": 1536,
    "fig1c": 6144,
    "fig3a": 2816,
    "fig5a": 4096,
    "fig5b": 1536,
}


def read(path: Path | str) -> pd.DataFrame:
    """Read one panel's curves or dots from its file, named after the panel (fig1a.csv).

    Returns the columns `COLUMNS` and, for panels in `UNITS`, `fraction`: the fraction of units ablated.
    Raises InputError for a missing file or column, and for a panel that the paper does not have.
    """
    path = Path(path)
    if path.stem not in COLUMNS:
        raise InputError(f"{path}: the paper has no panel {path.stem!r}: it has {', '.join(COLUMNS)}")
    if not path.is_file():
        raise InputError(f"{path} does not exist: the repository keeps it; restore it with `git checkout`")
    curves = table_files.csv(path)
    lacking = [column for column in COLUMNS[path.stem] if column not in curves]
    if lacking:
        raise InputError(f"{path} lacks the column {', '.join(lacking)}: restore it with `git checkout`")
    if path.stem in UNITS:
        curves = curves.assign(fraction=curves["ablated"] / UNITS[path.stem])
    return curves
