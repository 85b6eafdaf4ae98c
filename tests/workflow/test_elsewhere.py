"""The workflow run from another folder, and as a module of another workflow (docs/MODULE.md)."""

import shutil
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import pythons
import yaml
from checkouts import ROOT, Checkout, checkout, counted

from directions.core.tables import csv

ANALYSIS = '''
"""The number of units of each layer."""

from dataclasses import dataclass

from directions.core.columns import count
from directions.study.analysis_spec import LAYER, AnalysisSpec


@dataclass(frozen=True)
class Settings:
    """It has none."""


SPEC = AnalysisSpec(
    table="sizes",
    rows="one row per layer",
    settings=Settings,
    columns=(LAYER, count("units", "of the layer")),
    cost=lambda settings, sizes: (1, 1.0),
    resumes=False,
)


def observe(trained, settings):
    import pandas

    return pandas.DataFrame(list(trained.layers.items()), columns=["layer", "units"])
'''
FIGURE = "results/mini/figures/fig1a.png"
SIZES = "results/mini/tables/mnist_corruption/sizes.csv"
JOBS = {
    "prepare_data": 1,
    "corrupt_labels": 1,
    "train": 1,
    "ablate_cumulative": 1,
    "measure_areas": 1,
    "fig1a": 1,
}


class Elsewhere:
    """A folder of a user's, `mine`, beside a checkout, `directions`."""

    def __init__(self, parent: Path):
        self.parent, self.folder = parent, parent / "mine"
        self.project = Checkout(parent / "directions")

    def snakemake(self, *words: str) -> CompletedProcess[str]:
        return pythons.run([sys.executable, "-m", "snakemake", "--cores", "2", *words], self.folder)

    def study(self, *words: str, targets: tuple[str, ...] = ("fig1a", SIZES)) -> CompletedProcess[str]:
        """The study in this folder, by the checkout's own Snakefile."""
        config = ["--config", "study=mini", "figures=fig1a"]
        done = self.snakemake(*words, "--snakefile", "../directions/Snakefile", *config, "--", *targets)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def jobs(self) -> dict[str, int]:
        done = self.study("--dry-run")
        return counted(done.stdout + done.stderr)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Elsewhere:
    """The example's study, with an analysis of the user's own, run from the user's folder."""
    parent = tmp_path_factory.mktemp("elsewhere")
    (parent / "directions").mkdir()
    checkout(parent / "directions")
    shutil.copytree(ROOT / "examples/module", parent / "mine", ignore=shutil.ignore_patterns("__pycache__"))
    made = Elsewhere(parent)
    (made.folder / "sizes.py").write_text(ANALYSIS)
    study = yaml.safe_load((made.folder / "configs/mini.yaml").read_text()) | {"analysis_files": ["sizes.py"]}
    study["experiments"]["mnist_corruption"]["analyses"].append("sizes")
    (made.folder / "configs/mini.yaml").write_text(yaml.safe_dump(study))
    assert made.jobs() == JOBS | {"sizes": 1, "collect": 3}
    made.study()
    return made


@pytest.fixture
def elsewhere(drawn, tmp_path) -> Elsewhere:
    """A copy of both folders, in another place."""
    return Elsewhere(shutil.copytree(drawn.parent, tmp_path / "copy", symlinks=True))


def test_all_results_are_in_the_folder_and_none_in_the_checkout(drawn):
    assert (drawn.folder / FIGURE).read_bytes().startswith(b"\x89PNG")
    [row] = csv(drawn.folder / SIZES).to_dict("records")
    assert (row["run"], row["layer"], row["units"]) == ("corrupt-0.0_seed-0", "relu1", 4)
    assert (drawn.folder / "data/bars.safetensors").is_file()
    for name in ("results", "logs", "benchmarks", ".snakemake", "data/bars.safetensors"):
        assert not (drawn.project.folder / name).exists(), name


def test_a_second_run_does_nothing(drawn):
    assert drawn.jobs() == {}


def test_both_folders_may_move_and_changed_code_redoes_its_jobs(elsewhere):
    own = {"sizes": 1, "collect": 1}  # its file is known by its absolute path
    assert elsewhere.jobs() == own
    elsewhere.study()
    assert elsewhere.jobs() == {}
    elsewhere.project.edit("src/directions/training/loop.py", "from ", "# a comment\nfrom ")
    assert elsewhere.jobs() == {}
    elsewhere.project.edit("src/directions/figures/fig1a.py", "from ", "# a comment\nfrom ")
    assert elsewhere.jobs() == {"fig1a": 1}
    with (elsewhere.folder / "sizes.py").open("a") as file:
        file.write("# a comment\n")
    assert elsewhere.jobs() == own | {"fig1a": 1}


def test_as_a_module_it_goes_on_where_its_own_snakefile_ended_and_leaves_other_rules_alone(elsewhere):
    config = elsewhere.folder / "config/config.yaml"
    config.write_text(config.read_text().replace("checkout: ../..", "checkout: ../directions"))
    planned = elsewhere.snakemake("--dry-run", "--quiet", "rules")
    assert counted(planned.stdout + planned.stderr) == {"count_networks": 1}, planned.stdout + planned.stderr
    before = (elsewhere.folder / FIGURE).read_bytes()
    (elsewhere.folder / FIGURE).unlink()
    done = elsewhere.snakemake()
    assert done.returncode == 0, done.stdout + done.stderr
    assert (elsewhere.folder / FIGURE).read_bytes() == before
    result = elsewhere.folder / "results/networks.txt"
    assert result.read_text().split() == ["1"]
    result.write_text("2\n")  # by hand, which is no fault in a rule of the user's
    again = elsewhere.snakemake("--dry-run")
    assert counted(again.stdout + again.stderr) == {}, again.stdout + again.stderr


def test_a_study_of_the_checkout_s_name_is_refused(elsewhere):
    (elsewhere.folder / "configs/quick.yaml").write_text("{}\n")
    words = ["--dry-run", "--snakefile", "../directions/Snakefile", "--config", "study=quick"]
    done = elsewhere.snakemake(*words)
    assert done.returncode != 0
    assert "study: quick is also one of" in done.stdout + done.stderr
