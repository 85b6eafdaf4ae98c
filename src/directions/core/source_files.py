"""Find the source files that a script runs, its own and all it imports, without running it.

This module must not import figures, analyses or runs: every analysis imports it, and reruns when anything
that it imports changes.
"""

import ast
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from directions.core.errors import InputError

PACKAGE = "directions"
OWN = "directions.models.user"  # imported under this name for a user's own network

Package = tuple[str, ...]
Known = dict[Path, list[tuple[Path, Package]]]


def code_of(
    script: Path | str, root: Path | str, extra: Iterable[str] = (), known: Known | None = None
) -> list[str]:
    """List a script and all modules of this package that it imports, directly or through others.

    Paths are relative to `root`: the script first, then modules, sorted, with the __init__.py of every
    package on the way. Imports inside functions count. `extra` names modules that are imported under a
    computed name ("directions.figures.fig1a"). Calls that share `known`, an empty dictionary at first, read
    each file once: for many scripts of one checkout whose files do not change in between.
    Raises InputError for a missing script or module and for a file that is not valid Python.
    """
    root, known = Path(root), {} if known is None else known
    script = Path(script)
    script = script.relative_to(root) if script.is_absolute() else script
    found: set[Path] = set()
    files = [(Path(name), ()) for name in extra if name.endswith(".py")]
    modules = [name for name in extra if not name.endswith(".py")]
    waiting = [file for name in modules for file in _files(root, name, f"{script} (named by the workflow)")]
    waiting += files
    waiting += _imported(root, script, (), known)
    while waiting:
        path, package = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(root, path, package, known)
    return [script.as_posix(), *sorted(path.as_posix() for path in found)]


def _imported(root: Path, path: Path, package: Package, known: Known) -> list[tuple[Path, Package]]:
    """Return (path, package it belongs to) of all files of this package that a file itself imports."""
    if path not in known:
        names = _imports(root, path, package)
        known[path] = [file for name in names for file in _files(root, name, str(path))]
    return known[path]


def _files(root: Path, name: str, importer: str) -> Iterator[tuple[Path, Package]]:
    """Yield (path, package it belongs to) of a module and of the packages around it."""
    parts = tuple(name.split("."))
    for depth in range(1, len(parts) + 1):
        head = parts[:depth]
        path = _module(root, head)
        if path is None:
            raise InputError(
                f"{importer} imports {'.'.join(head)}, but src/{'/'.join(head)}.py does not exist:"
                " correct the import or add the module"
            )
        yield path, head if path.name == "__init__.py" else head[:-1]


def _module(root: Path, parts: Package) -> Path | None:
    stem = "/".join(("src", *parts))
    choices = (f"{stem}/__init__.py", f"{stem}.py")
    return next((Path(path) for path in choices if os.path.isfile(f"{root}/{path}")), None)


def _imports(root: Path, path: Path, package: Package) -> Iterator[str]:
    """Yield this package's modules that a file imports, at top level or inside a function."""
    try:
        source = (root / path).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist: a rule names it as its script") from error
    for base, names in _statements(source, path.as_posix(), package):
        if base.split(".")[0] != PACKAGE:
            continue
        yield base
        init = root / "src" / Path(*base.split(".")) / "__init__.py"
        for name in names:
            if _module(root, (*base.split("."), name)):
                yield f"{base}.{name}"
            elif init.is_file() and name not in ("*", *_defined(init.read_text(encoding="utf-8"))):
                raise InputError(f"{path} imports {name} from {base}, which has no such module or name")


@cache
def _statements(source: str, where: str, package: Package) -> list[tuple[str, tuple[str, ...]]]:
    """Return [(absolute module, names taken from it)] for every import statement."""
    found: list[tuple[str, tuple[str, ...]]] = []
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise InputError(f"{where}, line {error.lineno}: not valid Python ({error.msg})") from error
    for node in _nested(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, node.module) if node.module else above)
            found.append((base, tuple(alias.name for alias in node.names)))
    return found


def _nested(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all statements at any depth; expressions, most of a syntax tree, contain none."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, field, ())
            waiting += inner if isinstance(inner, list) else ()


@cache
def _defined(source: str) -> set[str]:
    """Collect all names that a module binds: enough to recognise a typo."""
    bound = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        elif isinstance(node, ast.alias):
            bound.add(node.asname or node.name)
    return bound
