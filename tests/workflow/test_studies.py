"""The studies as they come: which networks and jobs each has, and what a missing data set stops."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from checkouts import Checkout, counted

from directions.study import config
from directions.study.catalogue import FIGURES
from directions.workflow import jobs as job_list

NETWORKS = {
    "paper": {
        "mnist_corruption": 6 * 3, "mnist_selectivity": 4, "mnist_early_stopping": 3,
        "mnist_dropout": 3 * 2 * 3, "mnist_limit": 6 * 5 * 3, "mlp_controls": 4 * 3 * 2 * 3,
        "mnist_limit_dropout": 3 * 5 * 3, "conv_limit": 4 * 3 * 3, "mnist_examples": 6 * 3,
        "mnist_cmi": 4 * 3, "conv_corruption": 6 * 3, "conv_ensemble": 5 * 40, "conv_sweep": 96 * 2,
        "conv_normalization": 4 + 4, "conv_selectivity": 4,
        "resnet_corruption": 6 * 2, "resnet_selectivity": 2,
    },
    "laptop": {
        "mnist_corruption": 6 * 2, "mnist_selectivity": 4, "mnist_early_stopping": 3,
        "mnist_dropout": 3 * 2 * 2, "mnist_limit": 6 * 5 * 3, "mlp_controls": 4 * 3 * 2 * 3,
        "mnist_limit_dropout": 3 * 5 * 3, "conv_limit": 4 * 3 * 3,
        "mnist_examples": 6 * 3, "mnist_cmi": 4 * 3,
        "conv_corruption": 6 * 2, "conv_ensemble": 5 * 4, "conv_sweep": 6 * 4 * 2,
        "conv_normalization": 4 + 4, "conv_selectivity": 4,
        "resnet_corruption": 6 * 2, "resnet_selectivity": 2,
    },
    "cifar": {
        "conv_corruption": 6 * 2, "conv_ensemble": 5 * 3, "conv_sweep": 96, "conv_normalization": 2 + 2,
        "conv_selectivity": 2,
    },
    "cifar_full": {"conv_corruption": 2, "conv_selectivity": 1},
    "quick": {
        "mnist_corruption": 6 * 2, "mnist_selectivity": 3, "mnist_early_stopping": 1,
        "mnist_dropout": 2 * 2, "mnist_limit": 4 * 2, "mlp_controls": 3 * 2 * 2,
        "mnist_limit_dropout": 2 * 2, "conv_limit": 2 * 2,
        "mnist_examples": 2 * 2, "mnist_cmi": 3, "conv_corruption": 3,
        "conv_sweep": 4 * 3 * 2, "conv_normalization": 2 + 2, "conv_selectivity": 1,
        "resnet_corruption": 2, "resnet_selectivity": 1,
    },
}  # fmt: skip
ANALYSED = {  # rule: the experiments whose networks it takes
    "ablate_cumulative": ("mnist_corruption", "mnist_dropout", "mnist_limit", "mlp_controls",
                          "mnist_limit_dropout", "conv_limit",
                          "mnist_examples", "conv_corruption", "conv_ensemble", "conv_sweep",
                          "conv_normalization", "resnet_corruption"),
    "ablate_checkpoints": ("mnist_early_stopping",),
    "add_noise": ("mnist_corruption", "conv_corruption"),
    "ablate_single": ("mnist_selectivity", "conv_selectivity", "resnet_selectivity"),
    "measure_units": ("mnist_selectivity", "conv_selectivity", "resnet_selectivity", "conv_normalization"),
    "measure_pairs": ("mnist_corruption", "mnist_dropout"),
    "ablate_ordered": ("mnist_corruption",),
    "ablate_parts": ("mnist_corruption",),
    "flip_images": ("mnist_corruption",),
    "measure_memorization": ("mnist_limit", "mnist_limit_dropout", "conv_limit"),
    "measure_cmi": ("mnist_cmi",),
    "measure_kernel": ("mnist_examples",),
    "measure_examples": ("mnist_examples",),
    "ablate_examples": ("mnist_examples",),
}  # fmt: skip
LEFT_OUT = {"cifar_full": {"add_noise"}}
DATA_SETS = {"paper": 7, "laptop": 6, "cifar": 1, "cifar_full": 1, "quick": 4}
DRAWN = {study: list(FIGURES) for study in NETWORKS} | {
    "cifar": ["fig1b", "fig2b", "fig3a", "fig3b", "fig4c", "fig5b", "fig6a", "fig6b", "fig7b", "fig7c",
              "figA1", "figA2a", "figA3a", "figA4b", "figA4c"],
    "cifar_full": ["fig1b", "fig7b", "fig7c", "figA2a", "figA3a", "figA4b", "figA4c"],
}  # fmt: skip
LEDGERS = {  # runs with equal data, number of images, corrupted share and seed have one ledger
    "paper": (6 * 3 + 1 + 3)
    + (5 * 3 + 40 + 3)
    + 6 * 2
    + 4 * 18
    + 4 * 3
    + 6 * 3
    - 3,  # MNIST, CIFAR-10, ImageNet, controls, two digits, examples that share some with controls
    "laptop": (6 * 2 + 2 + 2 * 2 + 3)
    + (6 * 2 + 2 + 4)
    + 6 * 2
    + 4 * 18
    + 4 * 3
    + (6 * 3 - 3)
    + 3,  # MNIST; Fashion-MNIST by number of images; controls; two digits of MNIST; examples; limit
    "cifar": 6 * 2 + 3 + 1,  # by number of images
    "cifar_full": 2,
    "quick": (6 * 2 + 3)
    + (2 + 1)
    + (3 + 1)
    + (2 + 1)  # MNIST: 3,000 and 10,000; 1,000; 500; 300 and 600 images
    + (3 * 4 - 1)  # controls, of which one is also that of a ResNet
    + 3  # two digits of MNIST
    + 1,  # examples: three of the four are those of others
}
# That join the files of all networks of an experiment.
TABLES = {"paper": 52, "laptop": 52, "cifar": 13, "cifar_full": 5, "quick": 50}


@pytest.fixture(scope="module", params=NETWORKS)
def planned(fresh, request):
    """(name of a study, what a dry run of all of it did)."""
    return request.param, fresh.snakemake("--dry-run", "--config", f"study={request.param}")


def test_a_study_needs_no_data_to_be_planned_and_lists_exactly_its_jobs_soon(fresh, planned):
    study, done = planned
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert not list((fresh.folder / "data").glob("*.safetensors"))

    trained = set(re.findall(rf"results/{study}/models/(\w+)/([^/\s]+)/model\.safetensors", said))
    networks = [experiment for experiment, _ in trained]
    assert {name: networks.count(name) for name in networks} == NETWORKS[study]

    jobs = counted(said)
    assert jobs.pop("train", 0) + jobs.pop("train_distributed", 0) == sum(NETWORKS[study].values())
    assert jobs == {
        "prepare_data": DATA_SETS[study],
        "corrupt_labels": LEDGERS[study],
        **{
            rule: sum(NETWORKS[study].get(name, 0) for name in experiments)
            for rule, experiments in ANALYSED.items()
            if NETWORKS[study].keys() & set(experiments) and rule not in LEFT_OUT.get(study, ())
        },
        "collect": TABLES[study],
        "measure_areas": len(set(ANALYSED["ablate_cumulative"]) & set(NETWORKS[study])),
        **({"select_settings": 1} if "fig4c" in DRAWN[study] else {}),
        **dict.fromkeys(DRAWN[study], 1),
        "check_claims": 1,
    }


def test_the_list_of_jobs_that_reports_are_made_from_is_what_snakemake_plans(fresh, planned):
    study, done = planned
    here = yaml.safe_load((fresh.folder / "config.yaml").read_text())
    listed = job_list.jobs(config.load(here | {"study": study}, fresh.folder))
    found = re.findall(
        r"^rule (\w+):\n(?:    .*\n)*?    output: (.*)\n    log: logs/(\S+)\.log\n",
        done.stdout + done.stderr, re.M,
    )  # fmt: skip
    assert len(found) > 20
    assert {(job.rule, job.name) for job in listed} == {(rule, name) for rule, _, name in found}
    outputs = {name: files.split(", ") for _, files, name in found}
    assert all(job.product in outputs[job.name] for job in listed)
    assert len(listed) == len(found)


PARTLY = {  # one figure of each data set, of which only MNIST is there
    "defaults": {
        "training": {"images": 100, "epochs": 1, "batch": 20}, "measure_units": {"bins": 4, "shuffles": 2}
    },
    "experiments": {
        "mnist_selectivity": {"training": {"hidden": [12, 8]}, "vary": {"seed": [0]}},
        "conv_selectivity": {"training": {"width": 0.05, "epochs": 1, "batch": 20}, "vary": {"seed": [0]}},
        "resnet_corruption": {
            "training": {"images": 100, "width": 0.05, "steps": 2, "batch": 20, "norm_batch": 10},
            "vary": {"seed": [0]},
        },
    },
    "draw": {"fig1c": "resnet_corruption", "fig7a": "mnist_selectivity", "fig7b": "conv_selectivity"},
}  # fmt: skip


@pytest.fixture(scope="module")
def partly(fresh, tmp_path_factory):
    """(checkout, what Snakemake said, its exit code) of a study whose data are there in part."""
    study = Checkout(shutil.copytree(fresh.folder, tmp_path_factory.mktemp("partly") / "study"))
    study.take_mnist()
    study.write_study(PARTLY)
    study.edit("config.yaml", "cifar10: [local, mirror]", "cifar10: [local]")
    done = study.snakemake()
    return study, done.stdout + done.stderr, done.returncode


def test_missing_data_stop_only_the_figures_that_need_them(partly):
    study, _, code = partly
    assert code != 0
    results = study.folder / "results/tiny"
    assert {path.name for path in (results / "figures").iterdir()} == {"fig7a.pdf", "fig7a.png"}
    assert [path.name for path in (results / "models").iterdir()] == ["mnist_selectivity"]
    assert not (results / "labels/cifar10").exists()
    assert not (results / "labels/imagenet").exists()
    assert not (results / "tables/claims.csv").exists()


def test_missing_data_are_noticed_before_anything_trains(partly):
    _, said, _ = partly
    jobs = re.findall(r"^(?:local)?rule (\w+):\n((?: +.*\n)+)", said, re.MULTILINE)
    assert {rule for rule, words in jobs if "    priority: " in words} == {"prepare_data"}
    started = [rule for rule, _ in jobs]
    assert started.count("prepare_data") == 3
    assert started.index("train") > max(n for n, rule in enumerate(started) if rule == "prepare_data")


def test_the_end_says_which_figures_are_missing_and_how_to_get_their_data(partly):
    _, said, _ = partly
    end = said.split("Exiting because a job execution failed")[1]
    assert "figures that are ready: fig7a\n" in end
    assert "figures that are not: fig1c, fig7b\n" in end
    cifar10 = end.split("logs/prepare_data/cifar10.log (stops fig7b):\n")[1].split("\n\n")[0]
    assert "error: no source has cifar-10-python.tar.gz" in cifar10
    assert "put cifar-10-python.tar.gz into data/raw/cifar10/" in cifar10
    imagenet = end.split("logs/prepare_data/imagenet.log (stops fig1c):\n")[1].split("\n\n")[0]
    assert "error: " in imagenet


def test_once_the_data_are_there_only_what_is_missing_runs(partly):
    study, _, _ = partly
    jobs = study.jobs()
    assert "fig7a" not in jobs
    assert {rule: jobs[rule] for rule in ("prepare_data", "fig1c", "fig7b")} == {
        "prepare_data": 2, "fig1c": 1, "fig7b": 1
    }  # fmt: skip


def test_a_thousand_runs_are_joined_by_a_command_that_linux_starts(fresh, tmp_path):
    """One argument may have 128 KiB, and the shell gets its whole command as one."""
    study = Checkout(shutil.copytree(fresh.folder, tmp_path / "study"))
    study.edit(
        "configs/tiny.yaml",
        "corrupt: [0.0, 1.0], seed: [0]",
        f"corrupt: [0.0, 1.0], seed: {list(range(500))}",
    )
    table = "results/tiny/tables/mnist_corruption/runs.csv"
    done = study.snakemake("--dry-run", "--printshellcmds", "--", table)
    assert done.returncode == 0, done.stderr
    said = (done.stdout + done.stderr).splitlines()
    [command] = [line for line in said if "scripts/collect.py --code" in line]
    assert len(command) < 2**17
    listed = re.search(r"@(\.snakemake/arguments/\w+\.txt)", command)[1]
    option, settings, *files = (study.folder / listed).read_text().splitlines()
    assert option == "--asked"
    assert len(files) == len(set(files)) == 1000
    assert [Path(file).parent.name for file in files] == list(json.loads(settings)["settings"]["runs"])
