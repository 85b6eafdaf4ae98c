"""Which networks may be trained by several processes, and that their number is nothing they depend on."""

import pytest
from checkouts import Checkout, checkout


@pytest.fixture
def grouped(tmp_path) -> Checkout:
    """The tiny study, its conv net with batch norm over groups."""
    made = checkout(tmp_path)
    made.edit("configs/tiny.yaml", "epochs: 1, batch: 20}", "epochs: 1, batch: 20, norm_batch: 10}")
    return made


def test_networks_with_norm_batch_have_a_rule_of_their_own(fresh, grouped):
    before, after = fresh.jobs(), grouped.jobs()
    assert after.pop("train_distributed") == 1
    assert after == before | {"train": before["train"] - 1}


def test_how_many_processes_there_are_is_the_machines_affair(grouped):
    path = "results/tiny/models/conv_corruption/corrupt-0.0_seed-0/model.safetensors"
    chosen = ["--set-resources", "train_distributed:processes=2", "train_distributed:nodes=3"]
    done = grouped.snakemake("--dry-run", "--printshellcmds", *chosen, "--", path)
    assert done.returncode == 0, done.stderr
    assert "python scripts/launch.py --nodes 3 --processes 2" in done.stdout
