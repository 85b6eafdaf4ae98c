import json
from pathlib import Path

import pytest
import yaml

from directions.core.recipe import RECIPES
from directions.study import config, fingerprints
from directions.study.catalogue import ANALYSES, DERIVED, IN_PAPER, made_by
from directions.study.fingerprints import Ancestry
from directions.study.run_table import expand, labels

ROOT = Path(__file__).parents[3]
PAPER = config.read_yaml(ROOT / "configs/paper.yaml")
CORRUPTED, SELECTIVE = "mnist_corruption", "mnist_selectivity"
STOPPED, SWEPT = "mnist_early_stopping", "conv_sweep"
KEPT = {
    CORRUPTED: {"vary": {"corrupt": [0.0, 1.0], "seed": [0]}},
    SELECTIVE: {"vary": {"seed": [0, 1]}},
    STOPPED: {"vary": {"seed": [0]}},
    SWEPT: {"vary": {"learning_rate": [0.001, 0.01], "batch": [16, 32], "seed": [0]}},
}


def load(**over):
    """Some of the paper's experiments with few runs, which makes what changed readable."""
    few = {
        "study": "paper",
        "experiments": dict.fromkeys(PAPER["experiments"]) | KEPT,
        "draw": {figure: None for figure, name in PAPER["draw"].items() if name not in KEPT},
    }
    values = config.merge(config.read_yaml(ROOT / "config.yaml"), few)
    return config.load(config.merge(values, over), ROOT)


def everything(study, files=lambda _stage, _settings: "", **recipes):
    """{job: what it is asked} of every job of a study."""
    ancestry, networks = Ancestry(study, RECIPES | recipes, files), expand(study)
    found = {}

    def ask(stage, **names):
        found[" ".join([stage, *names.values()])] = ancestry.asked(stage, **names)

    for dataset, ledgers in labels(networks).items():
        ask("data", dataset=dataset)
        for ledger in ledgers:
            ask("labels", dataset=dataset, labels=ledger)
    for experiment, group in networks.items():
        for run in group:
            for stage in ("train", *study["experiments"][experiment]["analyses"]):
                ask(stage, experiment=experiment, run=run)
        for table in study["tables"][experiment]:
            if table in DERIVED:
                ask(table, experiment=experiment)
            else:
                ask("collect", experiment=experiment, table=table)
    for figure in study["figures"]:
        ask("figure", figure=figure)
    ask("claims")
    return found


def changed(*, recipes=None, before=None, **over):
    old, new = everything(load(**(before or {}))), everything(load(**over), **(recipes or {}))
    return {job for job in old.keys() | new.keys() if old.get(job) != new.get(job)}


def own(experiment, **over):
    return {"experiments": {experiment: over}}


def chain(experiment, *stages, runs=None, tables, figures):
    """The jobs of some stages of an experiment, with its tables, figures and the claims."""
    runs = runs or list(expand(load())[experiment])
    jobs = {f"{stage} {experiment} {run}" for stage in stages for run in runs}
    jobs |= {f"{t} {experiment}" if t in DERIVED else f"collect {experiment} {t}" for t in tables}
    return jobs | {f"figure {figure}" for figure in figures} | {"claims"}


LATER = ("pairs_area", "orders", "redundancy", "memories", "layers_area")  # figures of later work
ANALYSED = (
    "ablate_cumulative",
    "add_noise",
    "measure_pairs",
    "ablate_ordered",
    "ablate_parts",
    "flip_images",
)
TABLES = (
    "runs", "history", "ablation", "areas", "selection", "noise", "pairs", "ordered", "parts", "flips",
)  # fmt: skip
TRAINED = chain(CORRUPTED, "train", *ANALYSED, tables=TABLES, figures=("fig1a", "fig2a", *LATER))


def test_a_string_says_the_jobs_own_settings_and_a_digest():
    found = everything(load())
    asked = json.loads(found[f"add_noise {CORRUPTED} corrupt-1.0_seed-0"])
    assert asked["settings"] == {
        "highest": 10.0,
        "lowest": 0.0517947,
        "points": 17,
        "repeats": 10,
        "split": "train",
    }
    assert set(asked) == {"stage", "settings", "upstream"}
    assert json.loads(found["labels mnist images-all_corrupt-1.0_seed-0"])["settings"] == {
        "dataset": "mnist", "images": "all", "corrupt": 1.0, "seed": 0
    }  # fmt: skip
    trained = json.loads(found[f"train {CORRUPTED} corrupt-1.0_seed-0"])
    assert trained["settings"] == expand(load())[CORRUPTED]["corrupt-1.0_seed-0"]
    assert trained["recipe"] == RECIPES["train"]
    for text in found.values():
        upstream = json.loads(text)["upstream"]
        assert len(upstream) == 16
        assert set(upstream) <= set("0123456789abcdef")
        assert text == json.dumps(json.loads(text), sort_keys=True)


