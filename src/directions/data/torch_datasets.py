"""Read images and labels from a PyTorch Dataset or DataLoader, loading only the items that are used."""

import itertools
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import BatchSampler, DataLoader, Dataset, IterableDataset, default_collate

from directions.core.errors import InputError
from directions.core.seeds import number
from directions.core.types import Count, present
from directions.data import user_arrays
from directions.data.labels import choose_images

if TYPE_CHECKING:
    from typing_extensions import TypeIs

Source = Dataset[Any] | DataLoader[Any]

IMAGES = ("pixel_values", "image", "images", "img", "input", "x")  # keys of items that are dicts
LABELS = ("label", "labels", "target", "targets", "y")
TWICE = 32  # items that are read twice, to detect random transforms
MANY = 10_000  # items read at most from a data set without a length

log = logging.getLogger(__name__)


def is_one(data: object) -> "TypeIs[Source]":
    """Return whether the data are a Dataset or a DataLoader."""
    return isinstance(data, Dataset | DataLoader)


def first(data: Source) -> np.ndarray:
    """Return the first image (1, ...), unconverted. Raises InputError if there is none."""
    image, _ = next(_items(data, "all", "first"), (None, None))
    if image is None:
        raise InputError(f"{type(data).__name__} has no images")
    return image[None]


def read(data: Source, wanted: Count, drawn: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (images (n, ...), labels (n,)) of the images used, unconverted.

    wanted: the largest number of images, or "all". drawn: seeds the random choice, as for arrays. An
    IterableDataset, which has no length, gives its first items. Random transforms are drawn from a fixed
    seed. Raises InputError for items other than pairs of image and label.
    """
    pairs = list(_items(data, wanted, drawn))
    again = itertools.islice(_items(data, wanted, drawn, seed="own again"), TWICE)
    if not all(_equal(first[0], second[0]) for first, second in zip(pairs, again, strict=False)):
        log.warning("warning: an image differs each time it is read: give data without random transforms")
    images, labels = zip(*pairs, strict=True) if pairs else ((), ())
    if len({image.shape for image in images}) > 1:
        raise InputError("images must all have the same shape: resize or crop them in the data set")
    return np.stack(images) if images else np.empty(0), np.array(labels)


def _equal(first: np.ndarray, second: np.ndarray) -> bool:
    return np.array_equal(first, second, equal_nan=first.dtype.kind == "f")


def _items(
    data: Source, wanted: Count, drawn: str, seed: str = "own"
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(number(seed))
        loader = data if isinstance(data, DataLoader) else None
        dataset: Any = data if loader is None else loader.dataset
        if isinstance(dataset, IterableDataset) or (loader is not None and loader.batch_sampler is None):
            found = (_pair(item) for item in (dataset if loader is None else loader))
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
    """Yield the pairs used, each taken from a whole batch, as a custom collate_fn may mix the images of one.

    Batches hold consecutive items in the order of the data set, and are as large as the loader's.
    """
    size = loader.batch_size or 1
    for batch, inside in itertools.groupby(used.tolist(), lambda place: place // size):
        items = [loader.dataset[place] for place in places[batch * size : (batch + 1) * size]]
        pairs = list(_single(_pair(loader.collate_fn(items))))
        if len(pairs) != len(items):
            raise InputError(
                f"the loader's collate_fn returns {len(pairs)} images for {len(items)} items: return one each"
            )
        yield from (pairs[place % size] for place in inside)


def _places(loader: DataLoader) -> Sequence[int]:
    """Return the indices of the items that a loader takes from its data set, ascending."""
    sampler = present(loader.batch_sampler)
    if type(sampler) is BatchSampler:  # it may leave out a last partial batch (drop_last)
        return sorted(set(sampler.sampler))
    return sorted({place for batch in sampler for place in batch})


def _pair(item: object) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(item, Mapping):
        item = [next((item[name] for name in names if name in item), None) for names in (IMAGES, LABELS)]
    if not isinstance(item, tuple | list) or len(item) < 2 or any(part is None for part in item[:2]):
        raise InputError(
            f"the data set returns {type(item).__name__}: return pairs, (image, label), or dicts with"
            f" {IMAGES[1]} and {LABELS[0]}"
        )
    return user_arrays.plain(item[0], "images"), user_arrays.plain(item[1], "labels")


def _single(batch: tuple[np.ndarray, np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the pairs of a batch."""
    return zip(*batch, strict=True)
