"""Made-up tables of conv nets, sweeps, dropout and training: what `synthetic` lacks, in the same schema."""

import numpy as np
import pandas as pd
from scipy.stats import norm
from synthetic import CLASSES, _falling

CHANNELS = (64, 64, 128, 128, 128, 256, 256, 256, 512, 512, 512)
STAGES = ((3, 64, 256), (4, 128, 512), (6, 256, 1024), (3, 512, 2048))


def layers_of(model: str, width: float) -> list[tuple[str, int]]:
    """(name, feature maps) of every ReLU, in forward order."""
    if model == "conv11":
        return [(f"relu{depth}", round(channels * width)) for depth, channels in enumerate(CHANNELS, 1)]
    layers, block = [("stem.relu", round(64 * width))], 0
    for blocks, inner, outer in STAGES:
        for _ in range(blocks):
            block += 1
            for relu, channels in ((1, inner), (2, inner), (3, outer)):
                layers.append((f"block{block}.relu{relu}", round(channels * width)))
    return layers


def runs_table(varied: list[dict], model="conv11", width=0.125, **settings) -> pd.DataFrame:
    """One row per network; `varied` holds the settings that differ, in the order of the run's name."""
    maps = sum(number for _, number in layers_of(model, width)) if model != "mlp" else 4096
    defaults = {
        "dataset": "mnist", "images": 3000, "model": model, "hidden": "2048x2048" if model == "mlp" else None,
        "width": None if model == "mlp" else width, "batch_norm": True if model == "conv11" else None,
        "pad": 2, "optimizer": "adam", "learning_rate": 0.001, "batch": 32, "epochs": 20, "dropout": 0.0,
        "corrupt": 0.0, "seed": 0, "precision": "float32", "train_images": 3000, "test_images": 10000,
        "classes": CLASSES, "units": maps, "parameters": 1, "train_loss": 0.001, "train_accuracy": 1.0,
        "test_loss": 0.1, "test_accuracy": 0.98,
    }  # fmt: skip
    rows = [
        {"run": "_".join(f"{key}-{value}" for key, value in some.items()), **defaults, **settings, **some}
        for some in varied
    ]
    table = pd.DataFrame(rows)
    table.insert(0, "experiment", "synthetic")
    return table.assign(changed_share=0.9 * table["corrupt"].astype(float))


def curve_tables(runs, area, clamps=("zero",), orderings=4, last=None, spread=0.02, seed=0) -> dict:
    """Tables runs, ablation, areas; `area`: (row of runs, clamp) -> area; `last`: units ablated."""
    random, curves, areas = np.random.default_rng(seed), [], []
    for row in runs.to_dict("records"):
        units = last or row["units"]
        ablated = np.unique(np.linspace(0, units, 25).round().astype(int))
        keys = {"experiment": "synthetic", "run": row["run"], "learning_rate": row["learning_rate"]}
        for clamp in clamps:
            for ordering in range(orderings):
                mine = float(np.clip(area(row, clamp) + random.normal(0, spread), 0.12, 0.98))
                accuracy = _falling(ablated / units, mine)
                here = {**keys, "clamp": clamp, "ordering": ordering}
                curve = pd.DataFrame({**here, "ablated": ablated, "units": units, "split": "train"})
                curves.append(curve.assign(loss=2 * (1 - accuracy), accuracy=accuracy))
                relative = mine / row["train_accuracy"]
                areas.append(
                    {**here, "auc": mine, "auc_relative": relative, "auc_chance_corrected": mine - 0.1}
                )
    return {"runs": runs, "ablation": pd.concat(curves, ignore_index=True), "areas": pd.DataFrame(areas)}


