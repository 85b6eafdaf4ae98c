"""Run times of a study's jobs, from the benchmark files that its rules write."""

from pathlib import Path

import pandas as pd

from directions.core.errors import InputError

# Snakemake sees of a job that was forked (forks.py) only the process that asked for it, of 15 MiB; no other
# job takes so little.
UNSEEN = 40  # MiB


def times(folder: Path) -> pd.DataFrame:
    """Summarise per stage: number of jobs, median and total seconds, peak memory in MiB (NaN: not known).

    Raises InputError if no job of the study was measured.
    """
    rows = []
    for path in sorted(folder.rglob("*.tsv")):
        measured = pd.read_csv(path, sep="\t", na_values="-").iloc[0]
        rows.append(
            (path.relative_to(folder).parts[0].removesuffix(".tsv"), measured["s"], measured["max_rss"])
        )
    if not rows:
        raise InputError(f"no benchmark files in {folder}: run the study first")
    table = pd.DataFrame(rows, columns=["stage", "seconds", "memory_mib"])
    table["memory_mib"] = table["memory_mib"].where(table["memory_mib"] > UNSEEN)
    stages = table.groupby("stage", sort=False)
    summary = stages["seconds"].agg(jobs="count", median="median", total="sum")
    return summary.assign(memory_mib=stages["memory_mib"].max()).round(1)
