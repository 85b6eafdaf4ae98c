"""Whether a study is current, that is, whether Snakemake would make or remake any of its products."""

import logging
from pathlib import Path

from directions.core.errors import InputError
from directions.workflow.dvc.tools import Snakemake

log = logging.getLogger(__name__)


def check(root: Path, study: str, figures: str, stale: bool) -> None:
    """Raise InputError with the way out if jobs of a study are left; if `stale`, only warn."""
    jobs = Snakemake(root, study, figures).plan(["all"])
    if not jobs:
        return
    left = f"study {study} is not current, {sum(jobs.values())} jobs are left ({', '.join(jobs)})"
    if not stale:
        raise InputError(
            f"{left}: run `snakemake --cores all --config study={study} figures={figures} -- all`,"
            " or check only some figures with FIGURES=..., or use the files as they are with STALE=1"
        )
    log.warning("warning: %s; using its files as they are", left)
