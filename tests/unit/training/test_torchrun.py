"""How scripts are started in several processes, and that no number of them changes the global batch."""

import sys

import pytest

from directions.core.errors import InputError
from directions.training import torchrun
from directions.training.distributed import Processes

SCRIPT = ["scripts/train.py", "--data", "x"]


def test_one_process_is_plain_python():
    assert torchrun.command(SCRIPT, 1, 1, 8, "here", None) == [sys.executable, *SCRIPT]


def test_several_processes_on_one_node_are_started_by_torchrun():
    found = torchrun.command(SCRIPT, 1, 4, 8, "here", "17")
    assert found[1:] == ["-m", "torch.distributed.run", "--nproc-per-node", "4", "--standalone", *SCRIPT]


def test_on_several_nodes_srun_starts_one_torchrun_each_that_meet_on_the_first():
    found = torchrun.command(SCRIPT, 8, 4, 32, "here", "10017")
    assert found[0] == "srun"
    assert {"--nodes=8", "--ntasks=8", "--ntasks-per-node=1", "--cpus-per-task=32"} < set(found)
    assert found[found.index("--rdzv-endpoint") + 1] == "here:20017"
    assert found[found.index("--nnodes") + 1] == "8"
    assert found[-3:] == SCRIPT


def test_several_nodes_need_slurm():
    with pytest.raises(InputError, match="2 nodes .* outside of a Slurm job: set nodes to 1"):
        torchrun.command(SCRIPT, 2, 1, 1, "here", None)


@pytest.mark.parametrize("count", [1, 2, 4, 8, 16, 32])
def test_the_global_batch_of_the_paper_is_1024_for_every_number_of_processes(count):
    assert count * Processes(0, count).share(1024, 32) == 1024
