"""Train and analyse on a device, for tests/gpu."""

import json
import os
import sys
from pathlib import Path

import pandas as pd
import pythons
from checkouts import ROOT
from toys import SETTINGS

DEVICE = os.environ.get("GPU_DEVICE", "cuda")
NETWORKS = {
    "mlp": SETTINGS | {"hidden": [64, 64], "epochs": 8, "keep_epochs": [0, 4], "evaluate_every": 1},
    "conv11": SETTINGS | {
        "model": "conv11", "hidden": None, "width": 0.0625, "batch_norm": True, "pad": 2, "optimizer": "adam",
        "momentum": None, "learning_rate": 0.003, "epochs": 8, "keep_epochs": [0, 4], "evaluate_every": 1,
        "test_images": 30,
    },
}  # fmt: skip


def train(folder: Path, settings: dict, device: str, name: str, launcher=(), *more: str) -> list[str]:
    """The command that trains on the data of `folder`, into folder/name."""
    out = folder / name
    return [
        sys.executable, *launcher, f"{ROOT}/scripts/train.py", "--data", f"{folder}/data.safetensors",
        "--ledger", f"{folder}/ledger.parquet", "--asked", json.dumps({"settings": settings}),
        "--resume", f"{out}/resume", "--model", f"{out}/model.safetensors",
        "--checkpoints", f"{out}/checkpoints.safetensors", "--history", f"{out}/history.csv",
        "--record", f"{out}/record.json", "--device", device, "--threads", "1", *more,
    ]  # fmt: skip


def trained(folder: Path, settings: dict, device: str, name: str, launcher=()) -> Path:
    run(train(folder, settings, device, name, launcher))
    return folder / name


def run(command: list[str]) -> str:
    done = pythons.run(command)
    assert done.returncode == 0, done.stderr
    return done.stdout


def analysed(folder: Path, network: Path, analysis: str, settings: dict, device: str) -> pd.DataFrame:
    """Table of an analysis of a trained network, computed on `device`."""
    table = network / f"{analysis}-{device.replace(':', '')}.csv"
    run([
        sys.executable, f"{ROOT}/scripts/analyse.py", "--analysis", f"directions.analyses.{analysis}",
        "--asked", json.dumps({"settings": settings}), "--model", f"{network}/model.safetensors",
        "--data", f"{folder}/data.safetensors", "--ledger", f"{folder}/ledger.parquet",
        "--table", f"{table}", "--device", device, "--threads", "1",
    ])  # fmt: skip
    return pd.read_csv(table)
