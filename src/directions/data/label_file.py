"""Read labels from a CSV file, in the order of the images or matched to them by a column."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from directions.core.errors import InputError

log = logging.getLogger(__name__)

UNNAMED = "(no name)"  # a column without a name, as pandas writes its index
BY_NAME = ("image", "file", "filename", "file_name", "path", "name")  # columns that name an image file
BY_NUMBER = ("image", "index", UNNAMED)  # columns that number the images of arrays


def read(path: Path, images: Sequence[str] = ()) -> np.ndarray:
    """Return the labels of a CSV file, int64 (n,), in the order of the images.

    They are in the column `label`, or in the only column, with or without a header. images: "class/file" of
    each image of a folder, or nothing for images in arrays. If a column names the images, or numbers those
    of arrays from 0, rows are matched by it. Raises InputError if it is unclear which column holds the
    labels or if the images do not match the data, and ValueError for a label that is not a whole number.
    """
    table = pd.read_csv(path, header=None, dtype=str)
    first = table.iloc[0].str.strip()
    if pd.to_numeric(first, errors="coerce").isna().any():
        table = table[1:].set_axis(list(first.fillna(UNNAMED)), axis=1)
    if "label" not in table and table.shape[1] != 1:
        raise InputError(
            f"{path} has columns {', '.join(map(str, table))}: name the one with the labels `label`"
        )
    column = table["label"] if "label" in table else table.iloc[:, 0]
    numbers = pd.to_numeric(column)  # ValueError for anything but numbers
    if not (numbers % 1 == 0).all():
        raise ValueError(f"{numbers[numbers % 1 != 0].iloc[0]} is not a whole number")
    labels = numbers.to_numpy().astype(np.int64)
    others = {str(name): table[name].str.strip() for name in table if name != "label"}
    if len(table.columns) == 1 or (images and len(images) != len(labels)):
        return labels  # the caller compares the numbers of images and labels
    place = _by_name(path, others, images) if images else _by_number(path, others)
    if place is None:
        _check_order(path, others)
        return labels
    return labels[place]


def _by_name(path: Path, columns: dict[str, pd.Series], images: Sequence[str]) -> np.ndarray | None:
    """Return the row of each image, by the column that names them; None if no column does."""
    files = [image.rsplit("/", 1)[-1] for image in images]
    for values in columns.values():
        rows = {value: row for row, value in enumerate(values)}
        tails = {
            "/".join(value.split("/")[-2:]) if isinstance(value, str) else "": row
            for value, row in rows.items()
        }
        for known, names in ((rows, images), (tails, images), (rows, files)):
            if len(known) == len(set(names)) == len(images) and set(names) == set(known):
                return np.array([known[name] for name in names])
    for name in (name for name in columns if name.lower() in BY_NAME):
        foreign = sorted(set(columns[name].astype(str)) - set(images) - set(files))
        what = f"{foreign[0]!r} is not one of them" if foreign else "some images do not have exactly one row"
        raise InputError(
            f"{path}: its column {name} should name the images of the folder, as in {images[0]!r}, each once;"
            f" {what}: correct it, or remove the column if the rows are in the order of the images"
        )
    return None


def _by_number(path: Path, columns: dict[str, pd.Series]) -> np.ndarray | None:
    """Return the row of each image, by the column that numbers them; None if no column does."""
    for name in (name for name in columns if name.lower() in BY_NUMBER):
        numbers = pd.to_numeric(columns[name], errors="coerce").to_numpy()
        if not np.array_equal(np.sort(numbers), np.arange(len(numbers))):
            raise InputError(
                f"{path}: its column {name} should number the images from 0 to {len(numbers) - 1}, each once:"
                " correct it, or remove the column if the rows are in the order of the images"
            )
        return np.argsort(numbers)
    return None


def _check_order(path: Path, columns: dict[str, pd.Series]) -> None:
    """Warn about the order of the rows if a column has a unique number in each row but does not ascend.

    In file names, the last number counts. Raises InputError if the column numbers the rows without a gap.
    """
    for name, values in columns.items():
        numbers = pd.to_numeric(values, errors="coerce")
        if numbers.isna().any():
            numbers = pd.to_numeric(values.str.extract(r"(\d+)\D*$")[0])
        if numbers.isna().any() or (numbers % 1 != 0).any() or not numbers.is_unique:
            continue
        if numbers.is_monotonic_increasing:
            continue
        if np.ptp(numbers) == len(numbers) - 1:
            raise InputError(
                f"{path}: its column {name} seems to number the images, but its rows are not in that order:"
                " sort them by it, name it `index` if it counts from 0, or remove it"
            )
        log.warning("warning: %s: labels are read in row order; column %s has another order", path, name)
