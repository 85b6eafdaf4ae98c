"""Made-up tables of networks that memorise true and shuffled labels, by data set and number of images."""

import itertools

import numpy as np
import pandas as pd
import synthetic

IMAGES = (1000, 4000, 16_000)
GAPS = {"mnist": 0.02, "mnist_clones_isotropic": 0.1, "mnist_clones_full": 0.06, "pvr": 0.3}  # true labels
CLONES = {"mnist_clones_isotropic": 0.1, "mnist_clones_full": 0.05}  # area kept in addition to MNIST's


def tables(networks=3, slope=-0.5, clones=1, hidden="512x512", seed=0, forgetful=(), **settings):
    """Runs, areas: the area kept changes by `slope` as the gap goes from 0 to 1.

    clones: factor on CLONES. forgetful: data sets whose shuffled labels are not learned.
    """
    random = np.random.default_rng(seed)
    keys = list(itertools.product(GAPS, IMAGES, (0.0, 0.5), range(networks)))
    names = [f"dataset-{name}_images-{n}_corrupt-{share}_seed-{s}" for name, n, share, s in keys]
    shares = [share for *_, share, _ in keys]
    runs = synthetic.runs_table(names, shares, [s for *_, s in keys], hidden=hidden, **settings)
    gaps = [GAPS[name] * (IMAGES[1] / n) ** 0.5 + share for name, n, share, _ in keys]
    gaps = np.clip(gaps, 0, 0.85)
    forgotten = [name in forgetful and share > 0 for name, _, share, _ in keys]
    runs = runs.assign(
        dataset=[name for name, *_ in keys],
        images=[n for _, n, *_ in keys],
        train_images=[n for _, n, *_ in keys],
        train_accuracy=np.where(forgotten, 0.97, 1.0),
        test_accuracy=np.where(forgotten, 0.97, 1.0) - gaps,
    )
    areas = []
    for name, (dataset, *_), gap in zip(names, keys, gaps, strict=True):
        kept = 0.6 + slope * (gap - 0.4) + clones * CLONES.get(dataset, 0)
        for ordering in range(4):
            area = 0.1 + 0.9 * kept + 0.005 * random.normal()
            areas.append({
                "run": name, "clamp": "zero", "ordering": ordering, "auc": area, "auc_relative": area,
                "auc_chance_corrected": (area - 0.1) / 0.9,
            })  # fmt: skip
    return {"runs": runs, "areas": pd.DataFrame(areas)}
