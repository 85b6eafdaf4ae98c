"""Images that stay in their files, from a tree of small real JPEG and PNG files."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from data_samples import photo, truncate
from torch import nn

from directions.core.errors import InputError
from directions.core.scoring import evaluate
from directions.data import labels
from directions.data.examples import load_examples
from directions.data.registry import KNOWN
from directions.data.specs import Request
from directions.data.streaming import PIECE, ImageFiles, Unreadable, check, decode
from directions.training import record as training_record

SIZE = 24
COUNT = 40  # training images: several pieces, the last not full
MODES = {1: ("png", "L"), 2: ("png", "RGBA"), 3: ("jpg", "CMYK"), 4: ("png", "P")}  # the others are RGB


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """40 training and 10 test images of 2 classes, wide and tall, of all kinds."""
    folder = tmp_path_factory.mktemp("tree")
    for number in range(COUNT + 10):
        split, name = ("train" if number < COUNT else "test"), ("cat", "dog")[number % 2]
        suffix, mode = MODES.get(number, ("jpg", "RGB"))
        size = (40, 30) if number % 3 else (27, 50)
        photo(folder / split / name / f"é {number:02d}.{suffix}", number, size, mode)
    return folder


def prepare(tree, stream):
    return KNOWN["imagefolder"].prepare(Request(tree, ("local",), tree, SIZE, stream, threads=2))


@pytest.fixture(scope="module")
def prepared(tree, tmp_path_factory):
    """{stream: path of the data set}, and path of a ledger of 30 of its training images."""
    folder = tmp_path_factory.mktemp("prepared")
    paths = {stream: folder / f"{stream}.safetensors" for stream in (False, True)}
    for stream, path in paths.items():
        prepare(tree, stream).save(path)
    true = prepare(tree, False).train_labels
    labels.save(folder / "ledger.parquet", labels.ledger(true, "imagefolder", 30, 0.5, 0))
    return paths, folder / "ledger.parquet"


@pytest.fixture
def images(tree):
    files = prepare(tree, True).train_images
    return ImageFiles(files, np.arange(COUNT), torch.device("cpu"))


def pixels(images, size=COUNT):
    return torch.cat(list(images.split(size)))


def with_workers(images, workers):
    return ImageFiles(images.files, images.index, images.device, workers, images.crop_key)


@pytest.mark.parametrize(("split", "options"), [("train", ()), ("test", ()), ("test", (7,))])
def test_the_same_pixels_and_labels_as_in_memory(prepared, split, options):
    paths, ledger = prepared
    memory, stream = (load_examples(paths[s], ledger, split, "cpu", *options) for s in (False, True))
    assert isinstance(stream.images, ImageFiles)
    assert stream.images.shape == memory.images.shape == (len(stream), *stream.image_shape)
    assert stream.image_shape == (3, SIZE, SIZE)
    assert stream.images.device == memory.images.device
    assert torch.equal(pixels(stream.images), memory.images)
    assert torch.equal(stream.labels, memory.labels)
    assert (stream.classes, stream.changed_share) == (memory.classes, memory.changed_share)


def test_a_network_scores_the_same_as_in_memory(prepared):
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE * SIZE, 2))
    scores = []
    for stream, path in prepared[0].items():
        examples = load_examples(path, prepared[1], "train", "cpu", workers=2 * stream)
        scores += [evaluate(network, examples.images, examples.labels, size) for size in (None, 7)]
    assert {score.accuracy for score in scores} == {scores[0].accuracy}
    np.testing.assert_allclose([score.loss for score in scores], scores[0].loss, rtol=1e-6)


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("size", [1, 7, PIECE, 33, 1000])
def test_batches_hang_neither_on_workers_nor_on_their_size(images, workers, size):
    expected = pixels(images)
    found = list(with_workers(images, workers).split(size))
    assert [len(batch) for batch in found] == [len(batch) for batch in expected.split(size)]
    assert torch.equal(torch.cat(found), expected)
    assert not multiprocessing.active_children()


def test_chosen_images_in_their_order(images):
    whole = pixels(images)
    order = torch.randperm(COUNT)
    assert torch.equal(pixels(images[order]), whole[order])
    assert torch.equal(pixels(images[order.numpy()][5:20:3]), whole[order][5:20:3])
    assert torch.equal(pixels(images[order][torch.tensor([3, 3, 0])]), whole[order][[3, 3, 0]])
    assert images[:1].shape == (1, 3, SIZE, SIZE)
    assert len(list(images[:0].split(8))) == 0


def test_choosing_decodes_nothing(images, monkeypatch):
    monkeypatch.setattr("directions.data.streaming.decode", lambda *_: pytest.fail("was decoded"))
    assert len(images[torch.arange(9)].augmented(1)[2:]) == 7


@pytest.mark.parametrize("workers", [0, 2])
def test_random_crops_hang_on_key_and_image_alone(images, workers):
    expected = pixels(images.augmented("seed", 3))
    order = torch.randperm(COUNT)
    found = pixels(with_workers(images, workers)[order].augmented("seed", 3), 11)
    assert torch.equal(found, expected[order])
    plain, other = pixels(images), pixels(images.augmented("seed", 4))
    same = [(a == b).flatten(1).all(1).sum() for a, b in ((expected, plain), (expected, other))]
    assert same == [0, 0]
    assert torch.equal(pixels(images), plain)


def test_about_half_of_the_images_are_mirrored(tmp_path):
    """Left dark and right bright: any crop tells by its slope whether it was mirrored."""
    from PIL import Image

    ramp = np.broadcast_to(np.linspace(0, 255, 60).astype(np.uint8)[None, :, None], (50, 60, 3))
    for place in ("train/a/1.png", "test/a/1.png"):
        (tmp_path / place).parent.mkdir(parents=True)
        Image.fromarray(ramp.copy()).save(tmp_path / place)
    images = ImageFiles(prepare(tmp_path, True).train_images, np.zeros(1, int), torch.device("cpu"))
    crops = torch.cat([pixels(images.augmented(key)) for key in range(200)]).float()
    mirrored = crops[..., 0].mean((1, 2)) > crops[..., -1].mean((1, 2))
    assert 70 < mirrored.sum() < 130
    contrast = (crops[..., 0] - crops[..., -1]).abs().mean((1, 2))
    assert contrast.min() < 120 < 200 < contrast.max()  # small and large crops


def test_equal_images_are_cropped_each_in_its_own_way(tmp_path):
    for place in ("train/a/1.jpg", "train/a/2.jpg", "test/a/1.jpg"):
        photo(tmp_path / place, 0)
    images = ImageFiles(prepare(tmp_path, True).train_images, np.arange(2), torch.device("cpu"))
    assert torch.equal(*pixels(images))
    assert not torch.equal(*pixels(images.augmented(0)))


@pytest.mark.parametrize("workers", [0, 2])
def test_the_global_generator_is_left_alone(images, workers):
    before = torch.get_rng_state()
    pixels(with_workers(images, workers).augmented(1))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.fixture
def own(tmp_path):
    """A tree to damage: 40 images in one class, and the list of them."""
    for number in range(COUNT):
        photo(tmp_path / "train" / "a" / f"{number:02d}.jpg", number)
    photo(tmp_path / "test" / "a" / "1.jpg", 0)
    return tmp_path, ImageFiles(prepare(tmp_path, True).train_images, np.arange(COUNT), torch.device("cpu"))


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (truncate, "it was changed after the data set was prepared"),
        (lambda path: photo(path, 99), "it was changed after the data set was prepared"),
        (lambda path: path.unlink(), "No such file"),
    ],
)
def test_a_file_that_went_bad_is_named_in_one_line(own, workers, damage, why):
    folder, images = own
    bad = folder / "train" / "a" / "21.jpg"
    damage(bad)
    found = []
    with pytest.raises(InputError) as caught:
        found.extend(with_workers(images, workers).split(10))
    assert str(caught.value).startswith(f"{bad} (")
    assert why in str(caught.value)
    assert "prepare_data.py checks all files" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [len(batch) for batch in found] == [10, 10]  # those before it were whole
    assert not multiprocessing.active_children()


def test_workers_and_files_are_gone_when_iteration_stops_early(images):
    streamed = with_workers(images, 2)
    next(streamed.split(5))  # what starts once and stays, e.g. a resource tracker
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        batches = streamed.split(5)
        next(batches)
        assert len(multiprocessing.active_children()) == 2
        del batches
        assert not multiprocessing.active_children()
    assert len(os.listdir("/proc/self/fd")) < before + 5  # fewer than one per round


def test_one_batch_of_one_piece_starts_no_worker(images):
    batches = with_workers(images, 2)[:1].split(1)
    assert next(batches).shape == (1, 3, SIZE, SIZE)
    assert not multiprocessing.active_children()


def test_the_digest_stands_for_the_pixels(own):
    folder, images = own
    others = [
        images[torch.arange(COUNT).flip(0)],
        images[:5],
        images.augmented(0),
        ImageFiles(
            KNOWN["imagefolder"].prepare(Request(folder, ("local",), folder, 8, True)).train_images,
            *(images.index, images.device),
        ),
    ]
    photo(folder / "train" / "a" / "00.jpg", 99)
    others.append(ImageFiles(prepare(folder, True).train_images, images.index, images.device))
    assert len({found.digest for found in (images, *others)}) == 6
    moved = folder.rename(folder.with_name("moved"))
    again = ImageFiles(prepare(moved, True).train_images, images.index, images.device, workers=3)
    assert again.digest == others[-1].digest


def test_the_fingerprint_of_a_training_reads_no_image(prepared, monkeypatch):
    examples = [load_examples(prepared[0][True], prepared[1], "train", "cpu") for _ in range(2)]
    monkeypatch.setattr("directions.data.streaming.decode", lambda *_: pytest.fail("was decoded"))
    train = examples[0]
    assert training_record.fingerprint({}, train, train) == training_record.fingerprint({}, *examples)
    assert training_record.fingerprint({"a": 1}, train, train) != training_record.fingerprint(
        {}, train, train
    )
    shorter = load_examples(prepared[0][True], prepared[1], "test", "cpu", 5)
    other = load_examples(prepared[0][True], prepared[1], "test", "cpu", 5)
    object.__setattr__(other, "images", other.images[torch.arange(5).flip(0)])
    assert training_record.fingerprint({}, shorter, train) != training_record.fingerprint({}, other, train)
    assert training_record.fingerprint({}, train, shorter) != training_record.fingerprint(
        {}, train, other
    )  # seen in history


def test_a_folder_that_is_gone_is_named(own, tmp_path):
    folder, _ = own
    path = tmp_path / "own.safetensors"
    dataset = prepare(folder, True)
    dataset.save(path)
    labels.save(tmp_path / "ledger.parquet", labels.ledger(dataset.train_labels, "own", "all", 0.0, 0))
    gone = folder.rename(folder.with_name("gone"))
    arguments = (gone / path.name, gone / "ledger.parquet", "train", "cpu")
    with pytest.raises(
        InputError, match=f"folder {folder} is missing; .*restore it, or link to it, or delete"
    ):
        load_examples(*arguments)
    folder.symlink_to(gone)
    assert len(load_examples(*arguments)) == COUNT


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_cheap_check_finds_every_truncation(tmp_path, suffix):
    path = tmp_path / f"1.{suffix}"
    photo(path, 0, size=(90, 70))
    content = path.read_bytes()
    assert len(check(path)) == 16
    assert decode(path, check(path)).size == (90, 70)
    for end in [*range(0, len(content) - 40, 13), len(content) - 40]:
        path.write_bytes(content[:end])
        for read in (check, decode):
            with pytest.raises(Unreadable, match=rf"1\.{suffix} \("):
                read(path)


def test_torchvision_waits_until_images_are_decoded():
    """It costs every job more than a second."""
    code = (
        "import sys, directions.data.examples;"
        " print([n for n in ('torchvision', 'scipy') if n in sys.modules])"
    )
    environment = {"PYTHONPATH": str(Path(__file__).parents[3] / "src")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_workers_compute_with_one_thread_each(images, monkeypatch):
    """A worker decodes; if it took all cores, jobs beside each other would fight for them."""
    torch.set_num_threads(2)
    monkeypatch.setattr(
        "directions.data.streaming.decode",
        lambda *_: (_ for _ in ()).throw(Unreadable(f"threads: {torch.get_num_threads()}")),
    )
    with pytest.raises(InputError, match="threads: 1"):
        pixels(with_workers(images, 2))
