"""How far a study is: which jobs are done, run or failed, and how long the rest takes."""

import re
from collections.abc import Container, Iterable, Mapping
from pathlib import Path

import pandas as pd

from directions.jobs import Job

STATES = ("done", "running", "failed", "waiting")
EVENT = re.compile(
    r"^ *(?:local)?rule (?P<started>\w+):$|^ *Error in rule (?P<failed>\w+):$|^ *log: logs/(?P<log>\S+)\.log"
)


def last_events(said: str) -> dict[str, str]:
    """{name of a job: "running" or "failed"}, as Snakemake's own log last spoke of it.

    A submitted job counts as running from then on, also while Slurm lets it wait. When Snakemake has come to
    its end ("Complete log"), nothing runs any more.
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
    """One row per job: rule, figures, state and seconds; `said` is Snakemake's newest log.

    pending: products that a run would make, or make again: what lies there of them is not done.

    seconds: what a job took when it was last done; of the others, the median of those of the same rule and
    experiment, else of the same rule; else not a number: none was measured.
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
        table["seconds"] = table["seconds"].fillna(table.groupby(keys)["seconds"].transform("median"))
    return table


def counted(table: pd.DataFrame, key: str) -> pd.DataFrame:
    """Per rule, or per figure of `figures`: how many jobs are in each state."""
    rows = table.explode(key) if key == "figures" else table
    counts = pd.crosstab(rows[key], rows["state"]).reindex(columns=STATES, fill_value=0)
    return counts.reindex(rows[key].dropna().unique())


def left(table: pd.DataFrame) -> Mapping[str, float]:
    """{"seconds": of the jobs that are not done, one after another; "unknown": how many have no measure}."""
    rest = table[table["state"] != "done"]["seconds"]
    return {"seconds": rest.sum(), "unknown": int(rest.isna().sum())}
