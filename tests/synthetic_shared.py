"""Made-up tables of the analyses of later work: what units share, orders, memorised images."""

import numpy as np
import pandas as pd
import synthetic

LAYERS = {"relu1": 40, "relu2": 40}
LEADS = {"importance": 0.25, "information": 0.1, "mutual": 0.1, "redundancy": 0.1, "selectivity": 0.1}
LEADS |= {"synergy": 0.2}  # how far the area of an order lies below that of random ones
GAPS = {"all": 0.08, "relu1": 0.05, "relu2": 0.1}  # by layer ablated: area of clean less corrupted images
STEPS = {"clean": 12, "corrupted": 3}  # units until an image flips
ENTROPIES = ("entropy_pre_global_bits", "entropy_pre_standardised_bits")
NULLS = ("mutual", "redundancy", "unique", "synergy", "redundancy_specific", "synergy_specific")
KEYS = ["experiment", "run", "corrupt", "seed"]


def tables(networks=2, hidden="128x128", **settings) -> dict[str, pd.DataFrame]:
    """All tables of networks with corrupted labels, small."""
    return added(synthetic.corruption_tables(networks=networks, orderings=4, hidden=hidden, **settings))


def added(made: dict[str, pd.DataFrame], sign: int = 1, seed: int = 0) -> dict[str, pd.DataFrame]:
    """Add pairs, ordered, parts, flips to tables runs and areas; `sign` -1: with every effect turned round.

    Units share more in networks with a larger area, also among those with equally many corrupted labels.
    """
    random = np.random.default_rng(seed)
    areas = made["areas"][made["areas"]["clamp"] == "zero"].groupby("run")["auc"].mean()
    every: dict[str, list[pd.DataFrame]] = {"pairs": [], "ordered": [], "parts": [], "flips": []}
    for key in made["runs"][KEYS].to_dict("records"):
        area = areas[key["run"]]
        every["pairs"].append(units(key, 0.12 + sign * 0.1 * (area - 0.5), random))
        every["ordered"] += ordered(key, area, sign, random)
        every["parts"] += parts(key, area, sign, random)
        every["flips"] += flips(key, sign, random)
    return made | {name: pd.concat(rows, ignore_index=True) for name, rows in every.items()}


def units(key: dict, level: float, random: np.random.Generator) -> pd.DataFrame:
    """Table pairs of one network, whose units share `level` bits on average, and whose entropy is less."""
    rows = [(layer, unit) for layer, number in LAYERS.items() for unit in range(number)]
    table = pd.DataFrame(rows, columns=["layer", "unit"]).assign(**key, split="test", images=2000)
    noise = random.normal(0, 0.01, len(rows))
    noise -= noise.mean()  # networks differ by `level` alone
    shared = {f"{name}_bits": level * (1 + noise) for name in (*NULLS, "mutual_pre")}
    entropies = dict.fromkeys(ENTROPIES, 5 - 10 * level * (1 + noise))
    return table.assign(**shared, **entropies, **{f"{name}_null_bits": 0.001 for name in NULLS})


def ordered(key: dict, area: float, sign: int, random: np.random.Generator) -> list[pd.DataFrame]:
    """Table ordered of one network."""
    found = []
    for ordering in range(4):
        names = key | {"order": "random", "first": None, "ordering": ordering}
        found.append(curve(names, 80, area + 0.01 * random.normal()))
    for order, lead in LEADS.items():
        for first, side in (("highest", -1), ("lowest", 1)):
            names = key | {"order": order, "first": first, "ordering": 0}
            found.append(curve(names, 80, area + side * sign * lead * area))
    return found


def kinds(key: dict) -> list[str]:
    """Which images a network has, by whether their labels were corrupted."""
    return [*(["clean"] if key["corrupt"] < 1 else []), *(["corrupted"] if key["corrupt"] > 0 else [])]


def parts(key: dict, area: float, sign: int, random: np.random.Generator) -> list[pd.DataFrame]:
    """Table parts of one network."""
    found = []
    for layer, gap in GAPS.items():
        for labels in ("all", *kinds(key)):
            lower = sign * gap if labels == "corrupted" else 0
            for ordering in range(4):
                names = key | {"layer": layer, "labels": labels, "images": 2000, "ordering": ordering}
                found.append(curve(names, LAYERS.get(layer, 80), area - lower + 0.002 * random.normal()))
    return found


def flips(key: dict, sign: int, random: np.random.Generator) -> list[pd.DataFrame]:
    """Table flips of one network; one image is wrong from the start, one never flips."""
    steps = STEPS if sign > 0 else dict(zip(STEPS, reversed(STEPS.values()), strict=True))
    found = []
    for labels in kinds(key):
        needed = np.maximum(1, random.poisson(steps[labels], 50)).astype(float)
        needed[:2] = np.nan, 0
        found.append(pd.DataFrame({**key, "labels": labels, "flipped_after": needed}))
    return [table.assign(units=80, split="train") for table in found]


def curve(key: dict, units: int, area: float) -> pd.DataFrame:
    """A cumulative ablation curve with that area."""
    ablated = np.unique(np.linspace(0, units, 17).round().astype(int))
    accuracy = synthetic._falling(ablated / units, area)
    return pd.DataFrame({**key, "ablated": ablated, "units": units, "split": "train", "accuracy": accuracy})


def dropout(networks=2, hidden="128x128", **settings) -> dict[str, pd.DataFrame]:
    """Tables runs and pairs of networks trained with dropout."""
    rows = [(d, c, s) for d in (0.1, 0.2, 0.3) for c in (0.0, 1.0) for s in range(networks)]
    fractions, corrupt, seeds = map(list, zip(*rows, strict=True))
    names = [f"dropout-{d}_corrupt-{c}_seed-{s}" for d, c, s in rows]
    runs = synthetic.runs_table(names, corrupt, seeds, hidden=hidden, **settings)
    return with_pairs({"runs": runs.assign(dropout=fractions)})


def with_pairs(made: dict[str, pd.DataFrame], sign: int = 1) -> dict[str, pd.DataFrame]:
    """Add pairs to networks trained with dropout: the more of it, the more their units share (`sign` 1)."""
    random = np.random.default_rng(0)
    pairs = [
        units(key, 0.1 * (1 + sign * key["dropout"]) * (1 - 0.8 * key["corrupt"]), random)
        for key in made["runs"][[*KEYS, "dropout"]].to_dict("records")
    ]
    return made | {"pairs": pd.concat(pairs, ignore_index=True)}
