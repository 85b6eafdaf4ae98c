"""Dataset and DataLoader as data: the same tables as of arrays, and only the images used are read."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

import directions
from directions import analyse
from directions.core.errors import InputError
from directions.data import torch_datasets
from unit.interventions.test_self_check import FEW, LAYERS, Net

SOME = FEW | {"train_images": 30, "analyses": ["ablate_single"]}


@pytest.fixture
def arrays() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(60, 20, generator=torch.Generator().manual_seed(0)), torch.arange(60) % 4


def losses(data, **over) -> list[float]:
    return analyse(Net(), list(LAYERS), data, **SOME | over).tables["single"]["loss_after"].tolist()


class Counting(Dataset):
    """Gives dicts, and counts what is read."""

    def __init__(self, images, labels):
        self.images, self.labels, self.read = images, labels, []

    def __len__(self):
        return len(self.images)

    def __getitem__(self, place):
        self.read.append(int(place))
        return {"image": self.images[place], "label": int(self.labels[place])}


class Stream(IterableDataset):
    def __init__(self, images, labels):
        self.pairs = list(zip(images, labels, strict=True))

    def __iter__(self):
        return iter(self.pairs)


def test_a_dataset_or_loader_gives_what_its_arrays_give(arrays):
    wanted = losses(arrays)
    counting = Counting(*arrays)
    assert losses(counting) == pytest.approx(wanted)
    assert len(set(counting.read)) <= 31
    for data in (
        TensorDataset(*arrays),
        DataLoader(TensorDataset(*arrays), batch_size=7, shuffle=True, drop_last=True),
        DataLoader(Counting(*arrays), batch_size=7),
    ):
        assert losses(data) == pytest.approx(wanted)
    first = tuple(part[:30] for part in arrays)
    for data in (
        Stream(*arrays),
        DataLoader(Stream(*arrays), batch_size=8),
        Subset(TensorDataset(*arrays), range(30)),
    ):
        assert losses(data) == pytest.approx(losses(first))
    sampled = DataLoader(TensorDataset(*arrays), sampler=list(range(30)), batch_size=4)
    assert losses(sampled) == pytest.approx(losses(first))


def test_a_collate_fn_sees_whole_batches(arrays):
    """One that takes the mean of a batch away gives nothing but zeros where it sees one item at a time."""

    def centred(items):
        images = torch.stack([image for image, _ in items])
        return images - images.mean(0), torch.stack([label for _, label in items])

    images, labels = arrays
    wanted = torch.cat([part - part.mean(0) for part in images.split(7)])
    loader = DataLoader(TensorDataset(*arrays), batch_size=7, shuffle=True, collate_fn=centred)
    assert losses(loader) == pytest.approx(losses((wanted, labels)))
    halved = DataLoader(TensorDataset(*arrays), batch_size=7, collate_fn=lambda items: centred(items[::2]))
    with pytest.raises(InputError, match="collate_fn returns 4 images for 7 items: return one each"):
        losses(halved)


def test_layers_are_refused_before_images_are_read(arrays):
    counting = Counting(*arrays)
    with pytest.raises(InputError, match="no layer 'gone'"):
        analyse(Net(), ["gone"], counting, **SOME)
    assert set(counting.read) == {0} or len(counting.read) == 1


def test_pictures_are_read_and_random_transforms_doubted(caplog):
    class Pictures(Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, place):
            return Image.new("RGB", (5, 4), (place, 0, 0)), place % 2

    images, labels = torch_datasets.read(Pictures(), "all", "own data")
    assert images.shape == (4, 4, 5, 3)
    assert images.dtype == np.uint8
    assert labels.tolist() == [0, 1, 0, 1]
    assert "differs each time" not in caplog.text

    class Random(Pictures):
        def __getitem__(self, place):
            return torch.rand(1, 4, 4), place % 2

    torch_datasets.read(Random(), "all", "own data")
    assert "an image differs each time it is read" in caplog.text


@pytest.mark.parametrize(("item", "said"), [
    (3, "returns int: return pairs"), ({"photo": 1}, "return pairs"), ((torch.ones(3),), "return pairs"),
])  # fmt: skip
def test_items_that_are_no_pairs_are_refused(item, said):
    class Odd(Dataset):
        def __len__(self):
            return 2

        def __getitem__(self, place):
            return item

    with pytest.raises(InputError, match=said):
        analyse(Net(), list(LAYERS), Odd(), **SOME)
    with pytest.raises(InputError, match="TensorDataset has no images"):
        analyse(Net(), list(LAYERS), TensorDataset(torch.zeros(0, 20), torch.zeros(0)), **SOME)


def test_arguments_choose_orderings_noise_units_and_layers(arrays):
    network = Net()
    found = analyse(
        network, list(LAYERS), arrays, ablate=["relu2"], orderings=3, noise=np.array([1.0, 0.5]),
        units={"relu2": (1, 0), "relu1": [5]}, train_images=20, add_noise={"repeats": 1}, progress=False,
        measure_units={"bins": 4, "shuffles": 1},
    ).tables  # fmt: skip
    assert set(found["ablation"]["units"]) == {8}
    assert set(found["ablation"]["ordering"]) == {0, 1, 2}
    assert sorted(set(found["noise"]["noise_sd_ratio"])) == [0, 0.5, 1]
    assert list(zip(found["single"]["layer"], found["single"]["unit"], strict=True)) == [
        ("relu1", 5), ("relu2", 0), ("relu2", 1)
    ]  # fmt: skip
    for units, said in (
        ({"relu3": [0]}, "relu3 is not a layer of units"),
        ({"relu2": [8]}, "0 to 7, not 8"),
    ):
        with pytest.raises(InputError, match=said):
            analyse(network, list(LAYERS), arrays, units=units, **SOME)
    with pytest.raises(InputError, match=r"add_noise.ratios\[0\].*a number > 0"):
        analyse(network, list(LAYERS), arrays, noise=[0], **SOME)


def test_test_sets_may_have_other_sizes_but_not_other_images(arrays):
    few = tuple(part[:7] for part in arrays)
    runs = analyse(Net(), list(LAYERS), arrays, few, **SOME).tables["runs"]
    assert runs[["train_images", "test_images"]].to_numpy().tolist() == [[30, 7]]
    with pytest.raises(InputError, match=r"test images are \(19,\), training images \(20,\)"):
        analyse(Net(), list(LAYERS), arrays, (arrays[0][:, :19], arrays[1]), **SOME)


def test_what_was_found_is_saved(arrays, tmp_path):
    found = analyse(Net(), list(LAYERS), arrays, **SOME)
    folder = found.save(tmp_path / "new/mine")
    assert {path.name for path in folder.iterdir()} == {"runs.csv", "single.csv", "figure.png", "figure.pdf"}
    read = pd.read_csv(folder / "single.csv")
    np.testing.assert_allclose(read["importance"], found.tables["single"]["importance"])


def test_layers_are_shown_and_the_network_is_left_as_it_is(capsys):
    network = Net().train()
    assert directions.show_layers(network, (20,)) == ["fc0_relu", "relu1", "relu2"]
    assert "layers: [fc0_relu, relu1, relu2]" in capsys.readouterr().out
    assert network.training


SCRIPT = """
import torch
from torch import nn
from directions import analyse
network = nn.Sequential(nn.Linear(20, 6), nn.ReLU(), nn.Linear(6, 4))
found = analyse(network, ["1"], (torch.randn(40, 20), torch.arange(40) % 4 ), analyses=["ablate_cumulative"],
                ablate_cumulative={"points": 3}, progress=PROGRESS)
print(len(found.doubts))
"""


def test_progress_and_doubts_are_told_without_configured_logging():
    said = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT.replace("PROGRESS", progress)],
            capture_output=True,
            text=True,
            check=True,
        )
        for progress in ("True", "False")
    ]
    for done in said:
        assert done.stderr.count("Accuracy is about chance") == 1
        assert int(done.stdout) >= 1
    assert "along a chain" in said[0].stderr
    assert "with 10 orderings" in said[0].stderr
    assert "along a chain" not in said[1].stderr
