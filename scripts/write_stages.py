"""Write dvc.yaml and asked/{study}.yaml: the study as stages of DVC, from the run table."""

import logging
from pathlib import Path

from directions import cli
from directions.sharing import pipeline

log = logging.getLogger(__name__)


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--study", help="to hold beside those of asked/; without it, that of config.yaml")
    parser.add_argument("--asked", help="write asked/{ASKED}.yaml only: what `dvc repro` does first")
    args = parser.parse_args(argv)
    if args.asked:
        pipeline.renew_asked(Path.cwd(), args.asked)
        return
    changed = pipeline.write(Path.cwd(), args.study)
    log.info("written: %s", ", ".join(changed) or "nothing, all was as it should be")


if __name__ == "__main__":
    cli.start(main)
