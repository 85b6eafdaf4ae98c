"""Made-up tables in the pipeline's schema, whose effects are dialled in: what goes in must come out."""

import numpy as np
import pandas as pd
from scipy.stats import norm

FRACTIONS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
REPLICATION_AUC = dict(zip(FRACTIONS, (0.735, 0.343, 0.305, 0.269, 0.240, 0.238), strict=True))
CLASSES = 10


def runs_table(names: list[str], corrupt: list[float], seeds: list[int], hidden="512x512", **settings):
    """One row per network, with every column that the pipeline writes."""
    widths = [int(width) for width in hidden.split("x")]
    defaults = {
        "dataset": "mnist",
        "images": "all",
        "model": "mlp",
        "hidden": hidden,
        "optimizer": "sgd",
        "learning_rate": 0.01,
        "epochs": 640,
        "precision": "float32",
        "train_images": 60000,
        "test_images": 10000,
        "classes": CLASSES,
        "units": sum(widths),
        "parameters": 1,
        "train_loss": 0.001,
        "train_accuracy": 1.0,
        "test_loss": 0.1,
        "test_accuracy": 0.98,
    }
    table = pd.DataFrame({"run": names, "corrupt": corrupt, "seed": seeds, **(defaults | settings)})
    table.insert(0, "experiment", "synthetic")
    return table.assign(changed_share=0.9 * table["corrupt"])


def corruption_tables(
    auc=REPLICATION_AUC, networks=3, orderings=10, spread=0.01, noise_tolerance=None, seed=0, **settings
) -> dict[str, pd.DataFrame]:
    """Tables runs, ablation, areas, noise of networks with `auc` = {fraction: area} up to `spread` (SD).

    Accuracy under noise falls to half where the noise is `noise_tolerance` = {fraction: ratio}.
    """
    random = np.random.default_rng(seed)
    tolerance = noise_tolerance or {fraction: 3 * area for fraction, area in auc.items()}
    names = [(f"corrupt-{fraction}_seed-{s}", fraction, s) for fraction in auc for s in range(networks)]
    runs = runs_table(*map(list, zip(*names, strict=True)), **settings)
    units = int(runs["units"].iloc[0])
    ablated = np.unique(np.linspace(0, units, 33).round().astype(int))
    ratios = np.concatenate([[0.0], np.geomspace(0.0316, 10, 16)])
    curves, areas, noise = [], [], []
    for run, fraction, s in names:
        network = random.normal(0, spread)
        for ordering in range(orderings):
            area = auc[fraction] + network + random.normal(0, spread)
            accuracy = _falling(ablated / units, area)
            key = {"experiment": "synthetic", "run": run, "corrupt": fraction, "seed": s}
            curves.append(
                pd.DataFrame({**key, "clamp": "zero", "ordering": ordering, "ablated": ablated}).assign(
                    units=units, split="train", loss=2 * (1 - accuracy), accuracy=accuracy
                )
            )
            areas.append({**key, "clamp": "zero", "ordering": ordering, "auc": area, "auc_relative": area})
            half = tolerance[fraction] * np.exp(random.normal(0, spread))
            level = 0.1 + 0.9 / (1 + (ratios / half) ** 2)
            noise.append(
                pd.DataFrame({**key, "repeat": ordering, "noise_sd_ratio": ratios}).assign(
                    split="train", loss=2 * (1 - level), accuracy=level
                )
            )
    return {
        "runs": runs,
        "ablation": pd.concat(curves, ignore_index=True),
        "areas": pd.DataFrame(areas).assign(auc_chance_corrected=lambda t: (t["auc"] - 0.1) / 0.9),
        "noise": pd.concat(noise, ignore_index=True),
    }


def _falling(share: np.ndarray, area: float) -> np.ndarray:
    """From 1 to chance, with that area underneath (nearly, on a coarse grid)."""
    power = 0.9 / max(area - 0.1, 0.01) - 1
    return 0.1 + 0.9 * (1 - share) ** power


def unit_tables(
    selectivity_correlation=0.1,
    information_correlation=0.2,
    networks=4,
    dead=3,
    hidden="128x128",
    seed=0,
    **settings,
) -> dict[str, pd.DataFrame]:
    """Tables runs, single, units; both correlations with importance are Spearman's, up to chance."""
    random = np.random.default_rng(seed)
    widths = [int(width) for width in hidden.split("x")]
    names = [f"seed-{s}" for s in range(networks)]
    runs = runs_table(names, [0.0] * networks, list(range(networks)), hidden=hidden, **settings)
    keys = [(f"relu{depth}", unit) for depth, width in enumerate(widths, 1) for unit in range(width)]
    units, single = [], []
    for s, run in enumerate(names):
        importance = random.normal(size=len(keys))
        off = np.zeros(len(keys), bool)
        off[random.choice(len(keys), dead, replace=False)] = True
        key = pd.DataFrame(keys, columns=["layer", "unit"]).assign(experiment="synthetic", run=run, seed=s)
        change = np.where(off, 0.0, np.sign(importance) * 1e-3 * np.expm1(2 * np.abs(importance)))
        drop = np.where(off, 0.0, np.abs(np.random.default_rng([seed, s]).normal(size=len(keys))) * 0.02)
        single.append(
            key.assign(
                split="test",
                loss_before=0.1,
                loss_after=0.1 + change,
                importance=change,
                worst_class=0,
                worst_class_drop=drop,
            )
        )
        selectivity = 0.2 + 0.8 * norm.cdf(_correlated(importance, selectivity_correlation, random))
        information = 1.2 * norm.cdf(_correlated(importance, information_correlation, random))
        units.append(
            key.assign(
                split="test",
                selectivity=np.where(off, np.nan, selectivity),
                information_bits=np.where(off, 0.0, information),
                information_bits_coarse=np.where(off, 0.0, 0.95 * information),
                information_bits_fine=np.where(off, 0.0, 1.05 * information),
                information_null_bits=np.where(off, 0.0, 0.02),
                l1=10.0,
                dead=off,
                mean=np.where(off, 0.0, 1.0),
            )
        )
    return {
        "runs": runs,
        "single": pd.concat(single, ignore_index=True),
        "units": pd.concat(units, ignore_index=True),
    }


def _correlated(values: np.ndarray, spearman: float, random: np.random.Generator) -> np.ndarray:
    """Normal, with the Spearman correlation asked for with the normal `values`, up to chance."""
    pearson = 2 * np.sin(np.pi * spearman / 6)
    return pearson * values + np.sqrt(1 - pearson**2) * random.normal(size=len(values))


def write(tables: dict[str, pd.DataFrame], folder) -> None:
    """Each table as folder/{name}.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
