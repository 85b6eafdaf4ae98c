"""Networks of the user's own in the config: what is refused, what is filled in, what each job is asked."""

import json
import os
import re
import shutil

import pytest
import yaml
from studies import ROOT, load, refused

from directions.data import specs
from directions.study import config, user_networks

FILES = {name: f"{name}.npy" for name in specs.ARRAYS}


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """A folder with the files that these tests name; the user's files are looked for in the current one."""
    (tmp_path / "examples").mkdir()
    shutil.copy(ROOT / "examples/mlp.py", tmp_path / "examples")
    (tmp_path / "photos/train").mkdir(parents=True)
    named = (
        "examples/mlp.pt",
        "photos/train/a.png",
        "w.pt",
        "shuffled.csv",
        "x.npy",
        "y.npy",
        "tx.npy",
        "ty.npy",
    )
    for name in (*named, *FILES.values()):
        (tmp_path / name).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def entry(**over) -> dict:
    return {"build": "examples/mlp.py:build", "layers": ["fc1"], "data": "mnist"} | over


def own(**over) -> dict:
    return {"networks": {"a": entry(**over)}}


def test_the_example_says_the_defaults_and_loads():
    example = config.read_yaml(ROOT / "configs/own.example.yaml")["own"]
    assert {key: value for key, value in example.items() if key != "networks"} == user_networks.DEFAULTS
    assert load(own=example)["own"] == example


@pytest.mark.parametrize("layers", ["all activations", "layer1.*", ["fc1", "layer?.0"]])
def test_layers_may_be_patterns(layers):
    assert load(own=own(layers=layers))["own"]["networks"]["a"]["layers"] == layers
    assert "is refused: allowed is a list of modules" in refused(own=own(layers="fc1"))


def test_every_commented_line_of_the_example_is_a_valid_setting():
    text = (ROOT / "configs/own.example.yaml").read_text()
    lines = [line.strip().removeprefix("# ") for line in text.splitlines() if line.strip().startswith("# ")]
    settings = [
        yaml.safe_load(line) for line in lines if line.split(":")[0] in ("data", "labels", "normalize")
    ]
    assert len(settings) == 5
    for setting in settings:
        if setting.get("data") != "strokes.py:read":  # which is not there
            assert load(own=own(**setting))


@pytest.mark.parametrize(("over", "said"), [
    ({"layers": {"fc1": "ReLU"}}, "a.layers.fc1 .*'ReLU' is refused.*did you mean relu?"),
    ({"weight": "w.pt"}, "a.weight .*did you mean weights?"),
    ({"layers": []}, "a.layers .* a list of modules whose outputs are units, or {module:"),
    ({"layers": {"fc1": "rely"}}, "a.layers.fc1 .*: 'rely' is refused.*; did you mean relu?"),
    ({"data": "mnits"}, "a.data: mnits is not a data set; did you mean mnist?"),
    ({"data": "imagefolder"}, "a.data: imagefolder is not a data set"),
    ({"data": {"train_image": "x.npy"}}, "a.data.train_image .*did you mean train_images"),
    ({"data": {"train_images": "x.npy"}}, "a.data: needs train_images, .* or imagefolder and size"),
    ({"data": {**FILES, "size": 3}}, "a.data: needs"),
    ({"data": "gone.py:read"}, "a.data: gone.py:read: there is no file gone.py"),
    ({"weights": "gone.pt"}, "a.weights: there is no gone.pt .looked for in"),
    ({"labels": {"test": "gone.csv"}}, "a.labels.test: there is no gone.csv"),
    ({"data": {**FILES, "test_images": "gone.npy"}}, "a.data.test_images: there is no gone.npy"),
    ({"data": {"imagefolder": "gone", "size": 8}}, "a.data.imagefolder: there is no gone"),
    ({"build": "gone.py:build"}, "a.build: gone.py:build: there is no file gone.py"),
    ({"build": "examples/mlp.py"}, "a.build: 'examples/mlp.py' names no function"),
    ({"labels": {"train": "y.csv", "tets": "z.csv"}}, "a.labels.tets .*did you mean test?"),
    ({"normalize": {"mean": [0.1], "sd": [0]}}, r"a.normalize.sd\[0\] .* a number > 0"),
    ({"analyses": ["ablate_checkpoints"]}, r"a.analyses\[0\]"),
    ({"add_noise": {"lowest": 20.0}}, "a.add_noise: lowest 20.0 must be below highest 10.0"),
    ({"ablate_cumulative": {"norm_images": 1}}, "ablate_cumulative.norm_images.* >= 2 .images., or null"),
    ({"ablate_cumulative": {"norm_images": 9, "clamp": ["mean"]}}, "norm_images 9 needs clamp: .zero. and"),
    ({"ablate_cumulative": {"norm_images": 9}, "train_images": 8}, "norm_images 9 is more than train_"),
    ({"ablate_cumulative": {"images": 9}, "train_images": 8}, "images 9 is more than train_images 8; change"),
    ({"ablate_cumulative": {"ordering": 3}}, "ablate_cumulative.ordering .*did you mean orderings?"),
])  # fmt: skip
def test_what_cannot_be_meant_is_refused_by_key(over, said):
    assert re.search(said, refused(own=own(**over)).replace("\n", " "))


