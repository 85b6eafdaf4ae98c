import numpy as np
import pytest

from directions.core.errors import InputError
from directions.data import labels
from directions.data.examples import load_examples


@pytest.fixture
def paths(toy, tmp_path):
    toy.save(tmp_path / "toy.safetensors")
    labels.save(tmp_path / "ledger.parquet", labels.ledger(toy.train_labels, "toy", 20, 0.5, 0))
    return tmp_path / "toy.safetensors", tmp_path / "ledger.parquet"


def test_fewer_test_images_are_a_part_of_more_with_their_labels(toy, paths):
    whole = load_examples(*paths, "test", "cpu")
    np.testing.assert_array_equal(whole.labels, toy.test_labels)
    parts = {count: load_examples(*paths, "test", "cpu", count) for count in (10, 25)}
    found = {
        count: {
            (image.numpy().tobytes(), int(label)) for image, label in zip(e.images, e.labels, strict=True)
        }
        for count, e in parts.items()
    }
    every = {(image.tobytes(), label) for image, label in zip(toy.test_images, toy.test_labels, strict=True)}
    assert found[10] < found[25] < every
    assert len(load_examples(*paths, "train", "cpu", 10)) == 20  # of the training set `images` says how many


def test_more_test_images_than_there_are_are_refused(paths):
    with pytest.raises(InputError, match="test_images: 41 requested, but toy has 40"):
        load_examples(*paths, "test", "cpu", 41)
