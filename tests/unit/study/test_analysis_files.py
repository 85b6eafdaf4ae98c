"""Analyses in files of one's own: what they declare, and what is refused."""

import os

import pytest
from studies import ROOT, corruption, load, refused

from directions.study import catalogue
from directions.study.deciding_files import Deciding
from directions.study.fingerprints import Ancestry

DECLARED = """
from dataclasses import dataclass
from directions.study.analysis_spec import AnalysisSpec, split_setting
from directions.study.settings import setting

@dataclass(frozen=True)
class Settings:
    split: str = split_setting("test")
    threshold: float = setting(0, "bound", {"type": "number", "description": "a number"})

def observe(trained, settings):
    import helper

SPEC = AnalysisSpec(
    table="sparseness", rows="one row per unit",
    settings=Settings, columns=(), cost=lambda settings, sizes: (1, 1.0),
)
"""
EXPERIMENT = "mnist_corruption"


@pytest.fixture
def file(tmp_path):
    """A file that declares the analysis `measure_sparseness`, and one that it imports."""
    (tmp_path / "helper.py").write_text("")
    made = tmp_path / "measure_sparseness.py"
    made.write_text(DECLARED)
    return made


def with_file(file, **settings):
    own = corruption(analyses=["ablate_cumulative", "add_noise", "measure_sparseness"], **settings)
    return {"analysis_files": [str(file)], **own}


def test_its_settings_have_the_defaults_that_it_declares_and_its_table_is_one_of_the_experiment(file):
    study = load(**with_file(file))
    experiment = study["experiments"][EXPERIMENT]
    assert experiment["measure_sparseness"] == {"split": "test", "threshold": 0.0}
    assert isinstance(experiment["measure_sparseness"]["threshold"], float)  # as if a config had said it
    assert "sparseness" in catalogue.tables_of(experiment["analyses"], study)
    study = load(**with_file(file, measure_sparseness={"threshold": 0.5}))
    assert study["experiments"][EXPERIMENT]["measure_sparseness"] == {"split": "test", "threshold": 0.5}


def test_without_it_nothing_changes(file):
    assert load()["experiments"] == load(analysis_files=[str(file)])["experiments"]


@pytest.mark.parametrize(("settings", "message"), [
    ({"treshold": 1}, "unknown key; did you mean threshold? (known here: split, threshold)"),
    ({"threshold": "high"}, "'high' is refused: allowed is a number"),
])  # fmt: skip
def test_wrong_settings_are_refused_as_those_of_any_analysis(file, settings, message):
    assert message in refused(**with_file(file, measure_sparseness=settings))


@pytest.mark.parametrize(("old", "new", "message"), [
    ("SPEC =", "SPECS =", "has no function SPEC"),
    ("def observe", "def look", "has no function observe; it has look"),
    ('table="sparseness"', 'table="units"', "there is a table units already: choose another name"),
    ("SPEC = AnalysisSpec(", "SPEC = dict(", "SPEC must be an AnalysisSpec, not dict"),
    ("def observe", "1 / 0\ndef observe", "measure_sparseness.py, line 11, in <module>: ZeroDivisionError"),
    ("columns=()", 'columns={"`unit`": "its index"}', "columns: '`unit`' is no Column: write share("),
    ("@dataclass(frozen=True)", "", "must be a dataclass of setting(default, help, values), not Settings"),
    ("settings=Settings", "settings={}", "must be a dataclass of setting(default, help, values), not dict"),
    ('= split_setting("test")', '= "test"', "split: declare it as setting(default, help, values)"),
    ("split_setting(\"test\")", "split_setting(\"tset\")", "split: its default 'tset' is not allowed"),
    ("AnalysisSpec(\n", "AnalysisSpec(", None),
])  # fmt: skip
def test_a_file_that_declares_no_analysis_is_refused_by_what_it_lacks(file, old, new, message):
    file.write_text(DECLARED.replace(old, new, 1))
    if message is None:
        load(**with_file(file))  # the others are refused for what was changed
        return
    assert message in refused(**with_file(file))


def test_names_that_are_taken_or_cannot_be_are_refused(file):
    taken = file.with_name("measure_units.py")
    taken.write_text(DECLARED)
    assert "there is an analysis measure_units already" in refused(analysis_files=[str(taken)])
    capital = file.with_name("Sparse.py")
    capital.write_text(DECLARED)
    assert "name the file with lower-case letters" in refused(analysis_files=[str(capital)])
    assert "there is no file nowhere.py" in refused(analysis_files=["nowhere.py"])
    assert "'x.py' is refused: allowed is a list of files, each" in refused(analysis_files="x.py")


def test_the_job_changes_with_the_file_and_with_those_that_it_imports_though_their_times_are_old(file):
    study = load(**with_file(file))
    names = {"experiment": EXPERIMENT, "run": "corrupt-0.0_seed-0"}

    def asked(analysis: str) -> str:
        return Ancestry(study, files=Deciding(ROOT, study)).asked(analysis, **names)

    seen, other = [asked("measure_sparseness")], asked("add_noise")
    for changed in (file, file.with_name("helper.py")):
        changed.write_text(changed.read_text() + "\n# changed")
        os.utime(changed, (0, 0))
        seen.append(asked("measure_sparseness"))
    assert len(set(seen)) == 3
    assert asked("add_noise") == other