def test_every_job_has_a_string_of_its_own():
    found = everything(load())
    assert len(set(found.values())) == len(found)
    # Two stages may have equal settings and the same upstream: their names tell them apart.
    assert all(json.loads(text)["stage"] == job.split()[0] for job, text in found.items())


def test_collect_is_told_its_runs_in_the_order_of_the_run_table():
    study = load(**own(CORRUPTED, vary={"seed": [0, 2, 10]}))
    settings = json.loads(Ancestry(study).asked("collect", experiment=CORRUPTED, table="noise"))["settings"]
    assert list(settings["runs"]) == list(expand(study)[CORRUPTED])
    assert settings["runs"]["corrupt-1.0_seed-10"] == {"corrupt": 1.0, "seed": 10}
    assert (settings["experiment"], settings["table"]) == (CORRUPTED, "noise")


def test_nothing_changes_without_a_reason():
    assert changed() == set()
    assert changed(device="cpu", data_root="/scratch/data", sources={"mnist": ["mirror"]}) == set()
    assert changed(**own(CORRUPTED, vary={"corrupt": [1, 0]})) == set()


def turned(value):
    """The same mappings with all their keys in the opposite order."""
    return {key: turned(value[key]) for key in reversed(value)} if isinstance(value, dict) else value


def test_the_order_of_keys_makes_no_difference(tmp_path):
    (tmp_path / "configs").mkdir()
    paper, user = (config.read_yaml(ROOT / name) for name in ("configs/paper.yaml", "config.yaml"))
    (tmp_path / "configs/paper.yaml").write_text(yaml.safe_dump(turned(paper), sort_keys=False))
    user["study"] = "paper"
    there, here = config.load(turned(user), tmp_path), config.load(user, ROOT)
    assert list(there["experiments"]) == list(reversed(here["experiments"]))
    assert everything(there) == everything(here)


def test_no_string_knows_where_the_study_lies():
    for text in everything(load(data_root=str(ROOT / "elsewhere"))).values():
        assert str(ROOT) not in text
        assert "elsewhere" not in text


def test_files_that_decide_move_their_jobs_and_what_follows():
    study = load()
    old, new = everything(study), everything(study, lambda stage, _: "1" if stage == "add_noise" else "")
    noise = chain(CORRUPTED, "add_noise", tables=("noise",), figures=("fig2a",))
    assert {job for job in old if old[job] != new[job]} == noise


def test_a_training_setting_of_one_experiment():
    assert changed(**own(CORRUPTED, training={"epochs": 641})) == TRAINED
    assert changed(**own(CORRUPTED, training={"evaluate_every": 5})) == TRAINED  # it is seen in the history


def test_a_setting_that_changes_the_labels():
    ledgers = {f"labels mnist images-{n}_corrupt-{p}_seed-0" for n in ("all", "900") for p in ("0.0", "1.0")}
    # The clean ledger of seed 0 still serves the other experiment.
    ledgers -= {"labels mnist images-all_corrupt-0.0_seed-0"}
    assert changed(**own(CORRUPTED, training={"images": 900})) == TRAINED | ledgers


def test_one_more_seed_is_its_own_jobs_and_the_tables():
    new = [f"corrupt-{p}_seed-7" for p in ("0.0", "1.0")]
    figures = ("fig1a", "fig2a", *LATER)
    expected = chain(CORRUPTED, "train", *ANALYSED, runs=new, tables=TABLES, figures=figures)
    expected |= {f"labels mnist images-all_{run}" for run in new}
    assert changed(**own(CORRUPTED, vary={"seed": [0, 7]})) == expected


def test_settings_of_one_analysis():
    assert changed(**own(CORRUPTED, ablate_cumulative={"points": 9})) == chain(
        CORRUPTED,
        "ablate_cumulative",
        tables=("ablation", "areas", "selection"),
        figures=("fig1a", "pairs_area"),
    )
    assert changed(**own(SWEPT, ablate_cumulative={"layers": 4})) == chain(
        SWEPT, "ablate_cumulative", tables=("ablation", "areas", "selection"), figures=("fig4c",)
    )
    assert changed(**own(SWEPT, select_settings={"subsets": 9})) == chain(
        SWEPT, tables=("selection",), figures=("fig4c",)
    )
    assert changed(defaults={"ablate_checkpoints": {"orderings": 3}}) == chain(
        STOPPED, "ablate_checkpoints", tables=("checkpoints",), figures=("fig4a", "fig4b")
    )
    assert changed(**own(CORRUPTED, add_noise={"repeats": 9})) == chain(
        CORRUPTED, "add_noise", tables=("noise",), figures=("fig2a",)
    )
    assert changed(defaults={"measure_units": {"bins": 9}}) == chain(
        SELECTIVE, "measure_units", tables=("units",), figures=("fig7a", "figA4a")
    )


