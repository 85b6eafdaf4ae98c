"""The list of jobs that reports are made from is what Snakemake plans."""

import re

import pytest
import yaml

from directions import config
from directions.jobs import jobs


@pytest.mark.parametrize("study", ["paper", "quick", "tiny"])
def test_the_list_of_jobs_is_snakemakes(fresh, study):
    here = yaml.safe_load((fresh.folder / "config.yaml").read_text())
    listed = jobs(config.load(here | {"study": study}, fresh.folder))
    done = fresh.snakemake("--dry-run", "--config", f"study={study}")
    said = done.stdout + done.stderr
    planned = re.findall(
        r"^rule (\w+):\n(?:    .*\n)*?    output: (.*)\n    log: logs/(\S+)\.log\n", said, re.M
    )
    assert len(planned) > 20
    assert {(job.rule, job.name) for job in listed} == {(rule, name) for rule, _, name in planned}
    outputs = {name: files.split(", ") for _, files, name in planned}
    assert all(job.product in outputs[job.name] for job in listed)
    assert len(listed) == len(planned)


def test_jobs_know_the_figures_that_wait_for_them(fresh):
    here = yaml.safe_load((fresh.folder / "config.yaml").read_text())
    waiting = {job.name: job.figures for job in jobs(config.load(here | {"study": "tiny"}, fresh.folder))}
    assert waiting["prepare_data/mnist"] == ("fig1a", "fig1b", "fig2a", "fig4a", "fig7a")
    assert waiting["tiny/models/mnist_corruption/corrupt-1.0_seed-0"] == ("fig1a", "fig2a")
    assert waiting["tiny/noise/mnist_corruption/corrupt-1.0_seed-0"] == ("fig2a",)
    assert waiting["tiny/ablation/conv_corruption/corrupt-0.0_seed-0"] == ("fig1b",)
    assert waiting["tiny/tables/mnist_corruption/areas"] == ("fig1a",)
    assert waiting["tiny/single/mnist_selectivity/seed-0"] == ("fig7a",)
    assert waiting["tiny/figures/fig4a"] == ("fig4a",)