def test_a_network_needs_a_factory_layers_and_data():
    said = refused(own={"networks": {"a": {"weights": "w.pt"}}})
    for key in ("build", "layers", "data"):
        assert f"own.networks.a (in config.yaml, --configfile or the command line): lacks {key}" in said
    assert "own (in config.yaml, --configfile or the command line): unknown key" not in said
    assert (
        "owns (in config.yaml, --configfile or the command line): unknown key; did you mean own?"
        in refused(owns={})
    )


def test_a_networks_own_settings_go_before_those_of_all():
    block = own(test_images=50, ablate_cumulative={"points": 3}) | {
        "train_images": 70, "test_images": 80, "ablate_cumulative": {"points": 5, "orderings": 2}
    }  # fmt: skip
    made = user_networks.completed(load(own=block)["own"])["a"]
    assert (made["train_images"], made["test_images"]) == (70, 50)
    assert made["ablate_cumulative"] == user_networks.DEFAULTS["ablate_cumulative"] | {
        "points": 3,
        "orderings": 2,
    }


def asked(**over) -> dict[str, str]:
    """{job: what it is asked} of two networks, of which one is changed."""
    block = {"networks": {"a": entry(**over), "b": entry(data=FILES, labels={"train": "y.csv"})}}
    made = user_networks.Plan(block)
    jobs = {"comparison": made.asked("comparison")}
    for name in made.networks:
        jobs |= {
            f"{name} {stage}": made.asked(stage, name) for stage in ("data", "import", "areas", "summary")
        }
        jobs |= {
            f"{name} {analysis}": made.asked(analysis, name)
            for analysis in user_networks.DEFAULTS["analyses"]
        }
        tables = (table for table in made.tables(name) if table != "areas")
        jobs |= {f"{name} {table}": made.asked("collect", name, table) for table in tables}
    return jobs


def changed(**over) -> set[str]:
    before, after = asked(), asked(**over)
    return {job for job, said in before.items() if after[job] != said}


def test_a_setting_moves_its_own_chain_and_nothing_of_other_networks():
    assert changed() == set()
    assert changed(add_noise={"repeats": 7}) == {"a add_noise", "a noise", "a summary", "comparison"}
    assert changed(ablate_cumulative={"points": 9}) == {
        "a ablate_cumulative", "a ablation", "a areas", "a summary", "comparison"
    }  # fmt: skip
    everything = {job for job in asked() if job[0] == "a" or job == "comparison"}
    assert changed(layers=["fc2"]) == everything - {"a data"}
    assert changed(labels={"test": "t.npy"}) == everything
    assert all(json.loads(said)["upstream"] for said in asked().values())


def test_the_users_files_are_inputs_of_the_jobs_that_read_them():
    made = user_networks.Plan({"networks": {
        "a": entry(weights="w.pt"), "b": entry(data=FILES, labels={"train": "y.csv"}),
        "c": entry(labels={"test": "t.npy"}), "d": entry(data="examples/mlp.py:build"),
    }})  # fmt: skip
    assert made.files("a") == ["examples/mlp.py", "w.pt"]
    assert [made.label_files(name) for name in "abcd"] == [[], ["y.csv"], ["t.npy"], []]
    files, function = made.data
    assert made.data_files(files) == list(FILES.values())
    assert made.data_files(function) == ["examples/mlp.py"]
    assert [made.data_name(name) for name in "abcd"] == [None, files, None, function]


