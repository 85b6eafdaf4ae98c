"""Made-up tables of every experiment at the paper's scale, with each claimed effect dialled in by a number.

`paper()` is a world in which the paper is right; its arguments turn single effects round or away.
"""

import numpy as np
import pandas as pd
import synthetic
from scipy.stats import spearmanr

EXPERIMENTS = {  # figure -> experiment, as the configuration's `draw`
    **dict.fromkeys(("fig1a", "fig2a"), "mnist_corruption"),
    **dict.fromkeys(("fig1b", "fig2b", "figA1"), "conv_corruption"),
    "fig1c": "resnet_corruption",
    **dict.fromkeys(("fig3a", "fig3b"), "conv_ensemble"),
    "fig4a": "mnist_early_stopping",
    "fig4b": "conv_early_stopping",
    "fig4c": "conv_sweep",
    "fig5a": "mnist_dropout",
    **dict.fromkeys(("fig5b", "fig6a", "fig6b"), "conv_normalization"),
    **dict.fromkeys(("fig7a", "figA4a"), "mnist_selectivity"),
    **dict.fromkeys(("fig7b", "fig7c", "figA2a", "figA3a", "figA4b", "figA4c"), "conv_selectivity"),
    **dict.fromkeys(("fig7d", "fig7e", "figA2b", "figA3b", "figA4d", "figA4e"), "resnet_selectivity"),
}
CONV = {
    "dataset": "cifar10", "model": "conv11", "hidden": "", "width": 1.0, "batch_norm": True, "epochs": 100,
    "train_images": 50000, "units": 2816, "optimizer": "adam", "learning_rate": 0.001, "batch": 32,
}  # fmt: skip
RESNET = CONV | {"dataset": "imagenet", "model": "resnet50", "train_images": 1281167, "batch_norm": np.nan}
MLP = {"dataset": "mnist", "model": "mlp", "hidden": "128x128"}
ORDERINGS = 6


def networks(varied: list[dict], settings: dict) -> pd.DataFrame:
    """A runs table, one row per entry of `varied`, named by it."""
    names = ["_".join(f"{key}-{value}" for key, value in row.items()) for row in varied]
    hidden = settings.get("hidden") or "1"
    runs = synthetic.runs_table(
        names, [0.0] * len(names), [0] * len(names), **(settings | {"hidden": hidden})
    )
    for column in varied[0]:
        runs[column] = [row[column] for row in varied]
    return runs.assign(hidden=settings.get("hidden") or np.nan)


def product(**values) -> list[dict]:
    """[{setting: value}] of every combination."""
    rows = [{}]
    for key, choices in values.items():
        rows = [row | {key: choice} for row in rows for choice in choices]
    return rows


def areas(runs: pd.DataFrame, keys: list[str], auc, clamp="zero", spread=0.005, seed=0) -> pd.DataFrame:
    """Table areas: `auc` per network, up to chance between orderings; the varied keys stand in front."""
    random = np.random.default_rng(seed)
    table = runs[["experiment", "run", *keys]].loc[runs.index.repeat(ORDERINGS)].reset_index(drop=True)
    found = np.repeat(np.asarray(auc, float), ORDERINGS) + random.normal(0, spread, len(table))
    orderings = np.tile(np.arange(ORDERINGS), len(runs))
    table = table.assign(clamp=clamp, ordering=orderings, auc=found)
    return table.assign(auc_relative=found, auc_chance_corrected=(found - 0.1) / 0.9)


# --- experiments ---


def corruption(settings: dict, robust_clean=1, zero_lead=0.1) -> dict:
    """Runs, areas, noise by corruption; `robust_clean` -1 turns robustness round, 0 takes it away."""
    auc = {fraction: 0.4 + 0.2 * robust_clean * (1 - 2 * fraction) for fraction in (0.0, 0.5, 1.0)}
    tables = synthetic.corruption_tables(auc=auc, networks=3, orderings=ORDERINGS, spread=0.02)
    runs = networks(product(corrupt=list(auc), seed=range(3)), settings)
    runs["run"] = tables["runs"]["run"]
    random = np.random.default_rng(9)
    lower = tables["areas"]["auc"] - zero_lead + random.normal(0, 0.01, len(tables["areas"]))
    both = pd.concat([tables["areas"], tables["areas"].assign(clamp="mean", auc=lower)], ignore_index=True)
    return {"runs": runs, "areas": both, "noise": tables["noise"]}


def ensemble(between=1, within=1) -> dict:
    """Five learning rates x 8 seeds: area against test accuracy `between` and `within` rates (signs)."""
    random = np.random.default_rng(0)
    runs = networks(product(learning_rate=[0.0001, 0.0003, 0.001, 0.003, 0.01], seed=range(8)), CONV)
    rate, own = np.repeat(np.arange(5), 8) / 4, random.normal(size=40)
    auc = 0.4 + 0.2 * between * rate + 0.01 * within * own
    runs["test_accuracy"] = 0.7 + 0.1 * rate + 0.01 * own
    return {"runs": runs, "areas": areas(runs, ["learning_rate", "seed"], auc, spread=0.002)}


