"""docs/EXTENDING.md, followed to the letter: its code goes where it says, and does what it promises."""

import hashlib
import re

import numpy as np
import pytest
from checkouts import ROOT, Checkout, checkout
from sklearn.datasets import load_digits

from directions.core import tables as table_files

TEXT = (ROOT / "docs/EXTENDING.md").read_text(encoding="utf-8")


def blocks(section: str, language: str = "") -> list[str]:
    """The code blocks of a section in one language, their indentation removed."""
    [text] = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.M | re.S)
    return [re.sub(rf"^{indent}", "", code, flags=re.M) for indent, code in found]


def insert(made: Checkout, path: str, line: str, new: str) -> None:
    """Put `new` behind the one line of a file that is or begins with `line`."""
    [old] = re.findall(rf"^{re.escape(line)}.*\n", (made.folder / path).read_text(), re.M)
    made.edit(path, old, old + new)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Checkout:
    return checkout(tmp_path_factory.mktemp("extending"))


def test_the_study_of_ones_own_can_be_run_as_it_stands(made):
    [study] = blocks("Another seed, corruption level, size: your own study", "yaml")
    (made.folder / "configs/mine.yaml").write_text(study)
    planned = made.jobs("all", config=("study=mine", "figures=fig1a,fig2a,fig7a"))
    assert planned["train"] == 3 * 2 + 2
    assert planned["fig7a"] == 1


def add_own_files(made: Checkout) -> None:
    """The files of the recipes that need nothing else: outside the package, in a folder of the user's."""
    mine = made.folder / "mine"
    mine.mkdir()
    code, *_ = blocks("A network of your own", "python")  # then a call
    (mine / "strokes.py").write_text(code)
    np.savez(mine / "strokes.npz", **strokes())
    [code] = blocks("A model", "python")
    (mine / "nets.py").write_text(code)


OWN_STUDY = """
datasets: {strokes: mine/strokes.py:read}
models: {conv2: {build: mine/nets.py:conv2}}
experiments:
  mnist_corruption:
    training: {dataset: strokes, model: conv2, hidden: null, images: 300, epochs: 3, batch: 20}
    vary: {corrupt: [0.0, 1.0], seed: [0]}
    ablate_cumulative: {orderings: 2, points: 5}
"""
FROM_NETWORKS = {
    "train": 2,
    "ablate_cumulative": 2,
    "collect": 2,
    "measure_areas": 1,
    "fig1a": 1,
    "check_claims": 1,
}


def test_a_data_set_and_a_model_take_a_file_and_a_line_each(made):
    add_own_files(made)
    (made.folder / "configs/ours.yaml").write_text(OWN_STUDY)
    asked = ("study=ours", "figures=fig1a")
    done = made.snakemake("--config", *asked, "--", "all")
    assert done.returncode == 0, done.stdout + done.stderr
    runs = table_files.csv(made.folder / "results/ours/tables/mnist_corruption/runs.csv")
    assert set(runs["dataset"] + " " + runs["model"]) == {"strokes conv2"}
    assert set(runs["units"]) == {8 + 16}
    assert set(runs["test_images"]) == {397}
    assert made.jobs("all", config=asked) == {}
    made.edit("configs/ours.yaml", "nets.py:conv2}", "nets.py:conv2, layers: [relu2]}")
    again = {name: number for name, number in FROM_NETWORKS.items() if name != "train"} | {"collect": 1}
    assert made.jobs("all", config=asked) == again  # training does not ask which layers have units
    assert made.snakemake("--config", *asked, "--", "all").returncode == 0
    curves = table_files.csv(made.folder / "results/ours/tables/mnist_corruption/ablation.csv")
    assert set(curves["units"]) == {16}
    made.edit("mine/nets.py", "conv1=nn.Conv2d(channels, 8,", "conv1=nn.Conv2d(channels, 8, ")
    assert made.jobs("all", config=asked) == FROM_NETWORKS
    made.edit("mine/strokes.py", "archive[name]", "archive[name] ")
    assert made.jobs("all", config=asked) == FROM_NETWORKS | {"prepare_data": 1, "corrupt_labels": 2}


def strokes() -> dict[str, np.ndarray]:
    """Drawings of 8 x 8 pixels, as many as the recipe has."""
    digits = load_digits()
    images, labels = (digits.images[:, None] * 15).astype("uint8"), digits.target.astype("int64")
    return {
        "train_images": images[:1400], "train_labels": labels[:1400],
        "test_images": images[1400:], "test_labels": labels[1400:],
    }  # fmt: skip


