"""A checkout of the project with a tiny study on real MNIST, and what a dry run says there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pythons
import yaml

from directions.data.registry import KNOWN

ROOT = Path(__file__).parents[1]

TINY = """
defaults:
  training: {images: 200, hidden: [12, 8], epochs: 3, evaluate_every: 1, learning_rate: 0.05, batch: 20}
  ablate_cumulative: {orderings: 3, points: 5}
  ablate_checkpoints: {orderings: 2, points: 3}
  add_noise: {repeats: 2, points: 3}
  measure_units: {bins: 4, shuffles: 2}
experiments:
  mnist_corruption:
    training: {hidden: [12, 8]}
    vary: {corrupt: [0.0, 1.0], seed: [0]}
  mnist_selectivity:
    training: {hidden: [12, 8], keep_epochs: [0, 3]}
    vary: {seed: [0]}
    analyses: [ablate_single, measure_units, ablate_checkpoints]
  conv_corruption:
    training: {dataset: mnist, images: 60, pad: 2, width: 0.05, epochs: 1, batch: 20}
    vary: {corrupt: [0.0], seed: [0]}
    analyses: [ablate_cumulative]
    ablate_cumulative: {points: 5}
    add_noise: null
"""
FIGURES = {  # of the tiny study: every kind of job but select_settings, which would need a sweep of networks
    "fig1a": "mnist_corruption", "fig1b": "conv_corruption", "fig2a": "mnist_corruption",
    "fig4a": "mnist_selectivity", "fig7a": "mnist_selectivity",
}  # fmt: skip


def tiny() -> str:
    """The tiny study: `TINY` over the paper's, without the paper's other experiments and figures."""
    paper = yaml.safe_load((ROOT / "configs/paper.yaml").read_text())
    study = yaml.safe_load(TINY)
    gone = [f"  {name}: null\n" for name in paper["experiments"] if name not in study["experiments"]]
    draw = dict.fromkeys(paper["draw"]) | FIGURES
    drawn = [f"  {figure}: {name or 'null'}\n" for figure, name in draw.items()]
    return "".join([TINY, *gone, "draw:\n", *drawn])


def counted(said: str) -> dict[str, int]:
    """{rule: number of jobs} in the last table of what Snakemake said; {} where there was nothing to do."""
    if "Nothing to be done" in said:
        return {}
    table = said.rsplit("Job stats:", 1)[1].split("total")[0]
    found = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}
    found.pop("all", None)
    return found


def graph(said: str) -> dict[str, tuple[set[str], set[str]]]:
    """{output: (all outputs, all inputs of its job)} of a dry run that lists every job."""
    found = {}
    for job in re.split(r"^(?:local)?rule \w+:\n", said, flags=re.MULTILINE)[1:]:
        lists = dict(re.findall(r"^ {4}(input|output): (.*)$", job, re.MULTILINE))
        files = {kind: set(names.split(", ")) for kind, names in lists.items()}
        for path in files.get("output", ()):
            found[path] = (files["output"], files.get("input", set()))
    return found


class Checkout:
    """A folder with the project in it."""

    def __init__(self, folder: Path):
        self.folder = folder

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
        return pythons.run(command, self.folder)

    def jobs(self, *targets: str, config: tuple[str, ...] = ()) -> dict[str, int]:
        """{rule: number of jobs} that a dry run lists; {} where there is nothing to do."""
        asked = ["--config", *config] if config else []
        done = self.snakemake("--dry-run", *asked, "--", *targets)
        assert done.returncode == 0, done.stdout + done.stderr
        return counted(done.stdout + done.stderr)

    def take_mnist(self) -> None:
        """Use the files of real MNIST that this checkout has; without them the study fetches its own.

        Another test may be fetching them: a file that has its name is complete.
        """
        folder = self.folder / "data/raw/mnist"
        for file in KNOWN["mnist"].raw.files:
            if (ROOT / "data/raw/mnist" / file.name).is_file():
                folder.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / "data/raw/mnist" / file.name, folder)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace `old`, which must be there, in a file.

        What Python kept of it goes as well: of two edits of one size in one second, it would keep the first.
        """
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new))
        for kept in file.parent.glob(f"__pycache__/{file.stem}.*.pyc"):
            kept.unlink()

    def write_study(self, study: dict) -> None:
        """Make this the tiny study, without the paper's other experiments and figures."""
        paper = yaml.safe_load((ROOT / "configs/paper.yaml").read_text())
        only = {key: dict.fromkeys(paper[key]) | study[key] for key in ("experiments", "draw")}
        (self.folder / "configs/tiny.yaml").write_text(yaml.safe_dump(study | only))


def checkout(folder: Path) -> Checkout:
    """The tracked and untracked files of this checkout, without what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for name in listed:
        if (ROOT / name).is_file() or (ROOT / name).is_symlink():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    (folder / "configs/tiny.yaml").write_text(tiny())
    made = Checkout(folder)
    made.edit("config.yaml", "study: quick", "study: tiny ")
    return made
