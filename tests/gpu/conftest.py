"""Everything that has a path of its own on a GPU, compared with the CPU: `make test-gpu`.

GPU_DEVICE names another device, such as cuda:1; with cpu, the CPU is compared with itself, which shows no
more than that the tests run.
"""

from pathlib import Path

import pytest
import torch
from devices import DEVICE
from toys import toy_dataset

from directions.data import labels


def pytest_collection_modifyitems(items):
    if DEVICE.startswith("cuda") and not torch.cuda.is_available():
        lacking = pytest.mark.skip(reason="PyTorch sees no GPU on this machine")
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(lacking)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """A small data set and its label ledger."""
    made, data = tmp_path_factory.mktemp("gpu"), toy_dataset()
    data.save(made / "data.safetensors")
    labels.save(made / "ledger.parquet", labels.ledger(data.train_labels, data.name, "all", 0.0, 0))
    return made
