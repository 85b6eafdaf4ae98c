"""Functions in the user's own files, named as `file.py:function`."""

import ast
import difflib
import hashlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
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
        for folder, name in _imported(path, first.parent):
            stem = folder.joinpath(*name.split("."))
            choices = (stem.with_name(f"{stem.name}.py"), stem / "__init__.py")
            waiting += [choice for choice in choices if choice.is_file()]
    return sorted(map(str, found))


def check(reference: str) -> None:
    """Raise InputError as `files` does, and where the file binds no such name; nothing is run for it."""
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
    """(folder to look in, name) of modules that a file imports, and of what may be modules in a package.

    top: the folder of the first file, where names without a leading dot are looked for.
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
    """Stands for the content of `files`."""
    found = hashlib.sha256()
    for file in files(reference):
        found.update(Path(file).read_bytes())
    return found.hexdigest()


def _place(error: Exception, path: Path) -> str:
    """ "nets.py, line 12, in build: " of the last line in the user's folder that led to an error."""
    folder = path.parent.resolve()
    lines = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if folder in Path(frame.filename).resolve().parents
    ]
    return f"{Path(lines[-1].filename).name}, line {lines[-1].lineno}, in {lines[-1].name}: " if lines else ""


def _fits(reference: str, function: Callable, arguments: tuple) -> None:
    """Raise InputError for a function that cannot be called with so many arguments."""
    try:
        signature = inspect.signature(function)
    except ValueError:
        return  # one that is not written in Python: calling it will tell
    try:
        signature.bind(*arguments)
    except TypeError as error:
        number = f"with {len(arguments)} arguments" if arguments else "without arguments"
        raise InputError(
            f"{reference} is called {number}, and does not take that ({error}): change it, or wrap it in a"
            " function that does"
        ) from error


def call(reference: str, *arguments: object) -> object:
    """What the function returns, called with these arguments; its file may import others beside it.

    It runs code, so it is for files of the user's own. Raises InputError where there is no such function, and
    for whatever goes wrong inside it, with the user's line at which it did.
    """
    path, function = parted(reference)
    spec = importlib.util.spec_from_file_location(f"own_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.resolve()))
    sys.modules[spec.name] = module  # dataclasses look their module up by its name
    try:
        spec.loader.exec_module(module)
        if not callable(found := getattr(module, function, None)):
            known = [name for name, value in vars(module).items() if callable(value)]
            near = difflib.get_close_matches(function, known, n=len(known), cutoff=0.0)
            raise InputError(f"{path} has no function {function}; it has {', '.join(near) or 'none'}")
        _fits(reference, found, arguments)
        return found(*arguments)
    except InputError:
        raise
    except Exception as error:  # a user's code may raise anything
        raise InputError(f"{reference}: {_place(error, path)}{type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(path.parent.resolve()))
