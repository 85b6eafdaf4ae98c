import pytest
import torch
from images import Streamed

from directions import models
from directions.core.errors import InputError
from directions.data.examples import Examples
from directions.models.optimizers import learning_rate
from directions.study.training_settings import read
from directions.training import schedule
from directions.training.distributed import ALONE, Processes

CONV = {"model": "conv11", "width": 0.0625, "batch_norm": True, "pad": 1, "hidden": None}


def examples(count, images=None):
    """Images whose only pixel is their number."""
    pixels = torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1)
    return Examples(pixels if images is None else images(pixels), torch.arange(count), 4)


def planned(settings, count=64, processes=ALONE, images=None):
    model = models.build(settings, (1, 4, 4), 4)
    return schedule.planned(model, examples(count, images), read(settings), processes)


def epoch(settings, train, number=0, first=0, end=99, processes=ALONE):
    """The images of each batch, by number."""
    found = schedule.batches(train, read(settings), number, (first, end), processes)
    return [images.flatten().tolist() for images, _ in found]


@pytest.mark.parametrize(("changed", "count", "expected", "epochs"), [
    ({}, 64, schedule.Plan(24, 4), 6), ({}, 65, schedule.Plan(30, 5), 6),
    ({"steps": 9}, 64, schedule.Plan(9, 4), 3),
    ({"steps": 8}, 64, schedule.Plan(8, 4), 2), (CONV | {"norm_batch": 8}, 79, schedule.Plan(24, 4), 6),
])  # fmt: skip
def test_how_long_training_takes(settings, changed, count, expected, epochs):
    plan = planned(settings | changed, count)
    assert plan == expected
    assert plan.epochs == epochs


@pytest.mark.parametrize(("epoch", "step", "left"), [(0, 0, (0, 4)), (1, 6, (2, 4)), (2, 8, (0, 1))])
def test_what_is_left_of_an_epoch(epoch, step, left):
    assert schedule.Plan(9, 4).left(epoch, step) == left


@pytest.mark.parametrize(("changed", "message"), [
    (CONV | {"norm_batch": 5}, "norm_batch 5 does not divide batch 16"),
    (CONV | {"norm_batch": 8, "batch": 72}, "batch 72 is more than the 64 images"),
    ({"keep_epochs": [0, 6, 7, 9]}, "keep_epochs has 7, 9, but training ends in epoch 6, after 24 steps"),
    ({"keep_epochs": [3], "steps": 8}, "keep_epochs has 3, but training ends in epoch 2"),
    ({"keep_every": 25}, "keep_every 25 is more than the 24 steps of training"),
    ({"augment": True}, "augment: only images streamed from their files"),
])  # fmt: skip
def test_what_cannot_be_trained_is_refused(settings, changed, message):
    with pytest.raises(InputError, match=message):
        planned(settings | changed)


def test_an_epoch_shows_every_image_once_in_an_order_of_its_own(settings):
    one, two, again = (epoch(settings, examples(64), number) for number in (0, 1, 0))
    assert sorted(sum(one, [])) == list(range(64))
    assert one == again != two
    assert [len(batch) for batch in epoch(settings, examples(65))] == [16, 16, 16, 16, 1]


def test_images_keep_their_labels(settings):
    for images, labels in schedule.batches(examples(40), read(settings), 0, (0, 3), ALONE):
        assert images.flatten().tolist() == labels.tolist()


@pytest.mark.parametrize(("first", "end"), [(0, 4), (2, 4), (1, 2), (3, 4)])
def test_a_part_of_an_epoch_is_that_part_of_the_whole(settings, first, end):
    assert epoch(settings, examples(64), 0, first, end) == epoch(settings, examples(64))[first:end]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_processes_share_each_batch_in_its_order(settings, count):
    settings |= {"norm_batch": 4}
    shares = [epoch(settings, examples(64), 0, 1, 4, Processes(rank, count)) for rank in range(count)]
    joined = [sum(batch, []) for batch in zip(*shares, strict=True)]
    assert joined == epoch(settings, examples(64), 0, 1, 4)


def test_augmented_images_are_new_in_every_epoch(settings):
    train = examples(64, Streamed)
    settings |= {"augment": True}
    first, second = (epoch(settings, train, number) for number in (0, 1))
    assert train.images.keys == [("augment", 3, 0), ("augment", 3, 1)]
    assert sorted(sum(first, [])) == list(range(1, 65))
    assert sorted(sum(second, [])) == list(range(2, 66))


def test_the_rate_falls_along_half_a_cosine(settings):
    assert learning_rate(read(settings), 7, 10) == 0.05
    falling = read(settings | {"schedule": "cosine"})
    assert learning_rate(falling, 0, 10) == 0.05
    assert learning_rate(falling, 5, 10) == pytest.approx(0.025)
    assert learning_rate(falling, 9, 10) == pytest.approx(0.05 * 0.0244717, rel=1e-5)
