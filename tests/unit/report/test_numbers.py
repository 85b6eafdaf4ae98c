"""One number format in the report: three decimals at most, thousands, small numbers, a true minus sign."""

import pandas as pd
import pytest

from directions.report import numbers


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.47234, "0.472"),
        (-0.01149, "−0.011"),
        (0.0, "0.000"),
        (-0.0, "0.000"),
        (12345.6, "12,346"),
        (-999.5, "−999.500"),
        (0.00097, "0.00097"),
        (-0.0003, "−0.0003"),
        (2.14e-7, "2.1e−07"),
    ],
)
def test_a_number_is_written_in_one_way(value, shown):
    assert numbers.number(value) == shown


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0.0, 0.2, 1.0], ["0.0", "0.2", "1.0"]),
        ([0, 60000, -3], ["0", "60,000", "−3"]),
        ([1.5, 100.0], ["1.5", "100.0"]),
        ([15.0, None], ["15", ""]),
        ([0.001, 0.0003], ["0.001", "0.0003"]),
        ([0.5, 0.123456], ["0.500", "0.123"]),
        ([True, False], ["True", "False"]),
        (["corrupt-0.2_seed-0", None], ["corrupt-0.2_seed-0", ""]),
    ],
)
def test_a_column_has_as_few_decimals_as_show_it_in_full(values, shown):
    assert numbers.column(pd.Series(values)) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("-0.720 [-0.754, -0.644], n = 3", "−0.720 [−0.754, −0.644], n = 3"),
        ("value -1, < -0.5; distance -0.000", "value −1, < −0.5; distance 0.000"),
        ("2026-11-30, ResNet-50, corrupt-0.2, layers 1-3", "2026-11-30, ResNet-50, corrupt-0.2, layers 1-3"),
        ("-0.0004", "−0.0004"),
    ],
)
def test_minus_is_a_minus_before_numbers_only_and_never_before_zero(text, shown):
    assert numbers.minus(text) == shown


def test_long_numbers_in_a_text_are_rounded_as_others_are():
    said = "the number -0.4154 ± 0.0077 is missed (tolerance 0.03), here 0.98761 to 1, rate 0.0003"
    assert numbers.rounded(said) == (
        "the number −0.415 ± 0.008 is missed (tolerance 0.03), here 0.988 to 1, rate 0.0003"
    )
