"""The paper's main findings in a study, and how far its intervals can be trusted."""

from pathlib import Path

import pandas as pd

from directions.claims.verdicts import VERDICTS
from directions.core import tables as table_files

FEW = 3  # networks per group with which an interval is too narrow: docs/DEVIATIONS.md and report/claims.rst


def read(path: Path) -> pd.DataFrame:
    """Read the list of main findings: a claim's `id`, the `finding` in words, and the `quantity`."""
    table = table_files.csv(path)
    return table_files.require({"headlines": table}, "headlines", "id", "finding", "quantity")


def of_study(claims: pd.DataFrame, headlines: pd.DataFrame) -> pd.DataFrame:
    """Return the claims that are main findings, in the order of `headlines`, with its columns."""
    return headlines.merge(claims, on="id", how="inner", validate="one_to_one")


def counted(claims: pd.DataFrame) -> str:
    """Count verdicts in words: "12 reproduced, 3 direction only and 2 not reproduced"."""
    numbers = claims["verdict"].value_counts()
    parts = [f"{numbers[verdict]} {verdict}" for verdict in VERDICTS if verdict in numbers]
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def too_few(claims: pd.DataFrame) -> pd.Series:
    """Return which claims have an interval that rests on so few networks that it is too narrow."""
    return claims["low"].notna() & claims["networks"].le(FEW).fillna(False).astype(bool)


def caution(claims: pd.DataFrame) -> str:
    """Say how many intervals rest on two or three networks per group, and how many numbers on one; or ""."""
    narrow, intervals = claims[too_few(claims)], int(claims["low"].notna().sum())
    shares = [
        (int(size), int(number)) for size, number in narrow["networks"].value_counts().sort_index().items()
    ]
    said = []
    if shares:
        (size, number), *others = shares
        whole = "The interval rests" if intervals == 1 else f"All {intervals} intervals rest"
        first = (
            whole if number == intervals else f"{number} of {intervals} intervals rest{'s' * (number == 1)}"
        )
        rest = "".join(f", {count} on {networks}" for networks, count in others)
        said.append(f"{first} on {size} networks per group{rest}: too narrow.")
    if alone := int(claims["networks"].eq(1).sum()):
        numbers = "1 number comes" if alone == 1 else f"{alone} numbers come"
        said.append(f"{numbers} from a single network per group, without an interval.")
    return " ".join(said)
