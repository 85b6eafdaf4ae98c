"""One checked study out of configs/paper.yaml, configs/{study}.yaml and config.yaml with the command line.

Everything is judged before the graph is built, and all that is wrong is said at once.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import yaml

from directions import combinations, copies, schema
from directions.analyses import BLOCKS
from directions.errors import InputError
from directions.figures import FIGURES
from directions.hints import nearest
from directions.own import plan
from directions.runs import needed_tables

BASE = "configs/paper.yaml"
# What a file in configs/ may set.
OF_STUDY = ("defaults", "experiments", "draw", "datasets", "models", "imagefolder", "cifar")
OWN = "own"  # a file in configs/ of this name is no study, but names networks of the user's own
MOST_VALUES = 100_000  # in one config file, a bound of ours
HERE = "config.yaml, --configfile or the command line"

Layers = list[tuple[str, dict]]


def load(config: Mapping, root: Path) -> dict:
    """The study that `config` (config.yaml with the command line's values, as Snakemake merges them) selects.

    Layers, later over earlier: configs/paper.yaml, configs/{study}.yaml, `config`. In the result

    - `figures` lists the selected figures and `draw` says which experiment each shows;
    - `tables` is {experiment: its tables} of what these figures need, in config order;
    - every experiment is complete: `training` with all settings and `precision`, each analysis of `analyses`
      and what is computed from it with all of its own; numbers are of one kind (0 is 0.0 where any number
      may stand);
    - `datasets` is {name: file.py:function} and `models` {name: {build, reads}} of the user's own, mostly {};
    - `paper_curves` is True unless the user said otherwise;
    - study, data_root, device, precision, sources and, where given, imagefolder and own are as the user set
      them.

    Raises InputError with one line for each thing that is wrong: where, what, what is allowed.
    """
    if set("{}") & set(str(Path(root).resolve())):
        raise InputError(
            f"the folder {Path(root).resolve()} has braces in its path, which are wildcards to Snakemake:"
            " rename it"
        )
    given = dict(config)
    layers = _layers(given, Path(root))
    faults = [fault for label, layer in layers for fault in _key_faults(layer, label)]
    _stop(faults)
    merged: dict = {}
    for _, layer in layers:
        merged = merge(merged, layer)
    if isinstance(merged.get("figures"), str):
        merged["figures"] = _selection(merged["figures"])
    rules = schema.read(Path(root) / "schemas" / "config.json", merged)
    faults = [
        f"{schema.dotted(keys)}{_origin(keys, layers)}: {message}"
        for keys, message in schema.problems(merged, rules)
    ]
    _stop(faults)
    merged = copies.switched(schema.exact(merged, rules, rules))
    _undraw(merged, layers[0][1])
    study = _completed(merged)
    _stop([*combinations.problems(study, merged["experiments"]), *plan.problems(study.get("own", {}))])
    return _selected(study)


def read_yaml(path: Path) -> dict:
    """A YAML mapping; an empty file is an empty one.

    Raises InputError for a file that is missing, is no YAML, names a key twice, has an anchor within itself
    or holds something else.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except _Refused as error:
        raise InputError(f"config file {path}, line {error.line}: {error}") from error
    except RecursionError as error:
        raise InputError(f"config file {path} is nested too deeply to be read") from error
    except FileNotFoundError as error:
        raise InputError(
            f"config file {path} does not exist: work in the folder of the repository, or restore it there"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"config file {path} is not readable YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InputError(
            f"config file {path} holds a {type(content).__name__}: it must be `key: value` lines"
        )
    return content


def merge(base: Mapping, over: Mapping, *path: str) -> dict:
    """`base` with `over` laid on it: mappings merge, all else replaces, base's order of keys is kept.

    Nothing (null) leaves a mapping as it is, so a section whose lines are all commented out changes nothing,
    but removes an experiment, a drawing, and of an experiment a varied setting, a fixed one, and its own
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
            return setting != "require_train_accuracy"  # of which null is a value
        case ("experiments", _, block):
            return block in BLOCKS
    return False


def _undraw(merged: dict, base: dict) -> None:
    """Leave out the base's drawings of those of its experiments that a later layer removed."""
    for figure, name in base["draw"].items():
        if name not in merged["experiments"] and merged["draw"].get(figure) == name:
            del merged["draw"][figure]


def check_files(paths: Iterable[Path | str]) -> None:
    """Raise InputError as `read_yaml` does, for files that Snakemake reads as well.

    Of two equal keys it takes the last.
    """
    for path in map(Path, paths):
        if not _is_json(path):
            read_yaml(path)


def _is_json(path: Path) -> bool:
    """Whether it is JSON, which Snakemake takes too; raises InputError where that names a key twice."""

    def unique(pairs: list[tuple[str, object]]) -> dict:
        for number, (key, _) in enumerate(pairs):
            if key in dict(pairs[:number]):
                raise InputError(f"config file {path}: key {key!r} stands twice in one mapping")
        return dict(pairs)

    try:
        json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=unique)
    except (OSError, ValueError, RecursionError):
        return False  # `read_yaml` says what it is
    return True


