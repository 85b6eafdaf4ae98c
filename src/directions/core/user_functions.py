"""Find and call functions in the user's own files, named as `file.py:function`."""

import ast
import difflib
import hashlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from directions.core.errors import InputError
from directions.core.types import present


def parted(reference: str) -> tuple[Path, str]:
    """Split "nets.py:build" into (file, function). Raises InputError if malformed, and for a missing file."""
    file, _, function = reference.rpartition(":")
    if not file.endswith(".py") or not function.isidentifier():
        raise InputError(f"{reference!r} names no function: write file.py:function, as in nets.py:build")
    path = Path(file).expanduser()
    if not path.is_file():
        raise InputError(f"{reference}: there is no file {path} (looked for in {Path.cwd()})")
    return path, function


def files(reference: str) -> list[str]:
    """Return the function's file and all files beside it that it imports, directly or not, sorted.

    Raises InputError as `parted` does, and for a file that is not valid Python.
    """
    first, _ = parted(reference)
    found, waiting = set(), [first]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for folder, name in _imported(path, first.parent):
            stem = folder.joinpath(*name.split("."))
            choices = (stem.with_name(f"{stem.name}.py"), stem / "__init__.py")
            waiting += [choice for choice in choices if choice.is_file()]
    return sorted(map(str, found))


def check(reference: str) -> None:
    """Raise InputError as `files` does, and if the file does not define this name; no code is run."""
    files(reference)
    path, function = parted(reference)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {getattr(node, "name", None) for node in tree.body}
    names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {
        alias.asname or alias.name
        for node in ast.walk(tree)
        for alias in getattr(node, "names", ())
        if isinstance(alias, ast.alias)
    }
    if function not in names and "*" not in names:
        known = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        raise InputError(f"{path} has no function {function}; it has {', '.join(known) or 'none'}")


def _imported(path: Path, top: Path) -> Iterator[tuple[Path, str]]:
    """Yield (folder to search, name) for every module, or possible module of a package, that a file imports.

    top: the folder of the first file, where absolute imports are looked up.
    """
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise InputError(f"{path}, line {error.lineno}: not valid Python ({error.msg})") from error
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((top, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            folder = path.parents[node.level - 1] if node.level else top
            if node.module:
                yield folder, node.module
            inner = f"{node.module}." if node.module else ""
            yield from ((folder, f"{inner}{alias.name}") for alias in node.names)


def digest(reference: str) -> str:
    """Return the SHA-256 of the function's source files, as listed by `files`."""
    found = hashlib.sha256()
    for file in files(reference):
        found.update(Path(file).read_bytes())
    return found.hexdigest()


def _place(error: Exception, path: Path) -> str:
    """Return "nets.py, line 12, in build: ", the innermost line in the user's folder that led to an error."""
    folder = path.parent.resolve()
    lines = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if folder in Path(frame.filename).resolve().parents
    ]
    return f"{Path(lines[-1].filename).name}, line {lines[-1].lineno}, in {lines[-1].name}: " if lines else ""


def _fits(reference: str, function: Callable, arguments: tuple) -> None:
    """Raise InputError for a function that cannot be called with these arguments."""
    try:
        signature = inspect.signature(function)
    except ValueError:
        return  # not written in Python: the call itself will show
    try:
        signature.bind(*arguments)
    except TypeError as error:
        number = f"with {len(arguments)} arguments" if arguments else "without arguments"
        raise InputError(
            f"{reference} is called {number}, which it does not accept ({error}): change it, or wrap it in a"
            " function that does"
        ) from error


@contextmanager
def _running(reference: str) -> Iterator[object]:
    """Run the user's file and give what it defines under that name, while files beside it can be imported.

    Raises InputError if it defines no such name, and for any error inside the block, with the user's line.
    """
    path, name = parted(reference)
    spec = present(importlib.util.spec_from_file_location(f"own_{path.stem}", path))
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.resolve()))
    sys.modules[spec.name] = module  # dataclasses look their module up by its name
    try:
        present(spec.loader).exec_module(module)
        if not hasattr(module, name):
            known = [name for name, value in vars(module).items() if callable(value)]
            near = difflib.get_close_matches(name, known, n=len(known), cutoff=0.0)
            raise InputError(f"{path} has no function {name}; it has {', '.join(near) or 'none'}")
        yield getattr(module, name)
    except InputError:
        raise
    except Exception as error:  # user code may raise anything
        raise InputError(f"{reference}: {_place(error, path)}{type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(path.parent.resolve()))


def load(reference: str) -> object:
    """Return the value of a name that a file defines, "file.py:NAME"; it runs the file, as `call` does."""
    with _running(reference) as value:
        return value


def call(reference: str, *arguments: object) -> object:
    """Call the function with these arguments; its file may import others beside it.

    This runs arbitrary code, so it is for the user's own files only. Raises InputError if there is no such
    function, and for any error inside it, with the line in the user's code.
    """
    with _running(reference) as function:
        if not callable(function):
            raise InputError(f"{reference} is no function, but {type(function).__name__}: name a function")
        _fits(reference, function, arguments)
        return function(*arguments)
