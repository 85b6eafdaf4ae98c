"""Progress of a study: which jobs are done, running or failed, and how long the rest will take."""

import re
from collections.abc import Container, Iterable, Mapping
from pathlib import Path

import pandas as pd

from directions.workflow.jobs import Job

STATES = ("done", "running", "failed", "waiting")
EVENT = re.compile(
    r"^ *(?:local)?rule (?P<started>\w+):$|^ *Error in rule (?P<failed>\w+):$|^ *log: logs/(?P<log>\S+)\.log"
)


def last_events(said: str) -> dict[str, str]:
    """Read the last state of each job, "running" or "failed", from Snakemake's log, as {name of job: state}.

    A submitted job counts as running from then on, even while it waits in Slurm's queue. Once Snakemake has
    finished ("Complete log"), nothing is running.
    """
    found, state = {}, None
    for line in said.splitlines():
        event = EVENT.match(line)
        if event and event["started"]:
            state = "running"
        elif event and event["failed"]:
            state = "failed"
        elif event and event["log"] and state:
            found[event["log"]], state = state, None
    over = "\nComplete log" in said
    return {name: state for name, state in found.items() if not over or state == "failed"}


def states(jobs: Iterable[Job], root: Path, said: str, pending: Container[str] = ()) -> pd.DataFrame:
    """Build a table with one row per job: rule, figures, state and seconds; `said` is Snakemake's newest log.

    pending: products that a run would build or rebuild: existing files of these do not count as done.

    seconds: the last measured time of a job; for others, the median of jobs of the same rule and experiment,
    or of the same rule; NaN if none was measured.
    """
    events = last_events(said)
    rows = []
    for job in jobs:
        done = (root / job.product).is_file() and job.product not in pending
        benchmark = root / f"benchmarks/{job.name}.tsv"
        seconds = pd.read_csv(benchmark, sep="\t")["s"].iloc[0] if benchmark.is_file() else None
        state = "done" if done else events.get(job.name, "waiting")
        rows.append((job.rule, job.experiment or "", job.figures, state, seconds))
    table = pd.DataFrame(rows, columns=["rule", "experiment", "figures", "state", "seconds"])
    table["seconds"] = table["seconds"].astype(float)
    for keys in (["rule", "experiment"], ["rule"]):
        table["seconds"] = table["seconds"].fillna(
            table.groupby(keys, dropna=False)["seconds"].transform("median")
        )
    return table


def counted(table: pd.DataFrame, key: str) -> pd.DataFrame:
    """Count the jobs in each state, per rule or per figure."""
    rows = table.explode(key) if key == "figures" else table
    counts = pd.crosstab(rows[key], rows["state"]).reindex(columns=STATES, fill_value=0)
    return counts.reindex(rows[key].dropna().unique())


def left(table: pd.DataFrame) -> Mapping[str, float]:
    """Sum the seconds of jobs not yet done, one after another, and count those with no estimate (unknown)."""
    rest = table[table["state"] != "done"]["seconds"]
    return {"seconds": rest.sum(), "unknown": int(rest.isna().sum())}
