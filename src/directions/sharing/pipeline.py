"""dvc.yaml and asked/{study}.yaml, written from the run table.

dvc.yaml holds the stages of every study that has a file in asked/. Those of the study that config.yaml names
have plain names (fig1a), those of another its name in front (laptop-fig1a); data sets belong to all.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from directions import config
from directions.deciding import CLAIMS
from directions.errors import InputError
from directions.figures import PAPER_CURVES
from directions.files import atomic
from directions.sharing.stages import Stage, Study, load

PIPELINE = "dvc.yaml"
WRITER = "scripts/write_stages.py"
CURVES = PAPER_CURVES.rsplit("/", 1)[0]  # the folder of the paper's own curves
HEAD = """\
# Written by `make stages` from the run table; do not edit. docs/SHARING.md explains it.
# cmd: tells Snakemake what dvc.lock confirms, then has it make what is lacking of the stage's files.
# params: digests of the code that runs and of all settings, own and upstream; stage `asked` renews them.
# persist: Snakemake, not DVC, decides which of the files have to be made again.

stages:
"""
ASKED = """\
# Written by `make stages`; do not edit. For each stage of the {study} study: a digest of the code that it
# runs, and for each product one of all settings, its own and those upstream, that decide what is in it
# (`Ancestry` in src/directions/provenance.py). Data, labels and training have RECIPE numbers for their code.

"""
PLOTS = {  # table -> x and y of its dots in `dvc plots`
    "ablation": ("ablated", "accuracy"),
    "noise": ("noise_sd_ratio", "accuracy"),
    "history": ("epoch", "train_loss"),
    "checkpoints": ("epoch", "auc"),
}


def asked_file(study: str) -> str:
    """Where the digests of a study's products stand; what git tracks of it beside dvc.lock."""
    return f"asked/{study}.yaml"


def shared(root: Path) -> list[str]:
    """The studies that dvc.yaml holds, that of config.yaml first."""
    main = config.read_yaml(root / "config.yaml").get("study")
    others = sorted(path.stem for path in (root / "asked").glob("*.yaml") if path.stem != main)
    return [*([main] if (root / asked_file(main)).is_file() else []), *others]


def write(root: Path, study: str | None = None) -> list[str]:
    """Write dvc.yaml and asked/*.yaml with the shared studies and `study`; return the files that changed.

    Raises InputError for a config that is wrong or a data folder outside this one.
    """
    main = config.read_yaml(root / "config.yaml").get("study")
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
    """Write asked/{study}.yaml only: the first stage of `dvc repro`, while DVC works from dvc.yaml.

    Raises InputError where the run table has changed so that dvc.yaml itself is out of date.
    """
    main = config.read_yaml(root / "config.yaml").get("study")
    studies = [load(root, name) for name in dict.fromkeys([*shared(root), study])]
    if _read(root / PIPELINE) != pipeline_text(studies, main):
        raise InputError(f"{PIPELINE} is not that of the present config: run `make stages`, then again")
    [chosen] = [one for one in studies if one.name == study]
    with atomic(root / asked_file(study)) as partial:
        partial.write_text(asked_text(chosen), encoding="utf-8")


def names(root: Path, study: Study) -> dict[str, str]:
    """{stage: its name in dvc.yaml}, and of "asked", the stage that renews the digests."""
    main = config.read_yaml(root / "config.yaml").get("study")
    return {name: _name(name, study.name, main) for name in ["asked", *study.stages]}


def _name(stage: str, study: str, main: str) -> str:
    return stage if study == main or stage.startswith("data-") else f"{study}-{stage}"


def asked_text(study: Study) -> str:
    """YAML: {stage: {item: digest}}."""
    content = {stage.name: stage.asked for stage in study.stages.values()}
    return ASKED.format(study=study.name) + yaml.dump(content, Dumper=_Quoting, sort_keys=False, width=1000)


class _Quoting(yaml.SafeDumper):
    """Quotes digests that other readers of YAML, DVC's among them, take for a number: 0e70617026168307."""


_Quoting.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"\d+[eE]\d+$"), list("0123456789"))


def pipeline_text(studies: list[Study], main: str) -> str:
    """The whole of dvc.yaml; `main` names the study whose stages go by plain names."""
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
    deps = ["config.yaml", *configs, "schemas/config.json", CLAIMS, CURVES, "scripts", "src/directions"]
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
        f"    cmd: python scripts/make_stage.py --study {study} {stage.name}",
        f"    params: [{asked_file(study)}: [{stage.name}]]",
    ]
    if stage.needs:
        lines += _listed("deps", stage.needs)
    lines += ["    outs:", *(f"    - {path}: {{persist: true}}" for path in paths if path not in metrics)]
    if metrics:
        lines += ["    metrics:", *(f"    - {path}: {{persist: true}}" for path in metrics)]
    return "\n".join(lines)


def _listed(key: str, items: Iterable[str]) -> list[str]:
    """A YAML list over as few lines as there need be."""
    wrapper = textwrap.TextWrapper(110, break_on_hyphens=False, break_long_words=False)
    wrapper.initial_indent, wrapper.subsequent_indent = " " * 4, " " * 6
    return wrapper.wrap(f"{key}: [{', '.join(items)}]")


def _plots(studies: list[Study]) -> Iterator[str]:
    """Every figure as an image, every table with curves as dots."""
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
