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


def test_one_process_is_plain_python_and_several_are_started_by_torchrun(grouped):
    path = "results/tiny/models/conv_corruption/corrupt-0.0_seed-0/model.safetensors"
    for count, start in ((1, "start=python"), (2, "torchrun --standalone --nproc-per-node 2")):
        chosen = ["--set-resources", f"train_distributed:processes={count}"]
        done = grouped.snakemake("--dry-run", "--printshellcmds", *chosen, "--", path)
        assert done.returncode == 0, done.stderr
        assert start in done.stdout
        assert f"test {count} = 1" in done.stdout
