"""Estimate the hours that a study takes, per experiment, from the run times of a finished study."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from directions.core import cli
from directions.study import config as study_config
from directions.study.config import read_yaml
from directions.workflow.cluster import Network, simulate
from directions.workflow.cost import Pace, Work, every_work, fitted
from directions.workflow.jobs import Job

ROOT = Path(__file__).parents[1]
RECORDED = ROOT / "bench/paces.csv"  # of quick on the machine that docs/PERFORMANCE.md describes


def study(name: str) -> dict:
    return study_config.load(read_yaml(ROOT / "config.yaml") | {"study": name, "figures": "all"}, ROOT)


def rule(job: Job) -> str:
    """Return a job's rule, with single-process and distributed training as one."""
    return job.rule.removesuffix("_distributed")


def measured(name: str, folder: Path) -> dict[str, Pace]:
    """Return {rule: pace} for the rules whose jobs were measured in a study."""
    found: dict[str, list[tuple[Work, float]]] = {}
    for job, computed in every_work(study(name)):
        path = folder / f"{job.name}.tsv"
        if path.is_file():
            seconds = pd.read_csv(path, sep="\t")["s"].iloc[0]
            found.setdefault(rule(job), []).append((computed, seconds))
    return {name: fitted(*zip(*rows, strict=True)) for name, rows in found.items()}


def recorded() -> dict[str, Pace]:
    """Return the paces that come with the project, for those who have not run a study yet."""
    table = pd.read_csv(RECORDED, index_col="rule")
    return {str(name): Pace(*row) for name, *row in table.itertuples()}


def floored(paces: Mapping[str, Pace]) -> dict[str, Pace]:
    """Give rules whose measured jobs were too alike to tell a pace that of training, with their own start."""
    slowest = paces.get("train")
    return {
        name: replace(slowest, start=pace.start) if slowest and not pace.per_operation else pace
        for name, pace in paces.items()
    }


def hours(computed: list[tuple[Job, Work]], paces: Mapping[str, Pace]) -> float:
    return sum(paces[rule(job)].seconds(done) for job, done in computed) / 3600


def table(every: list[tuple[Job, Work]], paces: Mapping[str, Pace], gpu: Pace) -> pd.DataFrame:
    """Tabulate per experiment: figures, networks, operations, hours at the measured and the `gpu` pace."""
    rows = []
    for name in dict.fromkeys(job.experiment for job, _ in every):
        computed = [(job, work) for job, work in every if job.experiment == name]
        rules = {rule(job) for job, _ in computed}
        lacking = rules - paces.keys()
        rows.append({
            "experiment": name,
            "figures": " ".join(sorted({figure for job, _ in computed for figure in job.figures})),
            "networks": sum(rule(job) == "train" for job, _ in computed),
            "operations": sum(done.operations for _, done in computed),
            "hours": float("nan") if lacking else hours(computed, paces),
            "gpu_hours": hours(computed, dict.fromkeys(rules, gpu)),
        })  # fmt: skip
    return pd.DataFrame(rows)


def networks(every: list[tuple[Job, Work]], gpu: Pace, processes: int) -> dict[tuple, Network]:
    """Return {(experiment, run): seconds of its jobs on a GPU}; `processes` GPUs train one ResNet-50."""
    found: dict[tuple, list[float]] = {}
    for job, computed in every:
        found.setdefault((job.experiment, job.run), []).append(gpu.seconds(computed))
    wide = {job.experiment for job, _ in every if job.rule == "train_distributed"}
    return {
        key: Network(train / several, tuple(analyses), several)
        for key, (train, *analyses) in found.items()
        for several in [processes if key[0] in wide else 1]
    }


def clusters(networks: dict[tuple, Network]) -> str:
    """Tabulate hours on 1, 8 and 64 GPUs, and say which network takes longest."""
    lines = ["gpus  hours  busy"]
    for count in (1, 8, 64):
        done = simulate(networks.values(), count)
        lines.append(f"{count:4} {done.seconds / 3600:6.0f} {done.busy:5.0%}")
    (experiment, run), last = max(networks.items(), key=lambda item: item[1].longest)
    after = max(last.analyses, default=0) / 3600
    return "\n".join([
        *lines,
        f"No more GPUs help below {last.longest / 3600:.0f} hours: {experiment}/{run} trains for"
        f" {last.train / 3600:.0f} on {last.gpus}, and its longest analysis takes {after:.0f}.",
    ])  # fmt: skip


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--of", default="paper", help="the study to estimate")
    parser.add_argument("--measured", default="quick", help="the finished study")
    parser.add_argument("--benchmarks", default="benchmarks", type=Path, help="folder of its run times")
    parser.add_argument(
        "--gpu-teraflops", type=float, default=10, help="assumed GPU speed, 10^12 operations per second"
    )
    parser.add_argument("--gpu-launch", type=float, default=0.001, help="assumed seconds to launch a pass")
    parser.add_argument("--processes", type=int, default=1, help="GPUs that train one ResNet-50")
    parser.add_argument("--record", type=Path, help="write the paces to this CSV, too")
    args = parser.parse_args(argv)
    gpu = Pace(10, args.gpu_launch, 1e-12 / args.gpu_teraflops)
    paces = measured(args.measured, args.benchmarks)
    if args.record:
        pd.DataFrame(paces.values(), index=pd.Index(paces, name="rule")).to_csv(args.record)
    every = every_work(study(args.of))
    found = table(every, floored(paces or recorded()), gpu)
    print(found.to_string(index=False, float_format="{:.3g}".format, na_rep="not measured"))
    total = found[["hours", "gpu_hours"]].sum(skipna=False)
    print(f"\nnetworks {found['networks'].sum()}, operations {found['operations'].sum():.3g}")
    summed = "some rules were not measured" if pd.isna(total["hours"]) else f"{total['hours']:.0f} in total"
    where = f"this machine, from the run times of {args.measured}" if paces else (
        "2 cores of an AMD EPYC (bench/paces.csv); of your machine, after `make quick`"
    )  # fmt: skip
    print(f"hours: {summed}, one job at a time on {where}")
    print("       at most: per operation, wide layers take about a third of the time of quick's narrow ones")
    print(f"gpu_hours: {total['gpu_hours']:.0f} in total, for a GPU at {args.gpu_teraflops:g} teraflops")
    print(f"\non a cluster of such GPUs, simulated:\n{clusters(networks(every, gpu, args.processes))}")


if __name__ == "__main__":
    cli.start(main)