def add_data_set(made: Checkout) -> None:
    [code] = blocks("A data set", "python")
    raw = made.folder / "data/raw/strokes/strokes.npz"
    raw.parent.mkdir(parents=True)
    np.savez(raw, **strokes())
    digest = hashlib.md5(raw.read_bytes()).hexdigest()
    (made.folder / "src/directions/data/strokes.py").write_text(code.replace("<its MD5>", digest))
    registry = "src/directions/data/registry.py"
    insert(made, registry, "from directions.data.mnist", "from directions.data.strokes import STROKES\n")
    made.edit(registry, "(MNIST, ", "(STROKES, MNIST, ")
    insert(made, "config.yaml", "  imagefolder: [local]", "  strokes: [local]\n")
    insert(made, "src/directions/core/display_names.py", "DATASETS = {", '    "strokes": "Strokes",\n')


def add_model(made: Checkout) -> None:
    [code] = blocks("A model", "python")
    (made.folder / "src/directions/models/conv2.py").write_text(code)
    models = "src/directions/models/__init__.py"
    insert(made, models, "from directions.models.conv11", "from directions.models.conv2 import conv2\n")
    insert(made, models, "MODELS: dict", '    "conv2": conv2,\n')
    [entry] = re.findall(r'`("conv2": Architecture\(.*?\))`\.', TEXT)
    insert(made, "src/directions/study/architectures.py", "ARCHITECTURES: dict", f"    {entry},\n")


def add_analysis(made: Checkout) -> None:
    [code] = blocks("An analysis", "python")
    (made.folder / "mine").mkdir(exist_ok=True)
    (made.folder / "mine/measure_sparseness.py").write_text(code)


def add_figure(made: Checkout) -> None:
    [code] = blocks("A figure", "python")
    made.edit(
        "src/directions/study/catalogue.py",
        '    "figA4e": _IMPORTANCE,\n',
        '    "figA4e": _IMPORTANCE,\n    "sparseness": ("runs", "sparseness"),\n',
    )
    (made.folder / "src/directions/figures/sparseness.py").write_text(code)
    (made.folder / "report/sparseness.rst").write_text("**Sparseness.** As drawn.\n")
    insert(made, "profiles/slurm/config.yaml", "  figA4e: *figures", "  sparseness: *figures\n")


def add_claim(made: Checkout) -> None:
    [row], [code] = blocks("A claim"), blocks("A claim", "python")
    claims = made.folder / "data/paper/claims.csv"
    claims.write_text(claims.read_text() + row)
    function, entry = re.split(r"^# in .*\n", code, flags=re.M)[1:]
    units = made.folder / "src/directions/claims/statistics/units.py"
    units.write_text(f"{units.read_text()}\n\n{function}")
    insert(made, "src/directions/claims/statistics/registry.py", "_OF_UNITS = {", entry)


STUDY = """
analysis_files: [mine/measure_sparseness.py]
experiments:
  mnist_corruption:
    training: {dataset: strokes, model: conv2, hidden: null, images: 300, epochs: 3, batch: 20}
    vary: {corrupt: [0.0, 1.0], seed: [0]}
    ablate_cumulative: {orderings: 2, points: 5}
    analyses: [ablate_cumulative, measure_sparseness]
draw:
  sparseness: mnist_corruption
"""
NEW = {"measure_sparseness": 2, "collect": 1, "sparseness": 1}
LISTED = {"fig1a": 1, "check_claims": 1}  # these run code that lists all figures


def test_data_set_model_analysis_figure_and_claim_work_as_described(made):
    add_data_set(made)
    add_model(made)  # under the same name, but as a part of the package
    before = STUDY.replace(", measure_sparseness", "").split("draw:")[0].split("\n", 2)[2]
    (made.folder / "configs/added.yaml").write_text(before)
    done = made.snakemake("--config", "study=added", "figures=fig1a", "--", "all")
    assert done.returncode == 0, done.stdout + done.stderr

    add_analysis(made)
    add_figure(made)
    add_claim(made)
    (made.folder / "configs/added.yaml").write_text(STUDY)
    asked = ("study=added", "figures=fig1a,sparseness")
    assert made.jobs("all", config=asked) == NEW | LISTED
    done = made.snakemake("--config", *asked, "--", "all")
    assert done.returncode == 0, done.stdout + done.stderr
    results = made.folder / "results/added"
    assert {path.name for path in (results / "figures").glob("*.png")} == {"fig1a.png", "sparseness.png"}
    claims = table_files.csv(results / "tables/claims.csv").set_index("id")
    shares = table_files.csv(results / "tables/mnist_corruption/sparseness.csv")["active_share"]
    assert len(shares) == 2 * (8 + 16)
    assert claims.loc["sparseness_below_half", "estimate"] == pytest.approx(shares.mean())
