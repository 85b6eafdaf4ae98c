"""The list of jobs that reports are made from; that Snakemake plans the same: test_studies.py."""

import yaml

from directions.study import config
from directions.workflow.jobs import jobs


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
