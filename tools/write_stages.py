"""Write dvc.yaml and data/asked/{study}.yaml, the study as a DVC pipeline, from the run table."""

import logging
from pathlib import Path

from directions.core import cli
from directions.workflow.dvc import pipeline

log = logging.getLogger(__name__)


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument(
        "--study", help="study to add to those in data/asked/, by default that of config.yaml"
    )
    parser.add_argument("--asked", help="write only data/asked/{ASKED}.yaml, the first stage of `dvc repro`")
    args = parser.parse_args(argv)
    if args.asked:
        pipeline.renew_asked(Path.cwd(), args.asked)
        return
    changed = pipeline.write(Path.cwd(), args.study)
    log.info("written: %s", ", ".join(changed) or "nothing, all files were up to date")


if __name__ == "__main__":
    cli.start(main)
