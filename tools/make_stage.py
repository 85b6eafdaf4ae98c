"""Make one stage of dvc.yaml: tell Snakemake what dvc.lock confirms, then run it for the missing files."""

import sys
from pathlib import Path

from directions.core import cli
from directions.workflow.dvc import stages
from directions.workflow.dvc.pulling import Checkout


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("stage", help="name of the stage in data/asked/{study}.yaml")
    parser.add_argument("--study", help="name of the study, by default that of config.yaml")
    args = parser.parse_args(argv)
    root = Path.cwd()
    checkout = Checkout(root, stages.load(root, args.study))
    sys.exit(checkout.make(args.stage))


if __name__ == "__main__":
    cli.start(main)