def test_values_that_change_places_are_seen():
    one = own(CORRUPTED, training={"batch": 100, "epochs": 50})
    assert changed(before=one, **own(CORRUPTED, training={"batch": 50, "epochs": 100})) == TRAINED
    one = own(CORRUPTED, add_noise={"points": 5, "repeats": 6})
    other = own(CORRUPTED, add_noise={"points": 6, "repeats": 5})
    assert f"add_noise {CORRUPTED} corrupt-0.0_seed-0" in changed(before=one, **other)


def test_what_the_optimizer_does_not_read_changes_nothing():
    adam = {"training": {"optimizer": "adam"}}
    assert (
        changed(before={"defaults": adam}, defaults={"training": {"optimizer": "adam", "momentum": 0.5}})
        == set()
    )
    sgd = {"training": {"optimizer": "sgd"}}
    moved = {"training": {"optimizer": "sgd", "momentum": 0.5}}
    assert changed(before={"defaults": sgd}, defaults=moved) > TRAINED


def test_recipes_redo_their_stage_and_all_after_it():
    found = set(everything(load()))
    made = {job for job in found if job.startswith(("data", "labels"))}
    assert changed(recipes={"data": RECIPES["data"] + 1}) == found
    assert changed(recipes={"labels": RECIPES["labels"] + 1}) == {job for job in found if job[:4] != "data"}
    assert changed(recipes={"train": RECIPES["train"] + 1}) == found - made


def test_precision_redoes_training_but_no_labels():
    found = set(everything(load()))
    assert changed(precision="bf16") == {job for job in found if not job.startswith(("data", "labels"))}


def test_another_selection_of_figures_touches_the_claims_alone():
    old, new = everything(load()), everything(load(figures="fig1a"))
    assert set(new) < set(old)
    assert {job for job in new if old[job] != new[job]} == {"claims"}


def test_a_figure_of_another_experiment():
    twin = {"training": {"hidden": [512, 512]}, "vary": {"corrupt": [0.0, 1.0], "seed": [0]}}
    twin["analyses"] = ["ablate_cumulative"]
    before = {"experiments": {"twin": twin}}
    assert changed(before=before, **before, draw={"fig1a": "twin"}) == {"figure fig1a", "claims"}


def test_own_images_are_told_apart_and_only_where_they_are_used():
    tree = {"path": "photos", "size": 32}
    assert changed(imagefolder=tree) == set()
    with_tree = own(CORRUPTED, training={"dataset": "imagefolder"}) | {"imagefolder": tree}
    bigger = with_tree | {"imagefolder": tree | {"size": 64}}
    ledgers = {f"labels imagefolder images-all_corrupt-{p}_seed-0" for p in ("0.0", "1.0")}
    assert changed(before=with_tree, **bigger) == TRAINED | ledgers | {"data imagefolder"}


def test_what_a_study_does_not_have_is_no_stage():
    ancestry = Ancestry(load())
    for stage, names in (
        ("plot", {}),
        ("train", {"experiment": CORRUPTED, "run": "seed-99"}),
        ("labels", {"dataset": "mnist", "labels": "images-1"}),
        ("figure", {"figure": "fig9"}),
    ):
        with pytest.raises(KeyError):
            ancestry.asked(stage, **names)


def test_other_wildcards_do_no_harm():
    ancestry, run = Ancestry(load()), {"experiment": CORRUPTED, "run": "corrupt-0.0_seed-0"}
    for stage in ("train", "add_noise"):
        assert ancestry.asked(stage, study="paper", **run) == ancestry.asked(stage, **run)


def test_every_analysis_and_table_has_a_stage():
    study = load(**own(SELECTIVE, analyses=list(ANALYSES), training={"keep_epochs": [0, 1]}))
    found = everything(study)
    for analysis in ANALYSES:
        assert f"{analysis} {SELECTIVE} seed-0" in found
    tables = [job for job in found if SELECTIVE in job and job.startswith(("collect", *DERIVED))]
    assert len(tables) == len(made_by(study))


def test_the_digest_follows_content_and_not_order():
    assert fingerprints.digest({"a": 1, "b": 2}) == fingerprints.digest({"b": 2, "a": 1})
    assert fingerprints.digest({"a": 1, "b": 2}) != fingerprints.digest({"a": 2, "b": 1})
    assert fingerprints.digest(None) == "74234e98afe7498f"  # it may not differ between machines or sessions


def test_the_paper_s_curves_redraw_the_figures_that_show_them_and_nothing_else():
    drawn = {figure for figure in load()["figures"] if figure in IN_PAPER}
    assert len(drawn) < len(load()["figures"])
    assert changed(paper_curves=False) == {f"figure {figure}" for figure in drawn}
    asked = json.loads(Ancestry(load()).asked("figure", figure="fig1a"))
    assert asked["settings"]["paper_curves"] == ["data/paper/figures/fig1a.csv"]
