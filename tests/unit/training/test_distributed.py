import pytest
import torch

from directions.core.errors import InputError
from directions.training import distributed
from directions.training.distributed import ALONE, Processes


def test_without_torchrun_a_process_is_alone(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")  # some clusters say so to everything that they start
    with distributed.joined() as found:
        assert found == ALONE
    assert ALONE.first
    assert ALONE.share(7, None) == 7
    assert ALONE.part(7) == slice(0, 7)
    assert ALONE.device(torch.device("cuda:3")) == torch.device("cuda:3")
    assert ALONE.threads(3) == 3
    assert ALONE.received("this") == "this"
    assert ALONE.summed([0.1, 3], torch.device("cpu")) == [0.1, 3]


@pytest.mark.parametrize(("count", "share"), [(1, 24), (2, 12), (3, 8), (6, 4)])
def test_a_batch_is_shared_in_whole_groups(count, share):
    assert Processes(0, count).share(24, 4) == share


@pytest.mark.parametrize("count", [4, 5, 12])
def test_processes_that_cannot_share_a_batch_are_refused(count):
    refused = f"batch 24 in groups of norm_batch 4 cannot be shared by {count} processes: start 1, 2, 3 or 6$"
    with pytest.raises(InputError, match=refused):
        Processes(0, count).share(24, 4)


def test_statistics_that_would_depend_on_the_number_of_processes_are_refused():
    with pytest.raises(InputError, match="norm_batch is null.*2 processes.*set norm_batch"):
        Processes(0, 2).share(24, None)


@pytest.mark.parametrize(("count", "images"), [(2, 7), (3, 7), (4, 3), (3, 9)])
def test_every_image_is_evaluated_by_one_process(count, images):
    parts = [list(range(images))[Processes(rank, count).part(images)] for rank in range(count)]
    assert sum(parts, []) == list(range(images))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_the_threads_of_a_job_are_those_of_its_processes_together():
    assert Processes(0, 8, 0, 4).threads(16) == 4
    assert Processes(0, 8, 0, 4).threads(2) == 1


def test_every_process_takes_the_gpu_of_its_own_number(monkeypatch):
    chosen = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    assert Processes(3, 4, 1, 2).device(torch.device("cuda")) == torch.device("cuda:1")
    assert chosen == [1]
    assert Processes(3, 4, 1, 2).device(torch.device("cpu")) == torch.device("cpu")
    with pytest.raises(InputError, match="cuda:1 cannot serve 4 processes"):
        Processes(3, 4, 1, 2).device(torch.device("cuda:1"))
    with pytest.raises(InputError, match="3 processes, but torch sees 2 GPUs"):
        Processes(0, 3, 0, 3).device(torch.device("cuda"))
