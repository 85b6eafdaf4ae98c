"""Docstrings of what users import: complete, in Google's form, and their examples print what they say."""

import ast
import doctest
import importlib
import inspect
import re
from dataclasses import fields, is_dataclass

import pytest
from checkouts import ROOT

import directions
from directions.analyses.network import Trained
from directions.result import Analysis
from directions.study import settings

FIGURES = "directions.figures"  # helpers for figures, which have other figures as examples


def imports() -> set[tuple[str, str]]:
    """Every (module, name) that docs/EXTENDING.md has users import; of a module, what they use of it."""
    text = (ROOT / "docs/EXTENDING.md").read_text(encoding="utf-8")
    files = text.partition("\n## A claim\n")[0]  # a claim adds lines to files that exist
    found = set()
    for indent, code in re.findall(r"^( *)```python\n(.*?)^ *```$", files, re.M | re.S):
        tree = ast.parse(re.sub(f"^{indent}", "", code, flags=re.M))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("directions."):
                found |= {of for alias in node.names for of in used(tree, node.module, alias.name)}
    return {(module, name) for module, name in found if not module.startswith(FIGURES)}


def used(tree: ast.AST, package: str, name: str) -> list[tuple[str, str]]:
    """The name itself or, if it is a module, each attribute of it in the code."""
    value = getattr(importlib.import_module(package), name, None)
    if value is not None and not inspect.ismodule(value):
        return [(package, name)]
    inside = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return [(f"{package}.{name}", node.attr) for node in inside if ast.unparse(node.value) == name]


def members(made: type) -> dict[str, object]:
    """{name: method or property} of a class that users get, not make."""
    return {f"{made.__name__}.{name}": value for name, value in vars(made).items() if name[0] != "_"}


def public() -> dict[str, object]:
    """{name: function, class, method or property} that users import or get."""
    found = {name: getattr(directions, name) for name in directions.__all__}
    found |= {name: getattr(importlib.import_module(module), name) for module, name in sorted(imports())}
    shorthands = {value for value in vars(settings).values() if inspect.isfunction(value)}
    shorthands = {value for value in shorthands if value.__annotations__.get("return") is settings.Values}
    found |= {value.__name__: value for value in sorted(shorthands, key=lambda value: value.__name__)}
    found |= {made.__name__: made for made in (Analysis, Trained)} | members(Analysis) | members(Trained)
    kinds = (inspect.isfunction, inspect.isclass, inspect.isdatadescriptor)  # neither constants nor aliases
    return {name: value for name, value in found.items() if any(kind(value) for kind in kinds)}


PUBLIC = public()


def sections(docstring: str) -> dict[str, str]:
    """{heading: text} of a docstring in Google's form."""
    parts = re.split(r"^(Args|Attributes|Returns|Raises|Example):\n", docstring, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def arguments(value: object) -> set[str]:
    """What must be described: the fields of a dataclass or the parameters of a function."""
    if is_dataclass(value):
        return {field.name for field in fields(value)}
    if isinstance(value, property):
        return set()
    return set(inspect.signature(value).parameters) - {"self"}


def returns(value: object) -> bool:
    """Whether a function or method returns something; what a property is, its first line says."""
    return inspect.isfunction(value) and inspect.signature(value).return_annotation not in (None, "None")


def raises(value: object) -> bool:
    """Whether a function, or a class when it is called, raises an error itself."""
    code = getattr(value, "__post_init__", None) if inspect.isclass(value) else value
    code = code.fget if isinstance(code, property) else code
    return code is not None and "raise " in inspect.getsource(code)


@pytest.mark.parametrize("name", PUBLIC)
def test_arguments_results_errors_and_an_example_are_there(name):
    value = PUBLIC[name]
    found = sections(inspect.getdoc(value))
    described = found.get("Args", "") + found.get("Attributes", "")
    assert arguments(value) == set(re.findall(r"^    (\w+): ", described, re.M)) & arguments(value)
    assert "Returns" in found or not returns(value)
    assert "Raises" in found or not raises(value)
    assert ">>> " in found["Example"]


@pytest.mark.parametrize("name", PUBLIC)
def test_the_example_prints_what_it_says_and_imports_what_it_needs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    [example] = doctest.DocTestFinder(recurse=False).find(PUBLIC[name], name, globs={})
    said: list[str] = []
    found = doctest.DocTestRunner().run(example, out=said.append)
    assert not found.failed, "".join(said)
    assert found.attempted


def test_editors_see_the_same_names_as_python():
    stub = ast.parse((ROOT / "src/directions/__init__.pyi").read_text(encoding="utf-8"))
    imported = [
        alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names
    ]
    assert imported == directions.__all__
