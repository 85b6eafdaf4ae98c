"""Read a study's tidy tables; missing or empty data is refused by name, never guessed."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from directions.core.errors import InputError

Tables = dict[str, pd.DataFrame]


def read(folder: Path | str, names: Iterable[str]) -> Tables:
    """Read tables `names` of one experiment, `folder`/{name}.csv. Raises InputError naming a missing file."""
    tables = {}
    for name in names:
        path = Path(folder) / f"{name}.csv"
        if not path.is_file():
            raise InputError(f"table {path} does not exist: build it with `snakemake --cores all -- {path}`")
        try:
            tables[name] = csv(path)
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise InputError(
                f"table {path} is not a readable CSV ({error}): delete it and rebuild it"
            ) from error
    return tables


def csv(path: Path | str) -> pd.DataFrame:
    """Read a table in which a run or a layer may be called "NA", and a layer "1.10".

    Only an empty field counts as missing. Raises what pandas raises for a file that is not a table.
    """
    return pd.read_csv(path, keep_default_na=False, na_values=[""], dtype={"layer": str})


def require(tables: Tables, name: str, *columns: str, may_be_empty: Iterable[str] = ()) -> pd.DataFrame:
    """Return a table, checked to have rows and a value in all of these columns in every row.

    Args:
        tables: {name: table} of one experiment.
        name: of the table.
        columns: names of columns.
        may_be_empty: columns that must exist but may have empty fields (a dead unit has no selectivity).

    Returns:
        The table as it is, with all of its columns.

    Raises:
        InputError: naming the table and the column that is missing or has empty fields.

    Example:
        >>> import pandas as pd
        >>> from directions.core.tables import require
        >>> tables = {"units": pd.DataFrame({"layer": ["relu1", "relu1"], "unit": [0, 1]})}
        >>> require(tables, "units", "layer", "unit")
           layer  unit
        0  relu1     0
        1  relu1     1
        >>> require(tables, "units", "selectivity")
        Traceback (most recent call last):
        directions.core.errors.InputError: table 'units' has no column 'selectivity': it has layer, unit
    """
    if name not in tables:
        raise InputError(f"table {name!r} is missing: tables here are {', '.join(sorted(tables))}")
    table = tables[name]
    optional = tuple(may_be_empty)
    for column in (*columns, *optional):
        if column not in table.columns:
            raise InputError(f"table {name!r} has no column {column!r}: it has {', '.join(table.columns)}")
    if table.empty:
        raise InputError(
            f"table {name!r} has no rows, so there is nothing to show: see its experiment's runs"
        )
    for column in columns:
        holes = int(table[column].isna().sum())
        if holes:
            raise InputError(f"table {name!r}: column {column!r} is empty in {holes} of {len(table)} rows")
    return table
