"""dvc.yaml against the Snakemake graph and the run table; what dvc.lock confirms."""

import re
import shutil
from types import SimpleNamespace

import pytest
import yaml
from checkouts import ROOT, graph
from ruamel.yaml import YAML

from directions.study import config
from directions.workflow.dvc import pipeline, stages
from directions.workflow.dvc.record import Record


@pytest.mark.parametrize("name", ["tiny", "quick"])
def test_stages_hold_all_files_and_dependencies_of_the_snakemake_graph_and_no_more(fresh, name):
    study = stages.load(fresh.folder, name)
    done = fresh.snakemake("--dry-run", "--forceall", "--config", f"study={name}")
    jobs = graph(done.stdout + done.stderr)
    assert jobs.keys() == study.products.keys()
    for stage in study.stages.values():
        for product in stage.products:
            outputs, inputs = jobs[product.path]
            assert inputs == {*product.needs, *stage.code}
            together = {one.path for one in stage.products if one.item == product.item}
            assert outputs <= together


def test_the_committed_pipeline_is_that_of_the_run_table():
    """Where this fails: `make stages`, and commit what it wrote."""
    main = config.read_yaml(ROOT / "config.yaml")["study"]
    shared = [stages.load(ROOT, name) for name in pipeline.shared(ROOT)]
    assert shared[0].name == main
    assert (ROOT / "dvc.yaml").read_text() == pipeline.pipeline_text(shared, main)


def test_a_digest_that_looks_like_a_number_is_a_word_to_every_reader():
    """DVC read 0e70617026168307 as 0, and claims that were just recorded were "made with other code"."""
    stage = SimpleNamespace(name="claims", asked={"code": "0e70617026168307", "asked": "1234567890123456"})
    text = pipeline.asked_text(SimpleNamespace(name="tiny", stages={"claims": stage}))
    assert yaml.safe_load(text)["claims"] == stage.asked
    assert YAML(typ="safe", pure=True).load(text)["claims"] == stage.asked


def test_every_dependency_in_dvc_yaml_is_one_of_the_study(fresh):
    study = stages.load(fresh.folder)
    written = yaml.safe_load(pipeline.pipeline_text([study], study.name))["stages"]
    assert list(written) == ["asked", *study.stages]
    for stage in study.stages.values():
        made = {
            path
            for out in (*written[stage.name]["outs"], *written[stage.name].get("metrics", ()))
            for path in out
        }
        assert made == {product.path for product in stage.products}
        assert set(written[stage.name].get("deps", ())) == set(stage.needs)
        assert written[stage.name]["params"] == [{"data/asked/tiny.yaml": [stage.name]}]


def test_two_studies_share_their_data_sets_and_nothing_else(fresh):
    tiny, quick = (stages.load(fresh.folder, name) for name in ("tiny", "quick"))
    written = yaml.safe_load(pipeline.pipeline_text([tiny, quick], "tiny"))["stages"]
    data = [name for name in quick.stages if name.startswith("data-")]
    assert {*data} & {*tiny.stages}
    names = [name if name in data else f"quick-{name}" for name in ["asked", *quick.stages]]
    names = [name for name in names if name not in tiny.stages]
    assert list(written) == ["asked", *tiny.stages, *names]


def test_data_outside_the_checkout_are_refused(clone):
    shutil.copy2(ROOT / "config.yaml", clone / "config.yaml")
    text = (clone / "config.yaml").read_text()
    (clone / "config.yaml").write_text(text.replace("data_root: data", "data_root: /scratch"))
    with pytest.raises(stages.InputError, match="data_root: /scratch is outside"):
        stages.load(clone)


FIGURE = "results/tiny/figures/fig1a.png"
TABLE = "results/tiny/tables/mnist_corruption/areas.csv"


@pytest.mark.parametrize(("old", "new", "doubt"), [
    ("{areas}", "0" * 32, f"it was made from another version of {TABLE}"),  # a merge line by line
    ("{code}", "0" * 16, "it was made with other code"),
    ("{asked}", "0" * 16, "it was made with other settings"),
])  # fmt: skip
def test_a_record_that_does_not_fit_confirms_nothing(author, tmp_path, old, new, doubt):
    study = stages.load(author.folder)
    assert Record(author.folder).doubts(study)[FIGURE] == ""
    lock = (author.folder / "dvc.lock").read_text()
    head, fig1a, tail = re.split(r"(?ms)(^  fig1a:\n.*?)(?=^  \w)", lock)
    values = {
        "{areas}": Record(author.folder).by_path[TABLE].outs[TABLE],
        "{code}": study.stages["fig1a"].code_digest,
        "{asked}": study.products[FIGURE].asked,
    }
    assert values[old] in fig1a
    (tmp_path / "dvc.lock").write_text(head + fig1a.replace(values[old], new) + tail)
    doubts = Record(tmp_path).doubts(study)
    assert doubts[FIGURE] == doubt
    assert doubts[TABLE] == ""


def test_a_lock_that_cannot_be_read_is_named(author, tmp_path):
    (tmp_path / "dvc.lock").write_text("<<<<<<< HEAD\nstages: [\n")
    with pytest.raises(stages.InputError, match="(?s)dvc.lock cannot be read .*git checkout"):
        Record(tmp_path)
