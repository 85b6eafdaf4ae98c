"""Record in dvc.lock the products that Snakemake considers up to date, and copy them to the remote."""

import logging
from collections.abc import Mapping

from directions.core.errors import InputError
from directions.core.suggest import few
from directions.workflow.dvc import pipeline
from directions.workflow.dvc.pulling import Checkout
from directions.workflow.dvc.stages import Stage, Study
from directions.workflow.dvc.tools import Row, alone

log = logging.getLogger(__name__)
LEDGERS = "labels-"  # names of their stages begin with it


def push(checkout: Checkout, names: list[str], renew: bool = False) -> tuple[list[str], list[str]]:
    """Update dvc.yaml; record and copy these figures with everything upstream, or all that is up to date.

    Returns (stages newly recorded, stages that are here but not up to date). `renew` accepts a result that
    differs from the recorded one for the same settings, code and inputs. Raises InputError if there is no
    remote, if a requested figure is not up to date, if nothing is, or for such a differing result.
    """
    with alone(checkout.root):
        if not checkout.dvc.setting("core.remote"):
            raise InputError("no remote is configured: `make remote DIR=...` (docs/SHARING.md)")
        study = checkout.study
        stages = _stages(study, names)
        _complete_ledgers(stages, checkout)
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
    """Return the stages behind these figures, or all; whole stages, as DVC records all files of a stage.

    Label ledgers thus include those of other experiments on the same data set.
    """
    study.of_stages(names)  # raises InputError for an unknown name
    waiting, found = list(names or study.stages), set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += {study.products[path].stage for path in study.stages[name].needs}
    return [stage for name, stage in study.stages.items() if name in found]


def _complete_ledgers(stages: list[Stage], checkout: Checkout) -> None:
    """Have Snakemake make the label ledgers that are missing in stages of which others are here.

    All ledgers of a data set are one stage, so that those of networks not trained yet are recorded with them;
    they take seconds. Raises InputError if that fails.
    """
    missing = []
    for stage in stages:
        if stage.name.startswith(LEDGERS) and all((checkout.root / path).exists() for path in stage.needs):
            paths = [product.path for product in stage.products]
            gone = [path for path in paths if not (checkout.root / path).exists()]
            missing += gone if len(gone) < len(paths) else []
    if missing:
        log.info(
            "making %d more label ledgers, of networks that are not here: DVC records all in one stage",
            len(missing),
        )
        if checkout.snakemake.make(missing):
            raise InputError(f"{few(missing)} could not be made: Snakemake's message is above")


def _ready(stages: list[Stage], rows: Mapping[str, Row], checkout: Checkout) -> list[Stage]:
    """Return finished stages whose inputs are in dvc.lock or recorded now; others could not be confirmed."""
    ready, recorded = [], set(checkout.confirmed)
    for stage in stages:  # those upstream first
        if recorded.issuperset(stage.needs) and _finished(stage, rows, checkout):
            ready.append(stage)
            recorded.update(product.path for product in stage.products)
    return ready


def _finished(stage: Stage, rows: Mapping[str, Row], checkout: Checkout) -> bool:
    """Return whether a stage and its inputs are all here, made by Snakemake and up to date."""
    return not _lacking(stage, rows, checkout)


def _lacking(stage: Stage, rows: Mapping[str, Row], checkout: Checkout) -> dict[str, str]:
    """Return {file: why it keeps its stage from being finished}, for products and their inputs."""
    found = {}
    for path in [*stage.needs, *(product.path for product in stage.products)]:
        if not (checkout.root / path).exists():
            found[path] = "is not here"
    for path in (product.path for product in stage.products if product.path not in found):
        if path not in rows or not rows[path].known:
            if path in checkout.confirmed and checkout.record.fits(path):
                continue  # the recorded one, whoever put it here: a remote may lack it
            found[path] = "was not made here by Snakemake"
        elif rows[path].pending:
            found[path] = "would be made again"
    return found


def _here(stage: Stage, checkout: Checkout) -> bool:
    """Return whether any product is here that dvc.lock does not confirm, so awaits a Snakemake run."""
    return any(
        (checkout.root / product.path).exists() and product.path not in checkout.confirmed
        for product in stage.products
    )


def _refuse_unfinished(
    names: list[str], waiting: list[Stage], rows: Mapping[str, Row], checkout: Checkout
) -> None:
    """Raise InputError naming the files that keep the first unfinished stage from being recorded."""
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
        f" Run `{command}` first, or `make pull` if files were fetched with dvc alone."
        " If Snakemake finds nothing to do, but did not make the files itself:"
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
            " If it was edited or put there by hand, delete it and `make pull`; if it was recomputed on"
            " purpose (another machine rounds differently), `make push RENEW=1` records it"
        )


def _record(checkout: Checkout, ready: list[Stage]) -> list[str]:
    """Commit changed stages, push all recorded ones; return the names in dvc.yaml of those that changed."""
    names = pipeline.names(checkout.root, checkout.study)
    changed = checkout.dvc.changed()
    recorded = [name for name in (names["asked"], *(names[stage.name] for stage in ready)) if name in changed]
    if recorded:
        checkout.dvc.do("commit", "--force", *([] if changed == set(recorded) else recorded))
    # Raw data identical to the published files are shared as well; other files are left to the user.
    raw = [path for path in checkout.raw("*") if checkout.dvc.call("commit", path).returncode == 0]
    checkout.dvc.do("push", pipeline.PIPELINE, *raw)
    return recorded
