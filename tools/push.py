"""Record a study's up-to-date products in dvc.lock and copy them to the remote."""

from pathlib import Path

from directions.core import cli
from directions.workflow.dvc import stages
from directions.workflow.dvc.pulling import Checkout
from directions.workflow.dvc.pushing import push


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("figures", nargs="*", help="fig1a, ... or claims; by default all that is up to date")
    parser.add_argument("--study", help="name of the study, by default that of config.yaml")
    parser.add_argument("--renew", action="store_true", help="accept new results of the same jobs")
    args = parser.parse_args(argv)
    root = Path.cwd()
    study = stages.load(root, args.study)
    recorded, stale = push(Checkout(root, study), args.figures, args.renew)
    print(f"recorded: {', '.join(recorded) or 'nothing new'}")
    if stale:
        print(f"left out, as not up to date: {', '.join(stale)}")
    print(f"Now: git add dvc.yaml dvc.lock data/asked configs/{study.name}.yaml && git commit")


if __name__ == "__main__":
    cli.start(main)
