"""Load one checked study from configs/paper.yaml, configs/{study}.yaml, config.yaml and the command line.

Everything is checked before the graph is built, and all errors are reported at once.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from directions.core.errors import InputError
from directions.core.suggest import nearest
from directions.study import consistency, lossy_copies, schema, user_networks
from directions.study.catalogue import FIGURES, FOLLOW_UPS, blocks, made_by
from directions.study.config_files import read_yaml
from directions.study.run_table import needed_tables

BASE = "configs/paper.yaml"
# keys that a file in configs/ may set
OF_STUDY = (
    "defaults", "experiments", "draw", "datasets", "models", "imagefolder", "cifar", "analysis_files"
)  # fmt: skip
OWN = "own"  # a file in configs/ of this name is no study: it lists the user's own networks
HERE = "config.yaml, --configfile or the command line"

Layers = list[tuple[str, dict]]


def load(config: Mapping, root: Path, here: Path | None = None) -> dict:
    """Load the study that `config` selects: config.yaml with the command line's values, merged by Snakemake.

    root: the checkout. here: the folder that the workflow runs in, if it is another; its configs/ may have
    more studies. Layers, later over earlier: configs/paper.yaml, configs/{study}.yaml, `config`. In the
    result

    - `figures` lists the selected figures and `draw` names the experiment that each shows;
    - `tables` is {experiment: its tables} for these figures, in config order;
    - every experiment is complete: `training` has all settings and `precision`, and each analysis in
      `analyses`, like whatever is computed from it, has all of its own; numbers have one type (0 becomes 0.0
      where any number is allowed);
    - `datasets` is {name: file.py:function} and `models` {name: {build, reads}} of the user, mostly {};
    - `paper_curves` is True unless the user set it to false;
    - study, data_root, device, precision, sources and, if given, imagefolder and own are as the user set
      them.

    Raises InputError with one line per error: where it is, what is wrong, what is allowed.
    """
    if set("{}") & set(str(Path(root).resolve())):
        raise InputError(
            f"the folder {Path(root).resolve()} has braces in its path, which are wildcards to Snakemake:"
            " rename it"
        )
    given = dict(config)
    layers = _layers(given, Path(root), Path(here or root))
    faults = [fault for label, layer in layers for fault in _key_faults(layer, label)]
    _stop(faults)
    merged: dict = {}
    for _, layer in layers:
        merged = merge(merged, layer)
    if isinstance(merged.get("figures"), str):
        merged["figures"] = _selection(merged["figures"])
    rules = schema.read(merged)
    if isinstance(merged.get("defaults"), Mapping):  # else the schema refuses it
        merged["defaults"] = merge(schema.declared_defaults(merged), merged["defaults"])
    faults = [
        f"{schema.dotted(keys)}{_origin(keys, layers)}: {message}"
        for keys, message in schema.problems(merged, rules)
    ]
    _stop(faults)
    merged = lossy_copies.switched(schema.exact(merged, rules, rules))
    _undraw(merged, layers[0][1])
    study = _completed(merged)
    _stop(
        [*consistency.problems(study, merged["experiments"]), *user_networks.problems(study.get("own", {}))]
    )
    return _selected(study)


def merge(base: Mapping, over: Mapping, *path: str) -> dict:
    """Merge `over` into `base`: mappings merge, all else replaces; the order of keys in base is kept.

    null leaves a mapping unchanged, so a section whose lines are all commented out has no effect. But it
    removes an experiment, a drawing and, within an experiment, a varied setting, a fixed one, and its own
    values of an analysis.
    """
    result = dict(base)
    for key, value in over.items():
        old = base.get(key)
        if value is None and key in base and _removable(*path, key):
            del result[key]
        elif isinstance(value, Mapping):
            result[key] = merge(old if isinstance(old, Mapping) else {}, value, *path, key)
        elif not (value is None and isinstance(old, Mapping)):
            result[key] = value
    return result


def _removable(*path: str) -> bool:
    match path:
        case ("experiments" | "draw", _) | ("experiments", _, "vary", _):
            return True
        case ("experiments", _, "training", setting):
            return setting != "require_train_accuracy"  # for which null is a value
        case ("experiments", _, block):
            return block not in ("vary", "analyses")
    return False


def _undraw(merged: dict, base: dict) -> None:
    """Drop the base's drawings of base experiments that a later layer removed.

    Of the figures of later work, drop also those whose analyses the experiment no longer lists.
    """
    needs = made_by({})
    for figure, name in base["draw"].items():
        if merged["draw"].get(figure) != name:
            continue
        listed = merged["experiments"].get(name, {}).get("analyses", ())
        missing = {needs[table] for table in FIGURES[figure]} & set(FOLLOW_UPS) - set(listed)
        if name not in merged["experiments"] or missing:
            del merged["draw"][figure]


def find(study: str | None, root: Path, here: Path) -> Path:
    """Return the file of a study in `configs/`, of a checkout or of the folder `here` that uses it.

    Raises InputError, with the nearest name, if there is none, and for a name that cannot be one.
    """
    files = {path.stem: path for folder in (root, here) for path in (folder / "configs").glob("*.yaml")}
    known = sorted(stem for stem in files if stem.split(".")[0] != OWN)
    if study is None or study not in known:
        hint = nearest(study, known)
        raise InputError(f"study: {study!r} is unknown{hint}; configs/ has {', '.join(known) or 'no file'}")
    if not re.fullmatch("[a-z0-9_]+", study):
        raise InputError(
            f"study: {study!r} names a folder: rename its file to lower-case letters, digits and _"
        )
    if here != root and (root / f"configs/{study}.yaml").exists() and files[study].parent.parent != root:
        raise InputError(f"study: {study} is also one of {root}/configs: rename {files[study]}")
    return files[study]


def _layers(given: dict, root: Path, here: Path) -> Layers:
    study = given.get("study")
    names = {BASE: root / BASE, f"configs/{study}.yaml": find(study, root, here)}
    return [(name, read_yaml(path)) for name, path in names.items()] + [(HERE, given)]


def _key_faults(layer: dict, label: str) -> Iterator[str]:
    """Check what the merged config no longer shows: keys in the wrong file, and keys that are not text."""
    for key in layer if label != HERE else ():
        if key not in OF_STUDY:
            hint = nearest(key, OF_STUDY)
            allowed = f"a study may set {', '.join(OF_STUDY)}; all else belongs in config.yaml"
            yield f"{key} (in {label}): a study may not set it{hint} ({allowed})"
    stack: list[tuple[schema.Keys, object]] = [((), layer)]
    while stack:
        keys, value = stack.pop()
        for key, item in value.items() if isinstance(value, dict) else ():
            if not isinstance(key, str):
                where = schema.dotted((*keys, repr(key)))
                yield f"{where} (in {label}): a key must be text (in quotes; YAML reads off and no as false)"
            stack.append(((*keys, str(key)), item))


def _selection(words: str) -> str | list[str]:
    """Parse `figures=fig1a,fig2a` from the command line."""
    inner = words.strip()
    if inner.startswith("[") and inner.endswith("]"):
        inner = inner[1:-1]
    names = [word.strip() for word in inner.removesuffix(",").split(",")] if inner.strip() else []
    if "" in names or set("[]") & set(inner):
        return words  # the schema refuses it
    return "all" if names == ["all"] else list(dict.fromkeys(names))


def _origin(keys: schema.Keys, layers: Layers) -> str:
    """Name the last layer that sets the value at these keys, as " (in configs/quick.yaml)"."""
    for label, layer in reversed(layers):
        value: Any = layer
        try:
            for key in keys:
                value = value[key]
        except (KeyError, IndexError, TypeError):
            continue
        return f" (in {label})" if keys else ""
    return ""


def _stop(faults: list[str]) -> None:
    if faults:
        raise InputError("the config cannot be used:\n" + "\n".join(f"  {fault}" for fault in faults))


def _completed(merged: dict) -> dict:
    """Complete every experiment from the defaults, and drop the defaults."""
    defaults = merged["defaults"]
    experiments = {}
    for name, own in merged["experiments"].items():
        training = {"precision": merged["precision"]} | defaults["training"] | own.get("training", {})
        training["keep_epochs"] = sorted(training["keep_epochs"])
        asked = {
            block: defaults[block] | own.get(block, {})
            for block, analysis in blocks(merged).items()
            if analysis in own["analyses"]
        }
        experiments[name] = {
            "training": training, "vary": own["vary"], "analyses": own["analyses"], **asked
        }  # fmt: skip
    rest = {key: value for key, value in merged.items() if key != "defaults"}
    models = {name: {"reads": []} | entry for name, entry in merged.get("models", {}).items()}
    return {"datasets": {}, "paper_curves": True} | rest | {"experiments": experiments, "models": models}


def _selected(study: dict) -> dict:
    everything = study["figures"] == "all"
    drawn = [figure for figure in FIGURES if figure in study["draw"]]  # in the order of the paper
    figures = [figure for figure in drawn if everything or figure in study["figures"]]
    tables = needed_tables(study, None if everything else figures)
    return study | {"figures": figures, "tables": tables}
