"""Made-up tables of networks that reproduce more or fewer of their wrong labels, by way of learning."""

import numpy as np
import pandas as pd
import synthetic

EPOCHS = (2, 20, 200)
PULLS = (0.0, 10.0)
Way = tuple[str, float, float]  # method, lambda, dropout
WAYS = [("cross_entropy", np.nan, 0.0), ("mae", np.nan, 0.0), *(("limit", pull, 0.0) for pull in PULLS)]
WAYS_DROPOUT = [("cross_entropy", np.nan, fraction) for fraction in (0.0, 0.3, 0.6)]


def reproduced(method: str, pull: float, dropout: float, place: int) -> float:
    """Fraction of wrong labels reproduced after `place` steps of training, from 0 to 1."""
    most = {"cross_entropy": 1.0, "mae": 0.6}.get(method, 0.5 / (1 + pull))
    return 0.02 + 0.95 * most * (1 - dropout) * place / (len(EPOCHS) - 1)


def tables(
    networks=2, hidden="512x512", ways=WAYS, sign=1, off=0.0, seed=0, **settings
) -> dict[str, pd.DataFrame]:
    """Runs, areas, memorization: the area kept falls as labels are reproduced.

    sign -1: it rises. off: how far the areas of LIMIT, and of dropout, lie below those of other networks that
    reproduce as many.
    """
    random = np.random.default_rng(seed)
    keys = [(way, place, s) for way in ways for place in range(len(EPOCHS)) for s in range(networks)]
    names = [
        f"method-{method}_limit_lambda-{pull}_dropout-{dropout}_epochs-{EPOCHS[place]}_seed-{s}"
        for (method, pull, dropout), place, s in keys
    ]
    seeds = [s for *_, s in keys]
    runs = synthetic.runs_table(names, [0.5] * len(keys), seeds, hidden=hidden, **settings)
    if settings.get("model") == "conv11":
        runs["hidden"] = np.nan
    runs = runs.assign(
        method=[method for (method, *_), *_ in keys],
        limit_lambda=[pull for (_, pull, _), *_ in keys],
        dropout=[dropout for (*_, dropout), *_ in keys],
        epochs=[EPOCHS[place] for _, place, _ in keys],
    )
    if {method for method, *_ in ways} == {"cross_entropy"}:
        runs = runs.drop(columns=["method", "limit_lambda"])  # as of studies that do not name the method
    areas, found = [], []
    for name, (way, place, _) in zip(names, keys, strict=True):
        share = reproduced(*way, place)
        treated = way[0] == "limit" or way[2] > 0
        kept = 0.5 - sign * 0.4 * (share - 0.5) - (off if treated else 0)
        accuracy = 1 - 0.4 * share
        for ordering in range(3):
            area = 0.1 + kept * (accuracy - 0.1) + 0.01 * random.normal()
            areas.append({
                "run": name, "clamp": "zero", "ordering": ordering, "auc": area,
                "auc_relative": area / accuracy, "auc_chance_corrected": (area - 0.1) / 0.9,
            })  # fmt: skip
        found.append({
            "run": name, "images": 1000, "corrupted": 450, "reproduced": share,
            "error": 0.45 * (1 - share), "least_bits": 2.4 * share**2,
        })  # fmt: skip
    return {"runs": runs, "areas": pd.DataFrame(areas), "memorization": pd.DataFrame(found)}
