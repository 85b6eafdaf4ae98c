"""Which jobs of a study are done, run or failed, per rule and per figure, and how long the rest takes."""

from pathlib import Path

from directions import cli, config, progress
from directions.jobs import jobs
from directions.sharing.tools import Snakemake


def newest_log(root: Path) -> str:
    """What Snakemake said in its last run, here or through Slurm; nothing where it never ran."""
    logs = sorted((root / ".snakemake/log").glob("*.snakemake.log"), key=lambda path: path.stat().st_mtime)
    return logs[-1].read_text(encoding="utf-8", errors="replace") if logs else ""


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("study", nargs="?", help="name of the study; else that of config.yaml")
    parser.add_argument("--figures", help="fig1a,fig2a: these only; else those of config.yaml")
    args = parser.parse_args(argv)
    asked = {"study": args.study, "figures": args.figures}
    given = config.read_yaml(Path("config.yaml")) | {key: value for key, value in asked.items() if value}
    study = config.load(given, Path.cwd())
    pending = Snakemake(Path.cwd(), study["study"], ",".join(study["figures"])).pending(["all"])
    table = progress.states(jobs(study), Path.cwd(), newest_log(Path.cwd()), pending)
    print(progress.counted(table, "rule").to_string())
    print(f"\njobs that each figure needs:\n{progress.counted(table, 'figures').to_string()}")
    rest, running = progress.left(table), max(1, (table["state"] == "running").sum())
    minutes = rest["seconds"] / 60
    print(f"\nleft: {minutes:.0f} minutes of jobs, about {minutes / running:.0f} with {running} at a time,")
    print("if each takes as long as the median of its kind that is done, whatever its network's size;")
    print(f"and {rest['unknown']} jobs of kinds of which none is done yet")


if __name__ == "__main__":
    cli.start(main)
