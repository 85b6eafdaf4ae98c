"""Functions in the user's own files, named as `file.py:function`."""

import ast
import difflib
import hashlib
import importlib.util
import sys
from pathlib import Path

from directions.errors import InputError


def parted(reference: str) -> tuple[Path, str]:
    """(file, function) of "nets.py:build". Raises InputError for a text without both, and for no file."""
    file, _, function = reference.rpartition(":")
    if not file.endswith(".py") or not function.isidentifier():
        raise InputError(f"{reference!r} names no function: write file.py:function, as in nets.py:build")
    path = Path(file).expanduser()
    if not path.is_file():
        raise InputError(f"{reference}: there is no file {path} (looked for in {Path.cwd()})")
    return path, function


def files(reference: str) -> list[str]:
    """The function's file and all files beside it that it imports, itself or through others, sorted.

    Raises InputError as `parted` does, and for a file that is not valid Python.
    """
    first, _ = parted(reference)
    found, waiting = set(), [first]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for name in _imported(path):
            stem = first.parent.joinpath(*name.split("."))
            choices = (stem.with_name(f"{stem.name}.py"), stem / "__init__.py")
            waiting += [choice for choice in choices if choice.is_file()]
    return sorted(map(str, found))


def _imported(path: Path) -> list[str]:
    """Names of modules that a file imports, with those that may be modules inside a package."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise InputError(f"{path}, line {error.lineno}: not valid Python ({error.msg})") from error
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def digest(reference: str) -> str:
    """Stands for the content of `files`."""
    found = hashlib.sha256()
    for file in files(reference):
        found.update(Path(file).read_bytes())
    return found.hexdigest()


def call(reference: str) -> object:
    """What the function returns, called without arguments; its file may import others beside it.

    It runs code, so it is for files of the user's own. Raises InputError where there is no such function;
    what goes wrong inside the function is its own affair and is raised as it is.
    """
    path, function = parted(reference)
    spec = importlib.util.spec_from_file_location(f"own_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
        if not callable(found := getattr(module, function, None)):
            known = [name for name, value in vars(module).items() if callable(value)]
            near = difflib.get_close_matches(function, known, n=len(known), cutoff=0.0)
            raise InputError(f"{path} has no function {function}; it has {', '.join(near) or 'none'}")
        return found()
    finally:
        sys.path.remove(str(path.parent.resolve()))
