"""Check config files and command lines as written, before Snakemake merges them.

Of duplicate keys, Snakemake silently keeps the last; here they are refused.
"""

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import yaml

from directions.core.errors import InputError

MOST_VALUES = 100_000  # in one config file; an arbitrary limit
OPTIONS = {  # Snakemake's, under all their names, and how to give several values at once
    ("--config", "-C"): "study=quick figures=fig1a",
    ("--configfile", "--configfiles"): "a.yaml b.yaml",
}


def read_yaml(path: Path) -> dict:
    """Read a YAML mapping; an empty file gives an empty mapping.

    Raises InputError if the file is missing, is not YAML, has a duplicate key or an anchor within itself, or
    does not hold a mapping.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except _Refused as error:
        raise InputError(f"config file {path}, line {error.line}: {error}") from error
    except RecursionError as error:
        raise InputError(f"config file {path} is nested too deeply to be read") from error
    except FileNotFoundError as error:
        raise InputError(
            f"config file {path} does not exist: run from the repository's folder, or restore the file there"
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


def check_files(paths: Iterable[Path | str]) -> None:
    """Raise InputError as `read_yaml` does, for files that Snakemake reads as well.

    Of duplicate keys, Snakemake would keep the last.
    """
    for path in map(Path, paths):
        if not _is_json(path):
            read_yaml(path)


def _is_json(path: Path) -> bool:
    """Return whether the file is JSON, which Snakemake accepts too; raises InputError for a duplicate key."""

    def unique(pairs: list[tuple[str, object]]) -> dict:
        for number, (key, _) in enumerate(pairs):
            if key in dict(pairs[:number]):
                raise InputError(f"config file {path}: key {key!r} appears twice in one mapping")
        return dict(pairs)

    try:
        json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=unique)
    except (OSError, ValueError, RecursionError):
        return False  # `read_yaml` reports what is wrong
    return True


def check_arguments(arguments: Sequence[str]) -> None:
    """Raise InputError if a Snakemake command line sets the same thing twice.

    That is an option for the config (`--config a=1 --config b=2` loses a), one of its keys, or a key within a
    value.
    """
    words = list(_words(arguments))
    for names, example in OPTIONS.items():
        if sum(word in names for word in words) > 1:
            raise InputError(
                f"{names[0]} appears twice on the command line, and Snakemake reads only the last:"
                f" write {names[0]} {example}"
            )
    for key, value in _entries(words):
        try:
            yaml.load(value, Loader=_Loader)
        except _Refused as error:
            raise InputError(f"--config {key}: {error}") from error
        except (yaml.YAMLError, RecursionError):
            pass  # Snakemake treats it as text


def _words(arguments: Sequence[str]) -> Iterator[str]:
    """Split words such as `--config=a=1` into the option and its first value."""
    for word in arguments:
        name, joined, value = word.partition("=")
        yield from (name, value) if joined and any(name in names for names in OPTIONS) else (word,)


def _entries(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield (key, value) of each entry after --config. Raises InputError for a duplicate key."""
    behind = itertools.dropwhile(lambda word: word not in ("--config", "-C"), arguments)
    entries = itertools.takewhile(lambda word: not word.startswith("-"), itertools.islice(behind, 1, None))
    seen = set()
    for key, _, value in (entry.partition("=") for entry in entries):
        if key in seen:
            raise InputError(f"--config {key}: appears twice, and Snakemake reads only the last")
        seen.add(key)
        yield key, value


class _Refused(ValueError):
    """YAML that is well-formed but refused; `line` counts from 1."""

    def __init__(self, message: str, mark: yaml.Mark):
        super().__init__(message)
        self.line = mark.line + 1


class _Loader(yaml.SafeLoader):
    """A YAML loader that refuses duplicate keys, of which the plain loader silently keeps the last.

    It also refuses an anchor within itself, and anchors that expand a short file without end.
    """

    def get_single_node(self):
        node = super().get_single_node()
        if node is not None:
            self._weigh(node, (), {})
        return node

    def _weigh(self, node: yaml.Node, above: tuple[int, ...], known: dict[int, int]) -> int:
        """Count the values of a node once its anchors are expanded."""
        if id(node) in above:
            raise _Refused("an anchor that contains itself: write its content out", node.start_mark)
        if id(node) not in known:
            parts = [] if isinstance(node, yaml.ScalarNode) else node.value
            inner = [part for pair in parts for part in (pair if isinstance(pair, tuple) else (pair,))]
            known[id(node)] = 1 + sum(self._weigh(part, (*above, id(node)), known) for part in inner)
            if known[id(node)] > MOST_VALUES:
                raise _Refused(f"its anchors expand to more than {MOST_VALUES} values", node.start_mark)
        return known[id(node)]

    def construct_mapping(self, node, deep=False):
        seen = set()
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        for key in (key for key, _ in pairs if isinstance(key, yaml.ScalarNode)):
            if key.value in seen and key.value != "<<":
                raise _Refused(f"key {key.value!r} appears twice in one mapping", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)