def test_networks_with_the_same_images_share_one_file_whatever_their_labels(folder):
    images = {"imagefolder": "photos", "size": 8}
    made = user_networks.Plan({"networks": {
        "a": entry(data=images), "b": entry(data=dict(images), labels={"train": "y.csv"}),
        "c": entry(data=images | {"size": 9}),
    }})  # fmt: skip
    assert list(made.data.values()) == [images, images | {"size": 9}]
    assert made.data_name("a") == made.data_name("b") != made.data_name("c")
    assert made.data_name("a").startswith("photos_8-")
    alone = user_networks.Plan({"networks": {"b": entry(data=images, labels={"train": "y.csv"})}})
    assert alone.asked("base", data=made.data_name("b")) == made.asked("base", data=made.data_name("a"))


def test_a_network_is_tried_without_its_data_where_the_shape_of_images_is_known(folder):
    made = user_networks.Plan({"networks": {
        "a": entry(), "b": entry(data={"imagefolder": "photos", "size": 8}), "c": entry(data=FILES),
    }})  # fmt: skip
    assert [made.shape(name) for name in "abc"] == [[1, 28, 28], [3, 8, 8], None]
    told = made.asked("trial", "b")
    (folder / "photos/train/a.png").write_bytes(b"other")
    assert made.asked("trial", "b") == told


def test_a_tree_of_images_that_changes_moves_all_that_is_made_of_it(folder):
    images = {"imagefolder": "photos", "size": 8}
    before = asked(data=images)
    assert asked(data=images) == before
    (folder / "photos/train/a").mkdir(exist_ok=True)
    (folder / "photos/train/a/b.png").write_bytes(b"new")
    after = asked(data=images)
    moved = {job for job, said in before.items() if after[job] != said}
    assert moved == {job for job in before if job[0] == "a" or job == "comparison"}


@pytest.mark.parametrize(("file", "jobs"), [("w.pt", ("import",)), ("y.csv", ("data", "import"))])
def test_a_file_with_other_content_is_seen_though_its_time_is_old(folder, file, jobs):
    made = user_networks.Plan(
        {"networks": {"a": entry(data=FILES, weights="w.pt", labels={"train": "y.csv"})}}
    )
    for name in ("w.pt", "y.csv", *FILES.values()):
        (folder / name).write_text("old")
    stages = ("data", "import", "summary")
    before = {stage: made.asked(stage, "a") for stage in stages}
    (folder / file).write_text("new")
    os.utime(folder / file, (0, 0))
    assert {stage for stage in stages if made.asked(stage, "a") != before[stage]} == {*jobs, "summary"}


def test_other_code_moves_the_jobs_that_run_it_and_what_follows():
    codes = ({"add_noise": version} for version in "12")
    old, new = (
        user_networks.Plan({"networks": {"a": entry()}}, lambda stage, c=c: c.get(stage, "")) for c in codes
    )
    stages = ("data", "import", "add_noise", "ablate_single", "summary", "comparison")
    moved = {stage for stage in stages if old.asked(stage, "a") != new.asked(stage, "a")}
    assert moved == {"add_noise", "summary", "comparison"}


def test_an_analysis_is_told_the_only_function_that_a_model_file_may_name(folder):
    made = user_networks.Plan(load(own={"networks": {"a": entry()}})["own"])
    assert json.loads(made.asked("add_noise", "a"))["code"] == entry()["build"]


@pytest.mark.parametrize(("key", "over"), [
    ("weights", {"weights": "{3}/w.pt"}),
    ("build", {"build": "{3}/n.py:build"}),
    ("labels.train", {"labels": {"train": "{3}/y.csv"}}),
    ("data.test_images", {"data": FILES | {"test_images": "{3}/x.npy"}}),
])  # fmt: skip
def test_braces_in_the_path_of_a_jobs_input_are_refused_by_key(folder, key, over):
    (folder / "{3}").mkdir()
    for name in ("w.pt", "n.py", "y.csv", "x.npy"):
        (folder / "{3}" / name).write_text("def build(): ...")
    message = refused(own=own(**over))
    assert f"own.networks.a.{key}: {{3}}/" in message
    assert "has braces in its path, which are wildcards to Snakemake: rename it" in message


def test_a_broken_link_in_a_tree_of_images_is_refused_by_key(folder):
    (folder / "photos/train/a").mkdir(parents=True)
    (folder / "photos/train/a/gone.png").symlink_to("/nowhere/x.png")
    message = refused(own={"networks": {"a": entry(data={"imagefolder": "photos", "size": 8})}})
    assert "own.networks.a.data.imagefolder: photos/train/a/gone.png is a broken link" in message
