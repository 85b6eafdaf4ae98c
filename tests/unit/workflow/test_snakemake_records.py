"""What a product without a record shows by itself."""

import json
from types import SimpleNamespace

import pytest
import torch

from directions.models import files as model_files
from directions.workflow.snakemake_records import header_of, tells_its_settings

SETTINGS = {"seed": 0, "learning_rate": 0.05, "hidden": [12, 8]}


def job(stage, model="", **asked):
    given = {"stage": stage, "upstream": "0" * 16} | asked
    return SimpleNamespace(
        rule=SimpleNamespace(name="has_another_name_where_the_workflow_is_a_module"),
        params={"asked": json.dumps(given, sort_keys=True)},
        output=SimpleNamespace(model=model),
    )


def test_a_network_tells_the_settings_and_the_recipe_of_its_training(tmp_path):
    model = tmp_path / "model.safetensors"
    model_files.save(model, {"w": torch.ones(2)}, {"settings": SETTINGS, "recipe": 1, "classes": 10})
    assert header_of(model) == {"settings": SETTINGS, "recipe": 1, "classes": 10}
    assert tells_its_settings(job("train", model, settings=SETTINGS, recipe=1))
    assert not tells_its_settings(job("train", model, settings=SETTINGS | {"seed": 1}, recipe=1))
    assert not tells_its_settings(job("train", model, settings=SETTINGS, recipe=2))


@pytest.mark.parametrize("content", [b"", b"garbage" * 99, b"\xff" * 8, b"\x04\0\0\0\0\0\0\0[[]]", None])
def test_what_is_no_network_tells_nothing(tmp_path, content):
    model = tmp_path / "model.safetensors"
    if content is not None:
        model.write_bytes(content)
    assert header_of(model) == {}
    assert not tells_its_settings(job("train", model, settings=SETTINGS, recipe=1))


def test_known_data_and_labels_are_told_by_their_names_and_nothing_else_is():
    assert tells_its_settings(job("labels", settings={"corrupt": 0.5}))
    assert tells_its_settings(job("data", settings={"dataset": "mnist"}))
    assert not tells_its_settings(job("data", settings={"dataset": "imagefolder", "path": "photos"}))
    assert not tells_its_settings(job("add_noise", settings={}))
