"""Write dvc.yaml and data/asked/{study}.yaml from the run table.

dvc.yaml holds the stages of every study that has a file in data/asked/. Stages of the study in config.yaml
have plain names (fig1a), others are prefixed by their study (laptop-fig1a); data sets are shared by all
studies.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from directions.core.errors import InputError
from directions.core.files import atomic
from directions.study import config
from directions.study.catalogue import PAPER_CURVES
from directions.study.deciding_files import CLAIMS
from directions.workflow.dvc.stages import Stage, Study, load

PIPELINE = "dvc.yaml"
ASKED_FOLDER = "data/asked"
WRITER = "tools/write_stages.py"
CURVES = PAPER_CURVES.rsplit("/", 1)[0]  # the folder of the paper's own curves
HEAD = """\
# Written by `make stages` from the run table; do not edit. docs/SHARING.md explains it.
# cmd: tells Snakemake what dvc.lock confirms, then runs it to make the missing files of the stage.
# params: digests of the code and of all settings, the stage's own and upstream; stage `asked` updates them.
# persist: Snakemake, not DVC, decides which files must be made again.

stages:
"""
ASKED = """\
# Written by `make stages`; do not edit. For each stage of the {study} study: a digest of the code that it
# runs, and for each product a digest of all settings, its own and upstream, that determine its content
# (`Ancestry` in src/directions/study/fingerprints.py). Data, labels and training have RECIPE numbers instead
# of code.

"""
PLOTS = {  # table -> x and y columns in `dvc plots`
    "ablation": ("ablated", "accuracy"),
    "noise": ("noise_sd_ratio", "accuracy"),
    "history": ("epoch", "train_loss"),
    "checkpoints": ("epoch", "auc"),
}


def asked_file(study: str) -> str:
    """Return the file with the digests of a study's products, tracked by git like dvc.lock."""
    return f"{ASKED_FOLDER}/{study}.yaml"


def _main(root: Path) -> str:
    """Return the study of config.yaml, whose stages have plain names."""
    return config.read_yaml(root / "config.yaml").get("study", "")


def shared(root: Path) -> list[str]:
    """List the studies in dvc.yaml, that of config.yaml first."""
    main = _main(root)
    others = sorted(path.stem for path in (root / ASKED_FOLDER).glob("*.yaml") if path.stem != main)
    return [*([main] if (root / asked_file(main)).is_file() else []), *others]


def write(root: Path, study: str | None = None) -> list[str]:
    """Write dvc.yaml and data/asked/*.yaml for the shared studies and `study`; return the files that changed.

    Raises InputError for an invalid config, and for a data folder outside the checkout.
    """
    main = _main(root)
    names = list(dict.fromkeys([*shared(root), study or main]))
    studies = [load(root, name) for name in names]
    texts = {asked_file(one.name): asked_text(one) for one in studies}
    texts[PIPELINE] = pipeline_text(studies, main)
    changed = [path for path, text in texts.items() if _read(root / path) != text]
    for path in changed:
        with atomic(root / path) as partial:
            partial.write_text(texts[path], encoding="utf-8")
    return changed


def renew_asked(root: Path, study: str) -> None:
    """Write only data/asked/{study}.yaml: the first stage of `dvc repro`, run while DVC uses dvc.yaml.

    Raises InputError if dvc.yaml itself is out of date with the run table.
    """
    main = _main(root)
    studies = [load(root, name) for name in dict.fromkeys([*shared(root), study])]
    if _read(root / PIPELINE) != pipeline_text(studies, main):
        raise InputError(f"{PIPELINE} is out of date with the config: run `make stages`, then rerun")
    [chosen] = [one for one in studies if one.name == study]
    with atomic(root / asked_file(study)) as partial:
        partial.write_text(asked_text(chosen), encoding="utf-8")


def names(root: Path, study: Study) -> dict[str, str]:
    """Return {stage: its name in dvc.yaml}, including "asked", the stage that updates the digests."""
    main = _main(root)
    return {name: _name(name, study.name, main) for name in ["asked", *study.stages]}


def _name(stage: str, study: str, main: str) -> str:
    return stage if study == main or stage.startswith("data-") else f"{study}-{stage}"


def asked_text(study: Study) -> str:
    """Return the digests of a study as YAML: {stage: {item: digest}}."""
    content = {stage.name: stage.asked for stage in study.stages.values()}
    return ASKED.format(study=study.name) + yaml.dump(content, Dumper=_Quoting, sort_keys=False, width=1000)


class _Quoting(yaml.SafeDumper):
    """Quotes digests that other YAML readers, DVC's included, would parse as numbers: 0e70617026168307."""


_Quoting.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"\d+[eE]\d+$"), list("0123456789"))


def pipeline_text(studies: list[Study], main: str) -> str:
    """Return the content of dvc.yaml; `main` names the study whose stages have plain names."""
    stages: dict[str, str] = {}
    for study in studies:
        stages[_name("asked", study.name, main)] = _asked_stage(study.name)
        for stage in study.stages.values():
            stages.setdefault(_name(stage.name, study.name, main), _stage(study.name, stage))
    overlays = [f"configs/{study.name}.yaml" for study in studies]
    configs = dict.fromkeys(["config.yaml", config.BASE, *overlays])
    tail = ["", "params:", *(f"  - {path}" for path in configs), "", "plots:", *_plots(studies)]
    body = [line for name, text in stages.items() for line in (f"  {name}:", *text.splitlines())]
    return HEAD + "\n".join([*body, *tail]) + "\n"


def _asked_stage(study: str) -> str:
    configs = dict.fromkeys([config.BASE, f"configs/{study}.yaml"])
    deps = [
        "config.yaml",
        *configs,
        CLAIMS,
        CURVES,
        "scripts",
        "src/directions",
        "tools",
    ]
    return "\n".join(
        [
            f"    cmd: python {WRITER} --asked {study}",
            *_listed("deps", deps),
            f"    outs: [{asked_file(study)}: {{cache: false, persist: true}}]",
        ]
    )


def _stage(study: str, stage: Stage) -> str:
    paths = [product.path for product in stage.products]
    metrics = [path for path in paths if path.endswith("claims.json")]
    lines = [
        f"    cmd: python tools/make_stage.py --study {study} {stage.name}",
        f"    params: [{asked_file(study)}: [{stage.name}]]",
    ]
    if stage.needs:
        lines += _listed("deps", stage.needs)
    lines += ["    outs:", *(f"    - {path}: {{persist: true}}" for path in paths if path not in metrics)]
    if metrics:
        lines += ["    metrics:", *(f"    - {path}: {{persist: true}}" for path in metrics)]
    return "\n".join(lines)


def _listed(key: str, items: Iterable[str]) -> list[str]:
    """Format a YAML list in as few lines as possible."""
    wrapper = textwrap.TextWrapper(110, break_on_hyphens=False, break_long_words=False)
    wrapper.initial_indent, wrapper.subsequent_indent = " " * 4, " " * 6
    return wrapper.wrap(f"{key}: [{', '.join(items)}]")


def _plots(studies: list[Study]) -> Iterator[str]:
    """Yield the plots: every figure as an image, every table of curves as a scatter plot."""
    for study in studies:
        for stage in study.stages.values():
            path = stage.products[0].path
            if stage.name in study.figures:
                yield f"  - {Path(path).with_suffix('.png').as_posix()}"
            elif stage.name.startswith("table-") and Path(path).stem in PLOTS:
                x, y = PLOTS[Path(path).stem]
                yield f"  - {path}: {{template: scatter, x: {x}, y: {y}}}"


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
