"""Made-up tables of every experiment at the paper's scale, with each claimed effect dialled in by a number.

`paper()` is a world in which the paper is right, with its own curves; arguments of the makers turn single
effects round or away.
"""

import functools

import numpy as np
import pandas as pd
import synthetic
import synthetic_bounds
import synthetic_controls
import synthetic_examples
import synthetic_memorization
import synthetic_paper as theirs
import synthetic_shared

EXPERIMENTS = {  # figure -> experiment, as the configuration's `draw`
    **dict.fromkeys(
        ("fig1a", "fig2a", "pairs_area", "orders", "redundancy", "memories", "layers_area"),
        "mnist_corruption",
    ),
    **dict.fromkeys(("fig1b", "fig2b", "figA1"), "conv_corruption"),
    "fig1c": "resnet_corruption",
    **dict.fromkeys(("fig3a", "fig3b"), "conv_ensemble"),
    **dict.fromkeys(("fig4a", "fig4b"), "mnist_early_stopping"),
    "fig4c": "conv_sweep",
    **dict.fromkeys(("fig5a", "redundancy_dropout"), "mnist_dropout"),
    "limit": "mnist_limit",
    "limit_dropout": "mnist_limit_dropout",
    "limit_conv": "conv_limit",
    "controls": "mlp_controls",
    "cmi": "mnist_cmi",
    "complexity": "mnist_examples",
    "examples": "mnist_examples",
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
DROPOUT = MLP | {"hidden": "2048x2048", "epochs": 5000}
ORDERINGS = theirs.ORDERINGS
TURNED = dict(zip(synthetic.FRACTIONS, reversed(synthetic.FRACTIONS), strict=True))


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


def corruption(settings: dict, curves: str, noise: str = "", turned=False, zero_lead=0.1) -> dict:
    """Runs, ablation, areas, noise by corruption, of two panels; `turned`: 0 % has the curve of 100 %."""
    runs = networks(product(corrupt=list(TURNED), seed=range(3)), settings)
    taken = TURNED if turned else dict(zip(TURNED, TURNED, strict=True))
    panel = dict(iter(theirs.panel(curves).groupby("corrupt")))
    accuracy = [theirs.over_share(panel[taken[corrupt]]) for corrupt in runs["corrupt"]]
    tables = theirs.curves(runs, accuracy)
    random = np.random.default_rng(9)
    lower = tables["areas"]["auc"] - zero_lead + random.normal(0, 0.01, len(tables["areas"]))
    both = pd.concat([tables["areas"], tables["areas"].assign(clamp="mean", auc=lower)], ignore_index=True)
    found = {"runs": runs, "ablation": tables["ablation"], "areas": both}
    return found | ({"noise": theirs.noise(runs, noise, taken)} if noise else {})


def ensemble(between=1, within=1, seeds=40) -> dict:
    """Five learning rates x `seeds`: area against test accuracy `between` and `within` rates (signs).

    The five best and worst have the paper's curves, exchanged where `between` is -1.
    """
    random = np.random.default_rng(0)
    runs = networks(
        product(learning_rate=[0.0001, 0.0003, 0.001, 0.003, 0.01], seed=range(seeds)),
        CONV,
    )
    rate, own = np.repeat(np.arange(5), seeds) / 4, random.normal(size=5 * seeds)
    level = np.repeat([0.25, 0.0, 0.5, 1.0, 0.75], seeds)
    auc = 0.4 + 0.2 * between * level + 0.02 * within * own
    runs["test_accuracy"] = 0.7 + 0.1 * rate + 0.01 * own
    ranked = runs["test_accuracy"].argsort().to_numpy()
    panel = dict(iter(theirs.panel("fig3a").groupby("group")))
    accuracy = [np.full(len(theirs.SHARE), value) for value in auc]
    for places, side in ((ranked[:5], "worst"), (ranked[-5:], "best")):
        side = side if between >= 0 else {"worst": "best", "best": "worst"}[side]
        for place in places if between else ():
            accuracy[place] = theirs.over_share(panel[side])
    return {"runs": runs, **theirs.curves(runs, accuracy, spread=0.002)}


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


def course(area="the paper's", loss="the paper's") -> dict:
    """Checkpoints of 3 networks, as Figure 4a draws one, or with other areas or another test loss."""
    drawn = theirs.course()
    runs = networks(product(seed=range(3)), MLP | {"hidden": "2048x2048", "epochs": 26})
    epoch = drawn["epoch"] / drawn["epoch"].max()
    areas = {
        "the paper's": drawn["area"],
        "never drops": 0.5 + 0.5 * epoch,
        "rises late": 0.3 + 0.7 * (epoch > 0.2) - 0.1 * (epoch > 0.6),
        "only falls": 1 - 0.5 * epoch,
    }[area]
    test_loss = drawn["test_loss"] if loss == "the paper's" else 0.2 + 0.3 * (epoch - 0.4) ** 2
    random, rows = np.random.default_rng(3), []
    for run in runs["run"]:
        for ordering in range(ORDERINGS):
            auc = 0.9 * areas + random.normal(0, 0.0003, len(areas))
            rows.append(drawn[["epoch"]].assign(run=run, ordering=ordering, auc=auc, test_loss=test_loss))
    table = pd.concat(rows, ignore_index=True)
    return {"runs": runs, "checkpoints": table.assign(experiment="x", train_loss=0.1)}


def dropout_of_paper() -> dict:
    """Figure 5a's curves; the training loss of networks with corrupted labels rises with dropout."""
    runs = networks(product(dropout=[0.1, 0.2, 0.3], corrupt=[0.0, 1.0], seed=range(3)), DROPOUT)
    panel = dict(iter(theirs.panel("fig5a").groupby(["labels", "dropout"])))
    words = {0.0: "original", 1.0: "corrupted"}
    drawn = [panel[words[row.corrupt], row.dropout] for row in runs.itertuples()]
    tables = theirs.curves(runs, [theirs.over_share(curve) for curve in drawn], spread=0.001)
    loss = 0.1 + tables["ablation"]["corrupt"] * tables["ablation"]["dropout"]
    return {"runs": runs, "areas": tables["areas"], "ablation": tables["ablation"].assign(loss=loss)}


def dropout(clean=0.7, corrupted=0.05, protects=True, alike=True, loss=1) -> dict:
    """Ablation curves: kept up to the dropout fraction, then falling within a share `clean` or `corrupted`.

    Clean curves are alike, unless told otherwise; `loss`: how training loss of the others rises with dropout.
    """
    runs = networks(product(dropout=[0.1, 0.2, 0.3], corrupt=[0.0, 1.0], seed=range(3)), DROPOUT)
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
    table = pd.concat(rows, ignore_index=True).assign(experiment="x")
    area = table.groupby(["run", "ordering"], as_index=False)["accuracy"].mean()
    area = area.rename(columns={"accuracy": "auc"}).assign(clamp="zero")
    return {"runs": runs, "ablation": table, "areas": area}


def batch_norm(turned=False) -> dict:
    """Networks with and without batch norm as in Figures 5b and 6; `turned`: the two sides exchanged."""
    runs = networks(product(batch_norm=[True, False], seed=range(4)), CONV)
    sides = ["with" if norm != turned else "without" for norm in runs["batch_norm"]]
    panel = dict(iter(theirs.panel("fig5b").groupby("batch_norm")))
    tables = theirs.curves(runs, [theirs.over_share(panel[side]) for side in sides])
    units = runs[["run"]].loc[runs.index.repeat(60)].assign(layer="relu1", unit=np.tile(np.arange(60), 8))
    units["selectivity"] = np.concatenate([theirs.histogram("fig6a", side, 60) for side in sides])
    for column in ("information_bits", "information_bits_coarse", "information_bits_fine"):
        units[column] = np.concatenate([theirs.histogram("fig6b", side, 60) for side in sides])
    return {"runs": runs, **tables, "units": units.assign(dead=False, l1=1.0, experiment="x")}


def maps(
    settings: dict, layers: int, early, late, middle=None, information=(0.0, 0.0, 0.0), l1=0.0,
    depth=0.0, importance_depth=0.0, information_depth=0.0, worst=0.6, per_layer=80, seeds=3, seed=0,
    each=(), weighted=0.95, cost=-1.0,
) -> dict:  # fmt: skip
    """Runs, single, units: correlations with importance within early, middle and late thirds of the layers.

    `depth`, `importance_depth`, `information_depth`: how far the layer's mean moves from first to last layer,
    in SDs within a layer; `l1`, `worst`: correlation of selectivity with incoming weights, with the loss of
    the class that suffers most; `each`: the correlation within each layer, in place of the thirds;
    `weighted`: that of selectivity times mean activity with importance; `cost`: mean importance of a unit.
    """
    random, extra = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    runs = networks(product(seed=range(seeds)), settings)
    middle = (early + late) / 2 if middle is None else middle
    third, found = max(1, layers // 3), []
    for run in runs["run"]:
        for layer in range(layers):
            part = 0 if layer < third else 2 if layer >= layers - third else 1
            height = layer / (layers - 1)
            own = random.normal(size=per_layer)
            inside = each[layer] if len(each) else (early, middle, late)[part]
            selectivity = synthetic._correlated(own, inside, random)
            values = {
                "selectivity": selectivity + depth * height,
                "information_bits": synthetic._correlated(own, information[part], random)
                + information_depth * height,
                "importance": own + importance_depth * height,
                "l1": synthetic._correlated(selectivity + 0.0, l1, random),
                "worst_class_drop": synthetic._correlated(selectivity, worst, random),
            }
            values["mean"] = synthetic._correlated(own, weighted, extra) / values["selectivity"]
            values["importance"] += cost
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
    if not changed:
        each = theirs.panel("fig7c")["correlation"].to_numpy()
        changed = {"each": each, "per_layer": 200, "depth": 2.3, "importance_depth": -2.3}
        information = (-0.57, -0.24, -0.57)
        return _conv_units(len(each), **changed, information=information, information_depth=0.7)
    return _conv_units(9, **changed)


def _conv_units(layers: int, **changed) -> dict:
    right = {"early": -0.6, "middle": -0.3, "late": 0.0, "information": (-0.6, -0.1, -0.6), "l1": -0.5}
    right |= {"depth": 1.0, "importance_depth": -1.0, "information_depth": 0.4}
    return maps(CONV, layers, **(right | changed))


def resnet_units(**changed) -> dict:
    """Figures 7d, 7e, A2b, A3b, A4d, A4e as the paper has them."""
    each = theirs.panel("fig7e")["correlation"].to_numpy()
    own = {"early": 0.0, "late": 0.0} if changed else {"early": 0.0, "late": 0.0, "each": each}
    right = own | {"information": (-0.2, -0.2, -0.2), "depth": 1.0}
    layers = 9 if changed else len(each)
    return maps(RESNET, layers, **({**right, "importance_depth": -0.5, "information_depth": 0.4} | changed))


PAPER = {
    "mnist_corruption": lambda: synthetic_shared.added(
        corruption(MLP | {"hidden": "512x512"}, "fig1a", "fig2a")
    ),
    "conv_corruption": lambda: corruption(CONV, "fig1b", "fig2b"),
    "resnet_corruption": lambda: corruption(RESNET, "fig1c"),
    "conv_ensemble": ensemble,
    "mnist_early_stopping": course,
    "conv_sweep": sweep,
    "mnist_dropout": lambda: synthetic_shared.with_pairs(dropout_of_paper()),
    "mnist_limit": lambda: synthetic_memorization.tables(**MLP),
    "mnist_limit_dropout": lambda: synthetic_memorization.tables(
        ways=synthetic_memorization.WAYS_DROPOUT, **MLP
    ),
    "conv_limit": lambda: synthetic_memorization.tables(**CONV | {"hidden": "1"}),
    "mlp_controls": lambda: synthetic_controls.tables(model="mlp"),
    "mnist_cmi": synthetic_bounds.tables,
    "mnist_examples": lambda: synthetic_examples.tables(**MLP),
    "conv_normalization": batch_norm,
    "mnist_selectivity": mlp_units,
    "conv_selectivity": conv_units,
    "resnet_selectivity": resnet_units,
}  # experiment -> tables of a world in which the paper is right


@functools.cache
def paper_of(experiment: str) -> dict:
    """The tables of one experiment where the paper is right."""
    return PAPER[experiment]()


def paper() -> dict[str, dict]:
    """{experiment: tables} of a world in which the paper is right."""
    return {experiment: paper_of(experiment) for experiment in PAPER}
