import pytest
import torch

from directions import models, records, weights
from directions.errors import InputError
from directions.examples import Examples


def model_file(toy, settings, path):
    train_set = Examples(torch.tensor(toy.train_images), torch.tensor(toy.train_labels), toy.classes)
    model = models.build(settings, train_set.image_shape, toy.classes)
    weights.save(path, model.state_dict(), records.header(settings, train_set))
    return model


def test_a_model_file_rebuilds_the_network(toy, settings, tmp_path):
    model = model_file(toy, settings, tmp_path / "m.safetensors")
    loaded, header = weights.load_model(tmp_path / "m.safetensors")
    expected = model.state_dict()
    assert loaded.state_dict().keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in loaded.state_dict().items())
    assert header["settings"] == settings
    assert not loaded.training


def test_garbage_in_place_of_a_model_is_refused_by_name(tmp_path):
    path = tmp_path / "m.safetensors"
    for content in (b"", b"garbage" * 99, b"\x08\0\0\0\0\0\0\0{}      "):
        path.write_bytes(content)
        with pytest.raises(InputError, match="m.safetensors is not a model file.*delete it"):
            weights.load_model(path)


def test_weights_of_another_architecture_are_refused_by_name(toy, settings, tmp_path):
    path = tmp_path / "m.safetensors"
    model_file(toy, settings, path)
    state, header = weights.load_state(path)
    weights.save(path, state, header | {"settings": settings | {"hidden": [9, 6]}})
    with pytest.raises(InputError, match=r"m.safetensors: weights and architecture do not fit.*linear1"):
        weights.load_model(path)
