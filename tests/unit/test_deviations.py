"""Documents and code hold each other to their word: entries D1, D2 ..., paths and names."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEVIATIONS = ROOT / "docs/DEVIATIONS.md"
DOCUMENTS = [DEVIATIONS, ROOT / "docs/GLOSSARY.md", ROOT / "docs/EXTENDING.md", ROOT / "CONTRIBUTING.md"]
POINTING = ("src", "scripts", "tools", "rules", "configs", "config.yaml", "data/paper/claims.csv")
MADE_BY_READERS = (
    "mine",
    "own",
    "strokes",
    "conv2",
    "sparseness",
    "measure_sparseness",
)  # in docs/EXTENDING.md


def files() -> list[Path]:
    """Every text file that may point to an entry."""
    kinds = {".py", ".smk", ".yaml", ".csv"}
    found = []
    for name in POINTING:
        path = ROOT / name
        found += sorted(path.rglob("*")) if path.is_dir() else [path]
    return [path for path in found if path.is_file() and path.suffix in kinds]


def pointers() -> dict[str, list[str]]:
    """{entry: "file:line" of all that mention it}."""
    found: dict[str, list[str]] = {}
    for path in files():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            for entry in re.findall(r"\bD[1-9]\d*\b", line):
                found.setdefault(entry, []).append(f"{path.relative_to(ROOT)}:{number}")
    return found


def entries() -> list[str]:
    """The entries of docs/DEVIATIONS.md, in its order: headings such as "## D7. Estimator"."""
    return re.findall(r"^## (D\d+)\. \S", DEVIATIONS.read_text(encoding="utf-8"), re.MULTILINE)


def prose(path: Path) -> str:
    """A document with line breaks made blanks."""
    return " ".join(path.read_text(encoding="utf-8").split())


def test_entries_are_numbered_in_order_and_without_gaps():
    assert entries() == [f"D{number}" for number in range(1, len(entries()) + 1)]
    assert entries()


def test_every_pointer_in_code_and_config_leads_to_an_entry():
    astray = {entry: places for entry, places in pointers().items() if entry not in entries()}
    assert astray == {}


def test_every_entry_is_pointed_to_from_code_or_config():
    assert [entry for entry in entries() if entry not in pointers()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_documents_name_is_there(path):
    """Every path in backquotes exists, and "`name` in `path`" names something that the file contains."""
    text = prose(path)
    named = r"(?:src|scripts|tools|rules|configs|data|tests|docs|report)/[\w./]+\.\w+|config\.yaml"
    for place in re.findall(rf"`({named})`", text):
        if Path(place).stem not in MADE_BY_READERS:
            assert (ROOT / place).is_file(), place
    for name, place in re.findall(rf"`(\w+)` (?:in|of) `({named})`", text):
        if Path(place).stem not in MADE_BY_READERS:
            assert re.search(rf"\b{name}\b", (ROOT / place).read_text(encoding="utf-8")), (name, place)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documents_mention_no_unknown_entry(path):
    assert set(re.findall(r"\bD[1-9]\d*\b", prose(path))) <= set(entries())


def test_numbers_of_claims_are_generated_and_not_typed():
    """The last section points to the page that `make results` writes, and holds no row of a claim itself."""
    last = DEVIATIONS.read_text(encoding="utf-8").split("\n## ")[-1]
    assert "[RESULTS.md](RESULTS.md)" in last
    assert "`make results`" in last
    assert not re.search(r"^\| `fig", last, re.MULTILINE)
