"""Partially corrupted labels (paper, section 2.3, after Zhang et al. 2017).

The labels of a chosen fraction of the training images are shuffled among those images: the class histogram
is preserved, the relation between image and label is broken. With ten balanced classes, a tenth of the
shuffled labels are right by chance, so about 0.9 of them really change; the ledger has the exact number.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from directions.core.errors import InputError
from directions.core.files import atomic
from directions.core.seeds import stream
from directions.core.suggest import rebuild
from directions.core.types import Count

COLUMNS = ["image", "true", "given", "selected"]


def choose_images(total: int, wanted: Count, dataset: str) -> np.ndarray:
    """Choose the training images to use: sorted indices (wanted,); "all" takes every image (D12).

    A smaller subset is contained in a larger one. Raises InputError if the data set has fewer images.
    """
    if wanted == "all":
        return np.arange(total)
    if wanted > total:
        raise InputError(f"images: {wanted} requested, but {dataset} has {total} training images")
    return np.sort(stream("subset", dataset).permutation(total)[:wanted])


def corrupt(true: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Shuffle the labels of exactly round(fraction * n) images: (given labels (n,), selected (n,) bool).

    With the same seed, the images selected at a smaller fraction are among those selected at a larger one.
    Raises InputError for a fraction outside 0..1.
    """
    if not 0 <= fraction <= 1:
        raise InputError(f"corrupt: {fraction} is outside 0..1: give a fraction of the images")
    count = round(fraction * len(true))
    chosen = stream("labels", seed, "select").permutation(len(true))[:count]
    given = true.copy()
    given[chosen] = true[stream("labels", seed, "shuffle").permutation(chosen)]
    selected = np.zeros(len(true), dtype=bool)
    selected[chosen] = True
    return given, selected


def ledger(labels: np.ndarray, dataset: str, images: Count, fraction: float, seed: int) -> pd.DataFrame:
    """Build the table of `COLUMNS`, one row per training image used, from all training labels (n,)."""
    image = choose_images(len(labels), images, dataset)
    true = labels[image]
    given, selected = corrupt(true, fraction, seed)
    return pd.DataFrame({"image": image, "true": true, "given": given, "selected": selected})


def save(path: Path | str, table: pd.DataFrame) -> None:
    """Write a ledger as Parquet, completely or not at all."""
    with atomic(path) as partial:
        table.to_parquet(partial, index=False)


def load(path: Path | str, labels: np.ndarray) -> pd.DataFrame:
    """Read a ledger and check it against the data set's training labels (n,).

    Raises InputError if it is not a ledger, names images missing from the data set, or is for other data.
    """
    way_out = rebuild(path)
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        raise InputError(f"{path} is not a label ledger ({error}): {way_out}") from error
    if list(table.columns) != COLUMNS:
        raise InputError(f"{path} has columns {list(table.columns)}, a label ledger has {COLUMNS}: {way_out}")
    if len(table) > len(labels) or not table["image"].between(0, len(labels) - 1).all():
        raise InputError(
            f"{path} labels {len(table)} images up to number {table['image'].max()}, "
            f"but the data set has {len(labels)} training images: {way_out}"
        )
    if not np.array_equal(labels[table["image"]], table["true"]):
        raise InputError(f"{path} is for another data set (its true labels differ): {way_out}")
    return table
