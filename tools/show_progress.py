"""Print which jobs of a study are done, running or failed, per rule and figure, and the time left."""

from pathlib import Path

from directions.core import cli
from directions.study import config
from directions.workflow import progress
from directions.workflow.dvc.tools import Snakemake
from directions.workflow.jobs import jobs


def newest_log(root: Path) -> str:
    """Return the log of Snakemake's last run, local or on Slurm; "" if it never ran."""
    logs = sorted((root / ".snakemake/log").glob("*.snakemake.log"), key=lambda path: path.stat().st_mtime)
    return logs[-1].read_text(encoding="utf-8", errors="replace") if logs else ""


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("study", nargs="?", help="name of the study, by default that of config.yaml")
    parser.add_argument("--figures", help="only fig1a,fig2a; by default those of config.yaml")
    args = parser.parse_args(argv)
    asked = {"study": args.study, "figures": args.figures}
    given = config.read_yaml(Path("config.yaml")) | {key: value for key, value in asked.items() if value}
    study = config.load(given, Path.cwd())
    pending = Snakemake(Path.cwd(), study["study"], ",".join(study["figures"])).pending(["all"])
    table = progress.states(jobs(study), Path.cwd(), newest_log(Path.cwd()), pending)
    print(progress.counted(table, "rule").to_string())
    print(f"\njobs that each figure needs:\n{progress.counted(table, 'figures').to_string()}")
    rest, running = progress.left(table), max(1, (table["state"] == "running").sum())
    if not (table["seconds"] > 0).any():
        print(f"\nleft: {rest['unknown']} jobs; how long they take is known once some have finished")
        return
    minutes = rest["seconds"] / 60
    print(f"\nleft: {minutes:.0f} minutes of jobs, about {minutes / running:.0f} with {running} at a time,")
    print("assuming that each takes the median time of finished jobs of its rule, whatever its size;")
    print(f"plus {rest['unknown']} jobs of rules without a finished job")


if __name__ == "__main__":
    cli.start(main)