class _Refused(ValueError):
    """YAML that is well-formed, and not to be used; `line` counts from 1."""

    def __init__(self, message: str, mark: yaml.Mark):
        super().__init__(message)
        self.line = mark.line + 1


class _Loader(yaml.SafeLoader):
    """YAML that refuses a key named twice, of which the plain loader keeps the last without a word.

    It also refuses an anchor within itself, and anchors that make a short file endless.
    """

    def get_single_node(self):
        node = super().get_single_node()
        if node is not None:
            self._weigh(node, (), {})
        return node

    def _weigh(self, node: yaml.Node, above: tuple[int, ...], known: dict[int, int]) -> int:
        """How many values a node stands for once its anchors are written out."""
        if id(node) in above:
            raise _Refused("an anchor that holds itself: write out what is meant", node.start_mark)
        if id(node) not in known:
            parts = [] if isinstance(node, yaml.ScalarNode) else node.value
            inner = [part for pair in parts for part in (pair if isinstance(pair, tuple) else (pair,))]
            known[id(node)] = 1 + sum(self._weigh(part, (*above, id(node)), known) for part in inner)
            if known[id(node)] > MOST_VALUES:
                raise _Refused(f"its anchors stand for more than {MOST_VALUES} values", node.start_mark)
        return known[id(node)]

    def construct_mapping(self, node, deep=False):
        seen = set()
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        for key in (key for key, _ in pairs if isinstance(key, yaml.ScalarNode)):
            if key.value in seen and key.value != "<<":
                raise _Refused(f"key {key.value!r} stands twice in one mapping", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _layers(given: dict, root: Path) -> Layers:
    study = given.get("study")
    stems = (path.stem for path in (root / "configs").glob("*.yaml"))
    known = sorted(stem for stem in stems if stem.split(".")[0] != OWN)
    if study not in known:
        hint = nearest(study, known)
        raise InputError(f"study: {study!r} is unknown{hint}; configs/ has {', '.join(known) or 'no file'}")
    if not re.fullmatch("[a-z0-9_]+", study):
        raise InputError(
            f"study: {study!r} names a folder: rename its file to lower-case letters, digits and _"
        )
    names = list(dict.fromkeys([BASE, f"configs/{study}.yaml"]))
    return [(name, read_yaml(root / name)) for name in names] + [(HERE, given)]


def _key_faults(layer: dict, label: str) -> Iterator[str]:
    """What the merged config no longer shows: keys in the wrong file, and keys that are no text."""
    for key in layer if label != HERE else ():
        if key not in OF_STUDY:
            hint = nearest(key, OF_STUDY)
            allowed = f"a study may set {', '.join(OF_STUDY)}; all else belongs into config.yaml"
            yield f"{key} (in {label}): is not for a study to set{hint} ({allowed})"
    stack: list[tuple[schema.Keys, object]] = [((), layer)]
    while stack:
        keys, value = stack.pop()
        for key, item in value.items() if isinstance(value, dict) else ():
            if not isinstance(key, str):
                where = schema.dotted((*keys, repr(key)))
                yield f"{where} (in {label}): a key must be text (in quotes; YAML reads off and no as false)"
            stack.append(((*keys, str(key)), item))


def _selection(words: str) -> str | list[str]:
    """What `figures=fig1a,fig2a` on the command line means."""
    inner = words.strip()
    if inner.startswith("[") and inner.endswith("]"):
        inner = inner[1:-1]
    names = [word.strip() for word in inner.removesuffix(",").split(",")] if inner.strip() else []
    if "" in names or set("[]") & set(inner):
        return words  # which the schema refuses
    return "all" if names == ["all"] else list(dict.fromkeys(names))


def _origin(keys: schema.Keys, layers: Layers) -> str:
    """ " (in configs/quick.yaml)": the last layer that sets what these keys lead to."""
    for label, layer in reversed(layers):
        value: object = layer
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
    """The study with every experiment complete and without the defaults that went into them."""
    defaults = merged["defaults"]
    experiments = {}
    for name, own in merged["experiments"].items():
        training = {"precision": merged["precision"]} | defaults["training"] | own.get("training", {})
        training["keep_epochs"] = sorted(training["keep_epochs"])
        blocks = {
            block: defaults[block] | own.get(block, {})
            for block, analysis in BLOCKS.items()
            if analysis in own["analyses"]
        }
        experiments[name] = {
            "training": training, "vary": own["vary"], "analyses": own["analyses"], **blocks
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
