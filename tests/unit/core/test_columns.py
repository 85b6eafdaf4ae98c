"""Tables are refused by the column, row and value that are not as declared."""

import numpy as np
import pandas as pd
import pytest

from directions.core.columns import Column, Table, amount, count, share, text, truth
from directions.core.errors import InputError

TABLE = Table(
    "sizes",
    "one row per thing",
    (
        text("name", "its name"),
        count("units, layers", "how many"),
        amount("loss", "in nats", empty=True),
        share("accuracy", "of it"),
        truth("dead", "whether it is"),
        Column("drop_class_{class}", "by class", low=-1, high=1, optional=True),
    ),
)


def table(**changed) -> pd.DataFrame:
    """Three rows that are as declared, with other columns; None removes one."""
    columns = {
        "name": ["a", "b", "c"], "units": [1, 2, 3], "layers": [1, 1, 1], "loss": [0.5, np.nan, np.inf],
        "accuracy": [0.0, 0.5, 1.0], "dead": [True, False, False], "drop_class_3": [0.0, -1.0, 1.0],
    } | changed  # fmt: skip
    return pd.DataFrame({name: values for name, values in columns.items() if values is not None})


@pytest.mark.parametrize("changed", [
    {}, {"drop_class_3": None}, {"drop_class_10": [0, 0, 0]}, {"name": [1, "b", 2.5]}, {"loss": [None] * 3},
    {"units": [1.0, 2.0, 3.0]}, {"accuracy": [0, 1, 1 + 1e-9]}, {"dead": np.array([True] * 3, object)},
    {"units": pd.array([1, 2, 3], "Int64")},
])  # fmt: skip
def test_a_table_as_declared_passes(changed):
    TABLE.check(table(**changed))
    TABLE.check(pd.concat([table(**changed)] * 2))  # as scripts/collect.py joins them


@pytest.mark.parametrize(("changed", "said"), [
    ({"accuracy": [0.5, 0.5, 1.5]}, "column accuracy is 1.5 in row 3, allowed is a number from 0 to 1"),
    ({"accuracy": [0.5, -0.1, 1.5]}, "column accuracy is -0.1 in row 2"),
    ({"accuracy": [0.5, np.nan, 1.0]}, "column accuracy is empty in row 2"),
    ({"accuracy": [0.5, "high", 1.0]}, "column accuracy is high in row 2"),
    ({"loss": [0.5, np.nan, -1.0]}, "column loss is -1.0 in row 3, allowed is a number >= 0"),
    ({"layers": [1, 1.5, 1]}, "column layers is 1.5 in row 2, allowed is a whole number >= 0"),
    ({"dead": ["yes", True, False]}, "column dead is yes in row 1, allowed is true or false"),
    ({"name": ["a", "b", None]}, "column name is empty in row 3"),
    ({"drop_class_3": [0, 0, 2]}, "column drop_class_3 is 2 in row 3, allowed is a number from -1 to 1"),
    ({"drop_class_x": [0, 0, 0]}, "column drop_class_x is not declared"),
    ({"acuracy": [0, 0, 0]}, "column acuracy is not declared; did you mean accuracy?"),
    ({"layers": None}, "column layers is missing"),
])  # fmt: skip
def test_what_is_not_as_declared_is_refused_by_table_column_and_row(changed, said):
    with pytest.raises(InputError) as caught:
        TABLE.check(table(**changed))
    assert str(caught.value).startswith(f"table sizes: {said}")
    assert "correct the code that computes it, or what it declares of its columns" in str(caught.value)


def test_all_faults_are_told_at_once():
    with pytest.raises(InputError) as caught:
        TABLE.check(table(accuracy=[2, 0, 0], units=None, other=[0, 0, 0]))
    assert str(caught.value).startswith(
        "table sizes: column accuracy is 2 in row 1, allowed is a number from 0 to 1; column other is not"
        " declared; column units is missing: correct"
    )
