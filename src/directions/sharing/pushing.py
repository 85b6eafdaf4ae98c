"""Record in dvc.lock what Snakemake calls up to date, and copy it to the remote; nothing else."""

import logging
from collections.abc import Mapping

from directions.errors import InputError
from directions.hints import few
from directions.sharing import pipeline
from directions.sharing.pulling import Checkout
from directions.sharing.stages import Stage, Study
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
        stages = _stages(study, names)
        made = [product.path for stage in stages for product in stage.products]
        rows = checkout.snakemake.rows(path for path in made if (checkout.root / path).exists())
        ready = _ready(stages, rows, checkout)
        waiting = [stage for stage in stages if stage not in ready]
        stale = [stage.name for stage in waiting if _here(stage, checkout)]
        if not ready or any(stage.name in names for stage in waiting):
            _refuse_unfinished(names, waiting, rows, checkout)
        if not renew:
            _refuse_other_results(checkout, ready)
        pipeline.write(checkout.root, study.name)
        return _record(checkout, ready), stale


def _stages(study: Study, names: list[str]) -> list[Stage]:
    """The stages behind these figures, or all: whole ones, since DVC records a stage with all its files.

    So of label ledgers it takes also those of other experiments on the same data set.
    """
    study.of_stages(names)  # refuses a name that it does not have
    waiting, found = list(names or study.stages), set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += {study.products[path].stage for path in study.stages[name].needs}
    return [stage for name, stage in study.stages.items() if name in found]


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
    return not _lacking(stage, rows, checkout)


def _lacking(stage: Stage, rows: Mapping[str, Row], checkout: Checkout) -> dict[str, str]:
    """{file: why it keeps its stage from being finished}, of those made and those they are made from."""
    found = {}
    for path in [*stage.needs, *(product.path for product in stage.products)]:
        if not (checkout.root / path).exists():
            found[path] = "is not here"
    for path in (product.path for product in stage.products if product.path not in found):
        if path not in rows or not rows[path].known:
            found[path] = "was not made here by Snakemake"
        elif rows[path].pending:
            found[path] = "would be made again"
    return found


def _here(stage: Stage, checkout: Checkout) -> bool:
    """Is any of it here that dvc.lock does not confirm? Then it waits for a run of Snakemake."""
    return any(
        (checkout.root / product.path).exists() and product.path not in checkout.confirmed
        for product in stage.products
    )


def _refuse_unfinished(
    names: list[str], waiting: list[Stage], rows: Mapping[str, Row], checkout: Checkout
) -> None:
    """Raise the InputError that says which files of the first unfinished stage are the reason."""
    unshared = [stage for stage in waiting if not {one.path for one in stage.products} <= checkout.confirmed]
    first = [*unshared, *(stage for stage in waiting if stage.name in names), *waiting][0]
    study, lacking = checkout.study, _lacking(first, rows, checkout)
    own = study.upstream(study.of_stages(names)) if names else lacking
    others = [path for path in lacking if path not in own]  # `snakemake -- fig1a` would not make these
    targets = names if not others else others if len(others) < 5 else ["all"]
    command = f"snakemake --cores all --config study={study.name} -- {' '.join(targets or ['all'])}"
    reason = next(iter(lacking.values()))
    files = few(path for path, why in lacking.items() if why == reason)
    raise InputError(
        f"not up to date, so not recorded: {', '.join(names) or 'anything'}."
        f" {files} {reason} (stage {first.name}, which DVC records whole)."
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