def corruption(model="conv11", fractions=(0.0, 0.4, 1.0), seeds=2, clamps=("zero",), **settings) -> dict:
    """Tables runs, ablation, areas, noise of conv nets on corrupted labels; the last layers are ablated."""
    varied = [{"corrupt": fraction, "seed": seed} for fraction in fractions for seed in range(seeds)]
    runs = runs_table(varied, model, **settings)
    last = sum(number for _, number in layers_of(model, runs["width"].iloc[0])[-3:])

    def area(row, clamp):
        return (0.75 - 0.4 * row["corrupt"]) * (0.8 if clamp == "mean" else 1)

    tables = curve_tables(runs, area, clamps, last=last)
    ratios, noise = np.concatenate([[0.0], np.geomspace(0.0316, 10, 12)]), []
    for row in runs.to_dict("records"):
        for repeat in range(3):
            half = np.exp(-row["corrupt"] + 0.05 * repeat)
            key = {"experiment": "synthetic", "run": row["run"], "repeat": repeat, "split": "train"}
            level = 0.1 + 0.9 / (1 + (ratios / half) ** 2)
            noise.append(
                pd.DataFrame({**key, "noise_sd_ratio": ratios, "loss": 1 - level, "accuracy": level})
            )
    return tables | {"noise": pd.concat(noise, ignore_index=True)}


def sweep(
    rates=(0.0001, 0.001, 0.01), batches=(32, 64, 128), seeds=2, untrained=0, slope=1.0, seed=0
) -> dict:
    """Tables runs, ablation, areas, selection; test accuracy follows the area with that `slope`."""
    random = np.random.default_rng(seed)
    varied = [
        {"learning_rate": rate, "batch": batch, "seed": s}
        for rate in rates
        for batch in batches
        for s in range(seeds)
    ]
    runs = runs_table(varied)
    level = 0.5 + 0.1 * np.log10(runs["learning_rate"] / 1e-3) + random.normal(0, 0.05, len(runs))
    runs["test_accuracy"] = 0.95 + 0.05 * slope * (level - 0.5) + random.normal(0, 0.001, len(runs))
    runs.loc[: untrained - 1, "train_accuracy"] = 0.9
    area_of = dict(zip(runs["run"], level, strict=True))
    tables = curve_tables(runs, lambda row, _: area_of[row["run"]], orderings=3)
    size = len(rates) * len(batches) // 2
    rank = np.minimum(1 + random.poisson(1, 1000), size)
    gap = 0.004 * (rank - 1)
    selection = pd.DataFrame({"experiment": "synthetic", "subset": range(1000), "settings": size})
    selection = selection.assign(
        picked_auc=0.6, picked_accuracy=0.98 - gap, best_accuracy=0.98, gap=gap, rank=rank
    )
    return tables | {"selection": selection}


def training(model="mlp", seeds=2, epochs=60, orderings=3, seed=0) -> dict:
    """Tables runs, history, checkpoints: test loss is lowest at a third of training, the area largest."""
    random = np.random.default_rng(seed)
    runs = runs_table([{"seed": s} for s in range(seeds)], model, epochs=epochs)
    kept, history, checkpoints = [0, 1, 2, 3, 5, 8, 12, 20, 30, 45, 60], [], []
    for run in runs["run"]:

        def losses(epoch):
            train = 2.3 * np.exp(-np.asarray(epoch, float) / 3) + 0.001
            return train, train + 0.1 + 0.004 * np.maximum(np.asarray(epoch, float) - epochs / 3, 0)

        every = np.arange(epochs + 1)
        train, test = losses(every)
        noise = random.normal(0, 0.002, len(every))
        history.append(
            pd.DataFrame({"experiment": "synthetic", "run": run, "epoch": every, "train_loss": train})
            .assign(train_accuracy=1 - train / 3, test_loss=test + noise, test_accuracy=0.98 - test / 3)
        )  # fmt: skip
        for epoch in kept:
            train, test = losses(epoch)
            top = 1 - 0.9 * np.exp(-epoch / 1.5)
            for ordering in range(orderings):
                auc = top * (0.6 - 0.003 * max(epoch - epochs / 3, 0)) + random.normal(0, 0.005)
                row = {"experiment": "synthetic", "run": run, "epoch": epoch, "ordering": ordering}
                row |= {
                    "split": "train",
                    "images": 500,
                    "units": 4096,
                    "auc": auc,
                    "auc_relative": auc / top,
                    "auc_chance_corrected": auc - 0.1,
                }
                row |= {"train_loss": float(train), "train_accuracy": top, "test_loss": float(test)}
                checkpoints.append(row | {"test_accuracy": 0.9 * top})
    return {
        "runs": runs,
        "history": pd.concat(history, ignore_index=True),
        "checkpoints": pd.DataFrame(checkpoints),
    }


