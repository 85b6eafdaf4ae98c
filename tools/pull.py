"""Fetch recorded products of a study, for all figures or some, and declare them current to Snakemake."""

from pathlib import Path

from directions.core import cli
from directions.workflow.dvc import stages
from directions.workflow.dvc.pulling import Checkout


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("figures", nargs="*", help="fig1a, ... or claims; by default everything")
    parser.add_argument("--study", help="name of the study, by default that of config.yaml")
    parser.add_argument("--sizes", action="store_true", help="only print the download size of each figure")
    args = parser.parse_args(argv)
    root = Path.cwd()
    study = stages.load(root, args.study)
    checkout = Checkout(root, study)
    if args.sizes:
        for figure, size in checkout.sizes().items():
            print(f"{figure:8}{size / 1e3:10.1f} kB")
        return
    left = checkout.pull(args.figures)
    asked = " ".join(study.targets(args.figures))
    if not left:
        print(f"{asked}: up to date, nothing to do. Figures: results/{study.name}/figures/")
        return
    jobs = ", ".join(f"{rule} {count}" for rule, count in left.items())
    print(f"{asked}: still to run, `snakemake --cores all --config study={study.name} -- {asked}`: {jobs}")


if __name__ == "__main__":
    cli.start(main)
