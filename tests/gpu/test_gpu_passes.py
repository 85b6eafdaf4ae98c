"""Several networks trained in one pass over a GPU: what training each alone makes there."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
from checkouts import ROOT
from devices import DEVICE, NETWORKS, run, train, trained

LOSSES = ["train_loss", "test_loss"]


@pytest.mark.parametrize("model", NETWORKS)
def test_networks_of_a_pass_have_the_losses_of_their_own_training(folder, model):
    settings = NETWORKS[model] | ({"dropout": 0.2} if model == "mlp" else {})
    each = {f"{model}-pass-{seed}": settings | {"seed": seed} for seed in range(3)}
    runs = {
        name: {
            "settings": chosen, "data": f"{folder}/data.safetensors", "ledger": f"{folder}/ledger.parquet",
            "resume": f"{folder}/{name}/resume", "model": f"{folder}/{name}/model.safetensors",
        }
        for name, chosen in each.items()
    }  # fmt: skip
    run([
        sys.executable, f"{ROOT}/scripts/train_many.py", "--runs", json.dumps(runs),
        "--done", f"{folder}/{model}.json", "--device", DEVICE, "--threads", "1",
    ])  # fmt: skip
    for name, chosen in each.items():
        assert "resuming after step" in run(train(folder, chosen, DEVICE, name))
        alone = trained(folder, chosen, DEVICE, f"{name}-alone")
        there, here = (pd.read_csv(path / "history.csv") for path in (alone, folder / name))
        assert len(there) == len(here) == 8
        np.testing.assert_allclose(here[LOSSES], there[LOSSES], rtol=1e-3)
