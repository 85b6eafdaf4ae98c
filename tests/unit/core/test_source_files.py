"""Which files a script runs: all modules that it imports, itself or through others."""

from pathlib import Path

import pytest

from directions.core.errors import InputError
from directions.core.source_files import code_of
from directions.study.catalogue import ANALYSES

ROOT = Path(__file__).parents[3]


@pytest.fixture
def tree(tmp_path):
    """A little repository in which every way to import a module occurs."""
    files = {
        "scripts/draw.py": "import numpy\nfrom directions.tables import read\nfrom directions import style\n",
        "src/directions/__init__.py": "NAME = 'x'\n\n\ndef call(): pass\n",
        "src/directions/tables.py": "def read():\n    import directions.deep.low as low\n    return low\n",
        "src/directions/style.py": "import os.path\nfrom . import NAME, call, colours\n",
        "src/directions/colours.py": "",
        "src/directions/unused.py": "raise SystemExit\n",
        "src/directions/deep/__init__.py": "from .high import up\n",
        "src/directions/deep/high.py": "from ..seeds import stream as up\n",
        "src/directions/deep/low.py": "from directions.deep import low, high  # in a circle\n",
        "src/directions/seeds.py": "def stream(): pass\n",
        "src/directions/figures/__init__.py": "",
        "src/directions/figures/fig1a.py": "from directions.figures import panel\n",
        "src/directions/figures/panel.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


FOUND = [
    "scripts/draw.py",
    "src/directions/__init__.py",
    "src/directions/colours.py",
    "src/directions/deep/__init__.py",
    "src/directions/deep/high.py",
    "src/directions/deep/low.py",
    "src/directions/seeds.py",
    "src/directions/style.py",
    "src/directions/tables.py",
]


@pytest.mark.parametrize("absolute", [True, False])
def test_all_imported_modules_are_found(tree, absolute):
    script = tree / "scripts/draw.py" if absolute else Path("scripts/draw.py")
    assert code_of(script, tree) == FOUND


def test_modules_named_at_run_time(tree):
    extra = ("directions.figures.fig1a",)
    figures = [f"src/directions/figures/{name}.py" for name in ("__init__", "fig1a", "panel")]
    assert code_of("scripts/draw.py", tree, extra) == [FOUND[0], *sorted(FOUND[1:] + figures)]


@pytest.mark.parametrize(
    "around",
    [
        "if NAME:\n    pass\nelse:\n    {}",
        "try:\n    pass\nexcept OSError:\n    {}",
        "try:\n    pass\nfinally:\n    with call():\n        {}",
        "class Late:\n    async def load(self):\n        while True: {}",
        "match NAME:\n    case 'x':\n        {}",
    ],
)
def test_an_import_is_found_at_whatever_depth(tree, around):
    (tree / "src/directions/colours.py").write_text(around.format("import directions.unused") + "\n")
    assert "src/directions/unused.py" in code_of("scripts/draw.py", tree)


def test_calls_that_share_what_is_known_find_the_same_and_read_no_file_twice(tree):
    known = {}
    assert code_of("scripts/draw.py", tree, known=known) == FOUND
    for path in FOUND:
        (tree / path).write_text("not valid Python")
    figures = [f"src/directions/figures/{name}.py" for name in ("__init__", "fig1a", "panel")]
    extra = ("directions.figures.fig1a",)
    assert code_of("scripts/draw.py", tree, extra, known) == [FOUND[0], *sorted(FOUND[1:] + figures)]


def test_a_changed_import_is_seen_at_once(tree):
    assert "src/directions/unused.py" not in code_of("scripts/draw.py", tree)
    (tree / "src/directions/colours.py").write_text("import directions.unused\n")
    assert "src/directions/unused.py" in code_of("scripts/draw.py", tree)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("import directions.gone", "imports directions.gone, but src/directions/gone.py does not exist"),
        (
            "from directions.gone import x",
            "imports directions.gone, but src/directions/gone.py does not exist",
        ),
        ("from directions.deep.gone import x", "src/directions/deep/gone.py does not exist"),
        ("from directions import gone", "imports gone from directions, which has no such module or name"),
        ("from . import gone", "imports gone from directions, which has no such module or name"),
        ("def broken(:", "line 1: not valid Python"),
    ],
)
def test_what_cannot_be_found_is_named_with_its_importer(tree, line, message):
    (tree / "src/directions/colours.py").write_text(line + "\n")
    with pytest.raises(InputError) as caught:
        code_of("scripts/draw.py", tree)
    assert message in str(caught.value)
    assert "src/directions/colours.py" in str(caught.value)


def test_a_missing_script_or_extra_module(tree):
    with pytest.raises(InputError, match="scripts/gone.py does not exist"):
        code_of("scripts/gone.py", tree)
    with pytest.raises(
        InputError, match=r"directions.figures.fig9, but src/directions/figures/fig9.py does not"
    ):
        code_of("scripts/draw.py", tree, extra=("directions.figures.fig9",))


@pytest.mark.parametrize("analysis", ANALYSES)
def test_an_analysis_runs_no_code_that_lists_figures_analyses_or_settings(analysis):
    found = code_of("scripts/analyse.py", ROOT, [f"directions.analyses.{analysis}"])
    others = {f"src/directions/analyses/{name}.py" for name in ANALYSES if name != analysis}
    lists = {
        f"src/directions/{name}.py"
        for name in (
            "figures/__init__",
            "study/catalogue",
            "study/run_table",
            "core/recipe",
            "core/display_names",
        )
    }
    assert not lists & set(found), "a new figure or study would redo every analysis"
    assert not others & set(found), "a change to one analysis would redo another"


def test_every_script_of_the_repository_can_be_followed():
    scripts = [*(ROOT / "scripts").glob("*.py"), *(ROOT / "tools").glob("*.py")]
    assert scripts
    for script in scripts:
        found = code_of(script, ROOT)
        assert found[0] == f"{script.parent.name}/{script.name}"
        assert "src/directions/__init__.py" in found
        assert all((ROOT / path).is_file() for path in found)
