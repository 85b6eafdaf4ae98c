"""Made-up tables of the analyses of later work: what units share, orders, memorised images."""

import numpy as np
import pandas as pd
import synthetic

LAYERS = {"relu1": 128, "relu2": 128}
ORDERS = ("importance", "information", "mutual", "redundancy", "selectivity", "synergy")
PAIRS = (
    "mutual_bits", "mutual_pre_bits", "redundancy_bits", "unique_bits", "synergy_bits",
    "redundancy_specific_bits", "synergy_specific_bits", "entropy_pre_global_bits",
    "entropy_pre_standardised_bits",
)  # fmt: skip
AUC = synthetic.REPLICATION_AUC


def tables(
    shared=None, leads=None, steps=None, gaps=(0.05, 0.1), networks=2, seed=0, **settings
) -> dict[str, pd.DataFrame]:
    """Tables of `synthetic.corruption_tables`, and pairs, ordered, parts, flips.

    shared: {fraction: what pairs of units share in bits}. leads: {order: how far its area lies below that of
    random orders}. steps: {clean or corrupted: units until an image flips}. gaps: area of clean less
    corrupted images if the first or the last layer is ablated.
    """
    random = np.random.default_rng(seed)
    made = synthetic.corruption_tables(networks=networks, orderings=4, **({"hidden": "128x128"} | settings))
    shared = shared or {fraction: 0.02 + 0.1 * area for fraction, area in AUC.items()}
    leads = dict.fromkeys(ORDERS, 0.1) | (leads or {})
    steps = {"clean": 12, "corrupted": 3} | (steps or {})
    keys = made["runs"][["experiment", "run", "corrupt", "seed"]].to_dict("records")
    pairs, ordered, parts, flips = [], [], [], []
    for key in keys:
        area, level = AUC[key["corrupt"]], shared[key["corrupt"]] * (1 + 0.05 * random.normal())
        pairs.append(units(key, level, random))
        for order in ("random", *ORDERS):
            for first in ("highest", "lowest") if order != "random" else ("",):
                less = 0 if order == "random" else leads[order] * (1 if first == "highest" else -1)
                for ordering in range(4 if order == "random" else 1):
                    spread = 0.01 * random.normal()
                    ordered.append(curve(key | {"order": order, "first": first or None, "ordering": ordering},
                                         256, area - less + spread))  # fmt: skip
        kinds = {
            "all",
            "clean" if key["corrupt"] < 1 else "all",
            "corrupted" if key["corrupt"] > 0 else "all",
        }
        for layer, gap in {"all": 0.08, "relu1": gaps[0], "relu2": gaps[1]}.items():
            for labels in sorted(kinds):
                for ordering in range(4):
                    lower = gap if labels == "corrupted" else 0
                    part = key | {"layer": layer, "labels": labels, "images": 2000, "ordering": ordering}
                    parts.append(curve(part, LAYERS.get(layer, 256), area - lower + 0.005 * random.normal()))
        for labels in kinds - {"all"}:
            needed = np.maximum(1, random.poisson(steps[labels], 50)).astype(float)
            needed[0] = np.nan
            needed[1] = 0
            flips.append(pd.DataFrame({**key, "labels": labels, "flipped_after": needed}))
    return made | {
        "pairs": pd.concat(pairs, ignore_index=True),
        "ordered": pd.concat(ordered, ignore_index=True),
        "parts": pd.concat(parts, ignore_index=True),
        "flips": pd.concat(flips, ignore_index=True).assign(units=256, split="train"),
    }


def units(key: dict, level: float, random: np.random.Generator) -> pd.DataFrame:
    """Table pairs of one network, whose units share `level` bits on average."""
    rows = [(layer, unit) for layer, number in LAYERS.items() for unit in range(number)]
    table = pd.DataFrame(rows, columns=["layer", "unit"]).assign(**key, split="test", images=2000)
    for place, name in enumerate(PAIRS, 1):
        table[name] = place * level * random.lognormal(0, 0.2, len(rows))
    nulls = ("mutual", "redundancy", "unique", "synergy", "redundancy_specific", "synergy_specific")
    nulls = {f"{name}_null_bits": 0.001 for name in nulls}
    return table.assign(**nulls)


def curve(key: dict, units: int, area: float) -> pd.DataFrame:
    """A cumulative ablation curve with that area."""
    ablated = np.unique(np.linspace(0, units, 17).round().astype(int))
    accuracy = synthetic._falling(ablated / units, area)
    return pd.DataFrame({**key, "ablated": ablated, "units": units, "split": "train", "accuracy": accuracy})


def dropout(fractions=(0.1, 0.2, 0.3), rise=1.0, networks=2, seed=0, **settings) -> dict[str, pd.DataFrame]:
    """Tables runs and pairs of networks trained with dropout; `rise`: of what units share, per fraction."""
    random = np.random.default_rng(seed)
    names, rows, pairs = [], [], []
    for corrupt in (0.0, 1.0):
        for fraction in fractions:
            for s in range(networks):
                names.append(f"dropout-{fraction}_corrupt-{corrupt}_seed-{s}")
                rows.append((fraction, corrupt, s))
    runs = synthetic.runs_table(
        names, [row[1] for row in rows], [row[2] for row in rows], **({"hidden": "128x128"} | settings)
    )
    runs["dropout"] = [row[0] for row in rows]
    for key in runs[["experiment", "run", "corrupt", "dropout", "seed"]].to_dict("records"):
        level = 0.1 * (1 + rise * key["dropout"]) * (1 - 0.8 * key["corrupt"])
        pairs.append(units(key, level, random))
    return {"runs": runs, "pairs": pd.concat(pairs, ignore_index=True)}
