"""Images and labels out of a PyTorch Dataset or DataLoader: those that are used, and no others."""

import itertools
import logging
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch.utils.data import BatchSampler, DataLoader, Dataset, IterableDataset, default_collate

from directions.errors import InputError
from directions.labels import choose_images
from directions.own import arrays
from directions.seeds import number

IMAGES = ("pixel_values", "image", "images", "img", "input", "x")  # names in items that are dicts
LABELS = ("label", "labels", "target", "targets", "y")
TWICE = 32  # items that are read twice, to see random transforms
MANY = 10_000  # items that are read by themselves, as they are not counted before

log = logging.getLogger(__name__)


def is_one(data: object) -> bool:
    """Tell whether it is a Dataset or a DataLoader."""
    return isinstance(data, Dataset | DataLoader)


def first(data: Dataset | DataLoader) -> np.ndarray:
    """Return the first image (1, ...), as it comes. Raises InputError where there is none."""
    image, _ = next(_items(data, "all", "first"), (None, None))
    if image is None:
        raise InputError(f"{type(data).__name__} has no images")
    return image[None]


def read(data: Dataset | DataLoader, wanted: int | str, drawn: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (images (n, ...), labels (n,)) of the images used, as they come.

    wanted: at most so many, or "all". drawn: what the random choice goes by, as for arrays. Of what cannot be
    counted, an IterableDataset, the first are taken. Raises InputError for items that are no pair of image
    and label. What the data draw at random, such as a transform, is drawn from a seed.
    """
    pairs = list(_items(data, wanted, drawn))
    again = itertools.islice(_items(data, wanted, drawn, seed="own again"), TWICE)
    if not all(_equal(first[0], second[0]) for first, second in zip(pairs, again, strict=False)):
        log.warning("warning: an image is another each time it is read: give data without random transforms")
    images, labels = zip(*pairs, strict=True) if pairs else ((), ())
    if len({image.shape for image in images}) > 1:
        raise InputError("images must all have the same shape: resize and crop them in the data set")
    return np.stack(images) if images else np.empty(0), np.array(labels)


def _equal(first: np.ndarray, second: np.ndarray) -> bool:
    return np.array_equal(first, second, equal_nan=first.dtype.kind == "f")


def _items(
    data: Dataset | DataLoader, wanted: int | str, drawn: str, seed: str = "own"
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(number(seed))
        loader = data if isinstance(data, DataLoader) else None
        dataset = data if loader is None else loader.dataset
        if isinstance(dataset, IterableDataset) or (loader is not None and loader.batch_sampler is None):
            found = (_pair(item) for item in data)
            batched = loader is not None and loader.batch_size is not None
            pairs = itertools.chain.from_iterable(map(_single, found)) if batched else found
            yield from itertools.islice(pairs, MANY if wanted == "all" else wanted)
            return
        places = range(len(dataset)) if loader is None else _places(loader)
        used = choose_images(len(places), wanted if wanted == "all" else min(wanted, len(places)), drawn)
        if loader is not None and loader.collate_fn is not default_collate:
            yield from _of_batches(loader, places, used)
            return
        for place in used:
            item = dataset[places[place]]
            yield _pair(item) if loader is None else next(_single(_pair(loader.collate_fn([item]))))


def _of_batches(
    loader: DataLoader, places: Sequence[int], used: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The pairs used, each out of a whole batch, since a collate_fn of one's own may mix its images.

    Batches are of consecutive items, as many as the loader's, in the order of the data set.
    """
    size = loader.batch_size or 1
    for batch, inside in itertools.groupby(used.tolist(), lambda place: place // size):
        items = [loader.dataset[place] for place in places[batch * size : (batch + 1) * size]]
        pairs = list(_single(_pair(loader.collate_fn(items))))
        if len(pairs) != len(items):
            raise InputError(
                f"the loader's collate_fn makes {len(pairs)} images of {len(items)} items: give one of each"
            )
        yield from (pairs[place % size] for place in inside)


def _places(loader: DataLoader) -> Sequence[int]:
    """The numbers of the items that a loader takes from its data set, ascending."""
    sampler = loader.batch_sampler
    if type(sampler) is BatchSampler:  # which may leave some out at the end, drop_last
        return sorted(set(sampler.sampler))
    return sorted({place for batch in sampler for place in batch})


def _pair(item: object) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(item, Mapping):
        item = [next((item[name] for name in names if name in item), None) for names in (IMAGES, LABELS)]
    if not isinstance(item, tuple | list) or len(item) < 2 or any(part is None for part in item[:2]):
        raise InputError(
            f"the data set gives {type(item).__name__}: wanted are pairs, (image, label), or dicts with"
            f" {IMAGES[1]} and {LABELS[0]}"
        )
    return arrays.plain(item[0], "images"), arrays.plain(item[1], "labels")


def _single(batch: tuple[np.ndarray, np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The pairs of a batch."""
    return zip(*batch, strict=True)