def dropout(rates=(0.1, 0.2, 0.3), seeds=2) -> dict:
    """Tables runs, ablation, areas of MLPs with dropout, on true and on random labels."""
    varied = [
        {"dropout": rate, "corrupt": corrupt, "seed": s}
        for rate in rates
        for corrupt in (0.0, 1.0)
        for s in range(seeds)
    ]
    return curve_tables(
        runs_table(varied, "mlp"), lambda row, _: 0.75 - 0.35 * row["corrupt"] + 0.2 * row["dropout"]
    )


def normalization(seeds=4, **options) -> dict:
    """Tables runs, ablation, areas, units of conv nets with and without batch norm."""
    varied = [{"batch_norm": normed, "seed": s} for normed in (True, False) for s in range(seeds)]
    runs = runs_table(varied)
    tables = curve_tables(runs, lambda row, _: 0.7 if row["batch_norm"] else 0.5, last=192)
    return tables | {
        "units": units(runs, selective=lambda row: 0.0 if row["batch_norm"] else 1.2, **options)[0]
    }


def selectivity(model="conv11", width=0.125, seeds=2, **options) -> dict:
    """Tables runs, single, units of conv nets on true labels."""
    runs = runs_table([{"seed": s} for s in range(seeds)], model, width)
    of_units, single = units(runs, **options)
    return {"runs": runs, "single": single, "units": of_units}


def units(
    runs, correlation=-0.4, selective=lambda row: 0.0, dead=0.03, seed=0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables units and single: selectivity rises with depth; early layers matter more."""
    random, tables, singles = np.random.default_rng(seed), [], []
    for row in runs.to_dict("records"):
        layers = layers_of(row["model"], row["width"])
        keys = [(name, unit, place) for place, (name, number) in enumerate(layers) for unit in range(number)]
        frame = pd.DataFrame(keys, columns=["layer", "unit", "place"])
        share = frame["place"].to_numpy() / len(layers)
        raw, n = random.normal(size=len(frame)), len(frame)
        within = correlation * (1 - share) * raw + np.sqrt(1 - correlation**2) * random.normal(size=n)
        off = random.random(n) < dead
        key = frame.drop(columns="place").assign(run=row["run"], seed=row["seed"], split="test")
        index = norm.cdf(raw + 1.5 * share - 1 + selective(row))
        bits = 1.5 * norm.cdf(0.5 * raw + 0.8 * random.normal(size=n) + share - selective(row) / 2)
        mutual = {
            "information_bits": bits,
            "information_bits_coarse": 0.9 * bits,
            "information_bits_fine": 1.1 * bits,
        }
        mutual = {name: np.where(off, 0.0, value) for name, value in mutual.items()}
        tables.append(
            key.assign(
                selectivity=np.where(off, np.nan, index), **mutual,
                information_null_bits=np.where(off, 0.0, 0.02),
                l1=np.exp(2 + 2 * share + 0.2 * random.normal(size=n)), dead=off, mean=0.1, sd=0.1,
            )
        )  # fmt: skip
        change = np.where(off, 0.0, np.sinh(1.5 * within) * 0.01 * np.exp(-2.5 * share))
        drop = np.where(off, 0.0, np.abs(0.3 * raw + random.normal(size=n)) * 0.01)
        columns = {"loss_before": 0.1, "loss_after": 0.1 + change, "importance": change, "worst_class": 0}
        singles.append(key.assign(**columns, worst_class_drop=drop))
    return pd.concat(tables, ignore_index=True), pd.concat(singles, ignore_index=True)
