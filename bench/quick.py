"""Where the time of the quick study goes, if each job starts Python and if jobs are forked (forks.py).

Runs the study in two clones of this checkout's last commit, one after the other. Processor time is that of
the whole machine, with all that runs beside. Run by `make bench-quick`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import psutil

from directions.workflow.run_times import times

ROOT = Path(__file__).parents[1]
WAYS = {"each starts Python": {"DIRECTIONS_COLD": "1"}, "forked": {}}


def measured(folder: Path, environment: dict[str, str], figures: str) -> tuple[pd.Series, float, float]:
    """Run quick in a new clone; return seconds of its jobs per stage, elapsed and processor seconds."""
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    for raw in (ROOT / "data/raw").glob("*"):
        if not (folder / "data/raw" / raw.name).exists():
            (folder / "data/raw" / raw.name).symlink_to(raw)
    options = ["--cores", "all", "--logger", "stages", "--config", "study=quick"]
    start, used = time.monotonic(), busy()
    subprocess.run(
        [sys.executable, "-m", "snakemake", *options, f"figures={figures}", "--", "all"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "src")} | environment,
        check=True,
    )
    elapsed, used = time.monotonic() - start, busy() - used
    return times(folder / "benchmarks/quick")["total"], elapsed, used


def busy() -> float:
    """Return seconds that all processors have worked, in user and system mode."""
    spent = psutil.cpu_times()
    return spent.user + spent.system


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--figures", default="all", help="only these, such as fig1b,fig7a")
    figures = parser.parse_args().figures
    columns = {}
    with tempfile.TemporaryDirectory() as place:
        for number, (way, environment) in enumerate(WAYS.items()):
            stages, elapsed, used = measured(Path(place, str(number)), environment, figures)
            columns[way] = pd.concat([
                stages.sort_values(ascending=False),
                pd.Series({"all jobs": stages.sum(), "elapsed": elapsed, "processors": used}),
            ])  # fmt: skip
    table = pd.DataFrame(columns)
    table["ratio"] = table.iloc[:, 0] / table.iloc[:, 1]
    print(table.rename_axis("seconds").round(2).to_string(na_rep="-"))


if __name__ == "__main__":
    main()
