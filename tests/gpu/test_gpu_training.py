"""Training on a GPU: the CPU's losses, exact resume, images from files, several processes."""

import shutil
import signal
import subprocess
import time

import digits
import numpy as np
import pandas as pd
import pytest
import torch
from devices import DEVICE, NETWORKS, run, train, trained
from safetensors.torch import load_file

from directions.data import labels
from directions.data.registry import KNOWN
from directions.data.specs import Request

LOSSES = ["train_loss", "test_loss"]
# Relative: rounding grows with every step of training.
CLOSE = {"float32": 1e-3, "bf16": 0.1}
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node")


@pytest.mark.parametrize("precision", CLOSE)
@pytest.mark.parametrize("model", NETWORKS)
def test_training_has_the_losses_of_the_cpu(folder, model, precision):
    settings = NETWORKS[model] | {"precision": precision}
    there, here = (
        pd.read_csv(trained(folder, settings, device, f"{model}-{precision}-{device}") / "history.csv")
        for device in ("cpu", DEVICE)
    )
    assert len(there) == len(here) == 8
    assert np.ptp(there["train_loss"]) > 10 * CLOSE["float32"]  # it learns
    np.testing.assert_allclose(here[LOSSES], there[LOSSES], rtol=CLOSE[precision])


@pytest.mark.parametrize("model", NETWORKS)
def test_a_killed_training_ends_with_the_same_bytes(folder, model):
    settings = NETWORKS[model] | {"epochs": 60, "keep_epochs": [0, 30]}
    if model == "mlp":
        settings |= {"dropout": 0.2}  # draws from the generator of the device
    unbroken = trained(folder, settings, DEVICE, f"{model}-unbroken")
    command = train(folder, settings, DEVICE, f"{model}-broken", (), "--snapshot-seconds", "0")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while not (folder / f"{model}-broken/resume/snapshot.pt").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert "resuming after step" in run(command)
    for name in ("model.safetensors", "checkpoints.safetensors", "history.csv"):
        assert (folder / f"{model}-broken" / name).read_bytes() == (unbroken / name).read_bytes(), name


def test_images_are_read_from_files_as_on_the_cpu(tmp_path):
    tree = digits.tree(tmp_path / "tree", 167, 41)
    data = KNOWN["imagefolder"].prepare(Request(tree, ("local",), tree, digits.SIZE, stream=True))
    data.save(tmp_path / "data.safetensors")
    labels.save(tmp_path / "ledger.parquet", labels.ledger(data.train_labels, data.name, "all", 0.5, 0))
    settings = NETWORKS["conv11"] | {"augment": True, "pad": 0}
    there, here = (
        pd.read_csv(trained(tmp_path, settings, device, f"files-{device}") / "history.csv")
        for device in ("cpu", DEVICE)
    )
    np.testing.assert_allclose(here[LOSSES], there[LOSSES], rtol=CLOSE["float32"])


def test_torchrun_trains_the_same_network_on_all_gpus(folder):
    settings = NETWORKS["conv11"] | {"norm_batch": 4}
    alone = load_file(trained(folder, settings, DEVICE, "alone") / "model.safetensors")
    for processes in sorted({1, max(1, 2 ** (torch.cuda.device_count().bit_length() - 1))}):
        name = f"processes-{processes}"
        together = trained(folder, settings, DEVICE.split(":")[0], name, (*TORCHRUN, str(processes)))
        found = load_file(together / "model.safetensors")
        for key, tensor in alone.items():
            torch.testing.assert_close(found[key], tensor, rtol=1e-4, atol=1e-5)
        shutil.rmtree(together)