def sweep(correlation=0.914, top=(0.13, 0.83, 0.98), gap=(0.01, 0.011), settings=96, relative=1) -> dict:
    """96 settings x 2 seeds; `top`: shares of picks among the best 1, 5, 10; `gap`: its mean and SD."""
    random = np.random.default_rng(1)
    rates = [round(0.0001 * 1.4**step, 6) for step in range(settings // 4)]
    runs = networks(product(learning_rate=rates, batch=[16, 32, 64, 128], seed=[0, 1]), CONV)
    quality = np.repeat(random.normal(size=len(runs) // 2), 2)
    runs["test_accuracy"] = 0.7 + 0.05 * quality
    auc = 0.4 + 0.05 * synthetic._correlated(quality, correlation, random)
    table = areas(runs, ["learning_rate", "batch", "seed"], auc, spread=0.0005)
    table["auc_relative"] = 0.5 + relative * (table["auc"] - 0.5)
    size = len(runs) // 4
    counts = np.round(1000 * np.diff([0, *top, 1])).astype(int)
    rank = np.repeat([1, 3, 8, size], counts)
    lost = gap[0] + gap[1] * np.where(np.arange(1000) % 2, 1, -1)
    chosen = pd.DataFrame({"experiment": "x", "subset": np.arange(1000), "settings": size, "rank": rank})
    chosen = chosen.assign(picked_auc=0.5, picked_accuracy=0.9 - lost, best_accuracy=0.9, gap=lost)
    return {"runs": runs, "areas": table, "selection": chosen}


def course(settings: dict, peak=30, early=True, correlation=-0.728) -> dict:
    """Checkpoints of 3 networks: area highest at epoch `peak`, test loss lowest at epoch 30."""
    epochs = np.array([1, 2, 5, 10, 20, 30, 40, 50, 60, 80, 100, 150, 200, 300])
    runs = networks(product(seed=range(3)), settings)
    shape = np.where(epochs <= peak, 1 - 0.2 * (1 - epochs / peak) ** 4, 1 - 0.2 * (epochs - peak) / 300)
    shape = shape - np.where(epochs == 1, 0.8, 0) if early else shape - 0.9 * (epochs < peak)
    loss = np.where(epochs <= 30, 1 + 0.5 * (1 - epochs / 30), 1 + (epochs - 30) / 300)
    random = np.random.default_rng(3)
    if correlation is not None:  # Figure 4b: only how area and loss go together counts
        shape = 0.6 + 0.1 * _by_rank(loss, correlation, random)
    rows = []
    for run in runs["run"]:
        for ordering in range(ORDERINGS):
            auc = 0.5 * shape + random.normal(0, 0.001, len(epochs))
            rows.append(pd.DataFrame({"run": run, "epoch": epochs, "ordering": ordering, "auc": auc}))
    table = pd.concat(rows, ignore_index=True)
    table["test_loss"] = table["epoch"].map(dict(zip(epochs, loss, strict=True)))
    return {"runs": runs, "checkpoints": table.assign(experiment="x", train_loss=0.1)}


def _by_rank(values: np.ndarray, spearman: float, random: np.random.Generator) -> np.ndarray:
    """Numbers whose rank correlation with `values` is the one asked for, to 0.02."""
    for _ in range(1000):
        found = synthetic._correlated((values - values.mean()) / values.std(), spearman, random)
        if abs(spearmanr(values, found).statistic - spearman) < 0.02:
            return found
    raise AssertionError(f"no draw with a rank correlation of {spearman}")


def dropout(clean=0.7, corrupted=0.05, protects=True, alike=True, loss=1) -> dict:
    """Ablation curves: kept up to the dropout fraction, then falling within a share `clean` or `corrupted`.

    Clean curves are alike, unless told otherwise; `loss`: how training loss of the others rises with dropout.
    """
    runs = networks(product(dropout=[0.1, 0.2, 0.3], corrupt=[0.0, 1.0], seed=range(3)), MLP)
    random = np.random.default_rng(4)
    share, rows = np.linspace(0, 1, 65), []
    for row in runs.itertuples():
        width = corrupted if row.corrupt else clean
        start = row.dropout if row.corrupt or not alike else 0.3
        start = start if protects else 0.03
        kept = np.where(
            share <= start, 1 - 0.1 * share, 0.97 - 0.9 * np.minimum((share - start) / width, 1) ** 3
        )
        for ordering in range(ORDERINGS):
            accuracy = np.clip(kept + random.normal(0, 0.005, 65), 0.05, 1)
            curve = {"run": row.run, "ordering": ordering, "ablated": np.arange(65), "accuracy": accuracy}
            level = 0.1 + loss * row.corrupt * row.dropout
            rows.append(pd.DataFrame(curve).assign(clamp="zero", units=64, split="train", loss=level))
    return {"runs": runs, "ablation": pd.concat(rows, ignore_index=True).assign(experiment="x")}


def batch_norm(sign=1) -> dict:
    """Networks with and without batch norm: area, selectivity, information differ with that sign."""
    random = np.random.default_rng(5)
    runs = networks(product(batch_norm=[True, False], seed=range(4)), CONV)
    side = np.where(runs["batch_norm"], sign, -sign)
    units = runs[["run"]].loc[runs.index.repeat(60)].assign(layer="relu1", unit=np.tile(np.arange(60), 8))
    drift = np.repeat(side, 60)
    units["selectivity"] = np.clip(0.6 - 0.2 * drift + random.normal(0, 0.1, len(units)), 0, 1)
    for column in ("information_bits", "information_bits_coarse", "information_bits_fine"):
        units[column] = 0.5 + 0.2 * drift + random.normal(0, 0.1, len(units))
    units = units.assign(dead=False, l1=1.0, experiment="x")
    table = areas(runs, ["batch_norm", "seed"], 0.5 + 0.1 * side)
    return {"runs": runs, "areas": table, "units": units}


def maps(
    settings: dict, layers: int, early, late, middle=None, information=(0.0, 0.0, 0.0), l1=0.0,
    depth=0.0, importance_depth=0.0, information_depth=0.0, worst=0.6, per_layer=80, seeds=3, seed=0,
) -> dict:  # fmt: skip
    """Runs, single, units: correlations with importance within early, middle and late thirds of the layers.

    `depth`, `importance_depth`, `information_depth`: how far the layer's mean moves from first to last layer,
    in SDs within a layer; `l1`, `worst`: correlation of selectivity with incoming weights, with the loss of
    the class that suffers most.
    """
    random = np.random.default_rng(seed)
    runs = networks(product(seed=range(seeds)), settings)
    middle = (early + late) / 2 if middle is None else middle
    third, found = max(1, layers // 3), []
    for run in runs["run"]:
        for layer in range(layers):
            part = 0 if layer < third else 2 if layer >= layers - third else 1
            height = layer / (layers - 1)
            own = random.normal(size=per_layer)
            selectivity = synthetic._correlated(own, (early, middle, late)[part], random)
            values = {
                "selectivity": selectivity + depth * height,
                "information_bits": synthetic._correlated(own, information[part], random)
                + information_depth * height,
                "importance": own + importance_depth * height,
                "l1": synthetic._correlated(selectivity + 0.0, l1, random),
                "worst_class_drop": synthetic._correlated(selectivity, worst, random),
            }
            names = {"run": run, "layer": f"relu{layer + 1}", "unit": np.arange(per_layer)}
            found.append(pd.DataFrame(names | values))
    table = pd.concat(found, ignore_index=True).assign(experiment="x", split="test", dead=False)
    single = table[["experiment", "run", "layer", "unit", "split", "importance", "worst_class_drop"]]
    return {"runs": runs, "single": single, "units": table.drop(columns=["importance", "worst_class_drop"])}


def mlp_units(**changed) -> dict:
    """Figures 7a, A4a as the paper has them."""
    right = {"early": 0.25, "late": 0.25, "information": (0.2, 0.0, 0.2), "depth": 0.5, "seeds": 12}
    right |= {"importance_depth": -0.7, "information_depth": 0.0, "per_layer": 128}
    return maps(MLP, 2, **(right | changed))


def conv_units(**changed) -> dict:
    """Figures 7b, 7c, A2a, A3a, A4b, A4c as the paper has them; within layers, against the follow-up."""
    right = {"early": -0.6, "middle": -0.3, "late": 0.0, "information": (-0.6, -0.1, -0.6), "l1": -0.5}
    right |= {"depth": 1.0, "importance_depth": -1.0, "information_depth": 0.4}
    return maps(CONV, 9, **(right | changed))


def resnet_units(**changed) -> dict:
    """Figures 7d, 7e, A2b, A3b, A4d, A4e as the paper has them."""
    right = {"early": 0.0, "late": 0.0, "information": (-0.2, -0.2, -0.2), "depth": 1.0}
    return maps(RESNET, 9, **({**right, "importance_depth": -0.5, "information_depth": 0.4} | changed))


def paper(**instead) -> dict[str, dict]:
    """{experiment: tables} of a world in which the paper is right but for the experiments given."""
    made = {
        "mnist_corruption": synthetic.corruption_tables(),
        "conv_corruption": corruption(CONV),
        "resnet_corruption": corruption(RESNET),
        "conv_ensemble": ensemble(),
        "mnist_early_stopping": course(MLP, correlation=None),
        "conv_early_stopping": course(CONV),
        "conv_sweep": sweep(),
        "mnist_dropout": dropout(),
        "conv_normalization": batch_norm(),
        "mnist_selectivity": mlp_units(),
        "conv_selectivity": conv_units(),
        "resnet_selectivity": resnet_units(),
    }
    return made | instead
