"""Record in dvc.lock what Snakemake calls up to date, and copy it to the remote; nothing else."""

import logging
from collections.abc import Mapping

from directions.errors import InputError
from directions.sharing import pipeline
from directions.sharing.pulling import Checkout, few
from directions.sharing.stages import Stage
from directions.sharing.tools import Row, alone

log = logging.getLogger(__name__)


def push(checkout: Checkout, names: list[str], renew: bool = False) -> tuple[list[str], list[str]]:
    """Renew dvc.yaml, record and copy these figures with all they are made from, or whatever is up to date.

    Returns (stages recorded anew, stages that are here but not up to date). `renew` accepts that a job gave
    another result than recorded for the same settings, code and inputs. Raises InputError where there is no
    remote, a figure asked for is not up to date, nothing is, or such another result lies here.
    """
    with alone(checkout.root):
        if not checkout.dvc.setting("core.remote"):
            raise InputError("no remote is configured: `make remote DIR=...` (docs/SHARING.md)")
        study = checkout.study
        chosen = study.upstream(study.of_stages(names)) if names else set(study.products)
        rows = checkout.snakemake.rows(sorted(path for path in chosen if (checkout.root / path).exists()))
        stages = [stage for stage in study.stages.values() if stage.products[0].path in chosen]
        ready = _ready(stages, rows, checkout)
        stale = [stage.name for stage in stages if stage not in ready and _here(stage, checkout)]
        _refuse_unfinished(names, ready, stale, study.name)
        if not renew:
            _refuse_other_results(checkout, ready)
        pipeline.write(checkout.root, study.name)
        return _record(checkout, ready), stale


def _ready(stages: list[Stage], rows: Mapping[str, Row], checkout: Checkout) -> list[Stage]:
    """Finished stages made from what dvc.lock has or is given now: nobody could confirm others."""
    ready, recorded = [], set(checkout.confirmed)
    for stage in stages:  # those upstream first
        if recorded.issuperset(stage.needs) and _finished(stage, rows, checkout):
            ready.append(stage)
            recorded.update(product.path for product in stage.products)
    return ready


def _finished(stage: Stage, rows: Mapping[str, Row], checkout: Checkout) -> bool:
    """Is all of it here, with all it was made from, and does Snakemake know it and call it up to date?"""
    made = [product.path for product in stage.products]
    return all((checkout.root / path).exists() for path in [*made, *stage.needs]) and all(
        path in rows and rows[path].known and not rows[path].pending for path in made
    )


def _here(stage: Stage, checkout: Checkout) -> bool:
    """Is any of it here that dvc.lock does not confirm? Then it waits for a run of Snakemake."""
    return any(
        (checkout.root / product.path).exists() and product.path not in checkout.confirmed
        for product in stage.products
    )


def _refuse_unfinished(names: list[str], ready: list[Stage], stale: list[str], study: str) -> None:
    finished = {stage.name for stage in ready}
    unfinished = [name for name in names if name not in finished]
    command = f"snakemake --cores all --config study={study} -- {' '.join(names) or 'all'}"
    if unfinished or not ready:
        raise InputError(
            f"not up to date, so not recorded: {few(unfinished or stale) or 'nothing was made yet'}."
            f" Run `{command}` first, or `make pull` where files were brought by dvc alone."
            " Where Snakemake finds nothing to do, but never made the files itself:"
            " `snakemake --cores 1 --touch --force -- FILES`, if you know that they are right"
        )


def _refuse_other_results(checkout: Checkout, ready: list[Stage]) -> None:
    differing = checkout.differing()
    other = [
        product.path
        for stage in ready
        for product in stage.products
        if product.path in checkout.confirmed and differing.get(product.path) == "modified"
    ]
    if other:
        raise InputError(
            f"{few(other)}: dvc.lock has another content for the same settings, code and inputs."
            " If it was edited or put there by hand, delete it and `make pull`; if it was made anew on"
            " purpose (another machine rounds otherwise), `make push RENEW=1` records it"
        )


def _record(checkout: Checkout, ready: list[Stage]) -> list[str]:
    """Commit what changed, push what is recorded; the names in dvc.yaml of the stages that changed."""
    names = pipeline.names(checkout.root, checkout.study)
    changed = checkout.dvc.changed()
    recorded = [name for name in (names["asked"], *(names[stage.name] for stage in ready)) if name in changed]
    if recorded:
        checkout.dvc.do("commit", "--force", *([] if changed == set(recorded) else recorded))
    # Raw data that are exactly those published are shared as well; other files are the user's own affair.
    raw = [path for path in checkout.raw("*") if checkout.dvc.call("commit", path).returncode == 0]
    checkout.dvc.do("push", pipeline.PIPELINE, *raw)
    return recorded
