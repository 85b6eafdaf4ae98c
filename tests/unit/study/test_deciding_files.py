"""The files that decide a job: other content moves what the job is asked, whatever the time of the file."""

import os
import shutil
from pathlib import Path

import pytest

from directions.study.catalogue import PAPER_CURVES
from directions.study.deciding_files import CLAIMS, Deciding

ROOT = Path(__file__).parents[3]
JOBS = {
    "noise": ("add_noise", {}),
    "areas": ("areas", {}),
    "fig1a": ("figure", {"figure": "fig1a", "paper_curves": [PAPER_CURVES.format(figure="fig1a")]}),
    "fig7a": ("figure", {"figure": "fig7a"}),
    "claims": ("claims", {"figures": {"fig1a": "mnist_corruption", "figA1": "conv_corruption"}}),
    "train": ("train", {}),
    "labels": ("labels", {"dataset": "mnist"}),
    "mnist": ("data", {"dataset": "mnist"}),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A copy of all code and of the paper's numbers."""
    made = tmp_path_factory.mktemp("root")
    for folder in ("scripts", "src/directions", "data/paper"):
        shutil.copytree(ROOT / folder, made / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return made


def digests(root):
    found = Deciding(root)
    return {job: found(*asked) for job, asked in JOBS.items()} | {"own import": found.own("import")}


@pytest.mark.parametrize(("path", "moved"), [
    ("src/directions/interventions/noise.py", {"noise"}),
    ("src/directions/analyses/auc.py", {"areas"}),
    ("src/directions/figures/fig1a.py", {"fig1a"}),
    ("src/directions/figures/style.py", {"fig1a", "fig7a"}),
    ("src/directions/analyses/describe.py", {"own import"}),
    ("src/directions/training/loop.py", set()),  # has a RECIPE number
    (PAPER_CURVES.format(figure="fig1a"), {"fig1a", "claims"}),
    (PAPER_CURVES.format(figure="fig7a"), set()),  # these jobs do not read it
    (CLAIMS, {"claims"}),
])  # fmt: skip
def test_a_file_that_changed_moves_the_jobs_that_read_it_though_its_time_is_old(root, path, moved):
    before, text = digests(root), (root / path).read_bytes()
    (root / path).write_bytes(text + b"\n")
    os.utime(root / path, (0, 0))
    try:
        after = digests(root)
    finally:
        (root / path).write_bytes(text)
    assert {job for job in before if before[job] != after[job]} == moved
    assert digests(root) == before
    assert {job for job, digest in before.items() if not digest} == {"train", "labels", "mnist"}


def test_a_folder_of_images_is_told_by_the_state_of_its_files(root, tmp_path):
    settings = {"dataset": "imagefolder", "path": str(tmp_path / "photos"), "size": 8}
    asked = Deciding(root)
    assert asked("data", settings) == ""  # of a clone without them nothing is known
    (tmp_path / "photos/train/a").mkdir(parents=True)
    (tmp_path / "photos/train/a/1.png").write_bytes(b"one")
    states = [asked("data", settings)]
    (tmp_path / "photos/train/a/1.png").write_bytes(b"other")
    states.append(asked("data", settings))
    (tmp_path / "photos/train/a/2.png").write_bytes(b"one")
    states.append(asked("data", settings))
    assert len(set(states)) == 3
    (tmp_path / "photos/train/a/3.png").symlink_to("/nowhere/x.png")
    assert "3.png is a broken link" in asked("data", settings)  # the job will say it, too
