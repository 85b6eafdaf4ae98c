"""How a script sets up torch."""

import pytest
import torch

from directions import cli


@pytest.fixture(autouse=True)
def leave_no_trace():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)


def test_subnormal_numbers_become_zero(monkeypatch):
    monkeypatch.setattr(torch, "set_num_interop_threads", lambda _count: None)  # torch takes it once only
    smallest = torch.finfo(torch.float32).tiny
    numbers = torch.full((1000,), smallest)
    assert (numbers * 0.5).count_nonzero() == 1000
    cli.prepare_torch("cpu", 1)
    assert (numbers * 0.5).count_nonzero() == 0
    assert (numbers * 1.0).count_nonzero() == 1000
