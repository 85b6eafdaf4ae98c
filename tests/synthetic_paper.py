"""Made-up tables whose curves are the paper's own, read from its figures: there the paper is right."""

from pathlib import Path

import numpy as np
import pandas as pd

from directions.study import paper_curves

FIGURES = Path(__file__).parents[1] / "data/paper/figures"
ORDERINGS = 6
SHARE = np.linspace(0, 1, 65)
UNITS = 64  # as many steps as SHARE has
RATIOS = np.geomspace(0.0316, 10, 31)


def panel(name: str) -> pd.DataFrame:
    """A panel of the paper."""
    return paper_curves.read(FIGURES / f"{name}.csv")


def curves(runs: pd.DataFrame, accuracy: list[np.ndarray], spread=0.003, seed=0) -> dict[str, pd.DataFrame]:
    """Tables ablation and areas: each network's curve over SHARE, moved by `spread` per ordering."""
    random = np.random.default_rng(seed)
    keys = [name for name in ("corrupt", "dropout", "batch_norm", "learning_rate", "seed") if name in runs]
    points, areas = [], []
    for (_, run), level in zip(runs.iterrows(), accuracy, strict=True):
        key = {name: run[name] for name in ("experiment", "run", *keys)} | {"clamp": "zero"}
        for ordering in range(ORDERINGS):
            moved = np.clip(level + random.normal(0, spread) * np.sin(np.pi * SHARE), 0, 1)
            own = key | {"ordering": ordering}
            curve = pd.DataFrame({"ablated": np.arange(UNITS + 1), "accuracy": moved})
            points.append(curve.assign(**own, units=UNITS, split="train", loss=0.1))
            area = np.trapezoid(moved, SHARE)
            areas.append(own | {"auc": area, "auc_relative": area, "auc_chance_corrected": area})
    return {"ablation": pd.concat(points, ignore_index=True), "areas": pd.DataFrame(areas)}


def over_share(curve: pd.DataFrame) -> np.ndarray:
    """A curve of the paper at SHARE, its last value past its end."""
    return np.interp(SHARE, curve["fraction"], curve["accuracy"])


def noise(runs: pd.DataFrame, name: str, taken: dict[float, float], seed=0) -> pd.DataFrame:
    """Table noise with the curves of a panel; `taken`: which fraction's curve a fraction has."""
    random = np.random.default_rng(seed)
    theirs = dict(iter(panel(name).groupby("corrupt")))
    rows = []
    for run in runs.itertuples():
        curve = theirs[taken[run.corrupt]]
        level = np.interp(np.log(RATIOS), np.log(curve["noise_scale"]), curve["accuracy"])
        for repeat in range(ORDERINGS):
            moved = np.r_[1.0, np.clip(level + random.normal(0, 0.001), 0, 1)]
            key = {"experiment": "x", "run": run.run, "corrupt": run.corrupt, "seed": run.seed}
            found = pd.DataFrame({"noise_sd_ratio": np.r_[0.0, RATIOS], "accuracy": moved})
            rows.append(found.assign(**key, repeat=repeat, split="train", loss=0.1))
    return pd.concat(rows, ignore_index=True)


def histogram(name: str, side: str, count: int) -> np.ndarray:
    """`count` values distributed as a histogram of Figure 6, in the order of their size."""
    bins = panel(name).query("batch_norm == @side")
    width = bins["bin_right"] - bins["bin_left"]
    share = np.r_[0, np.cumsum(bins["density"] * width)]
    edges = np.r_[bins["bin_left"], bins["bin_right"].iloc[-1]]
    return np.interp((np.arange(count) + 0.5) / count, share / share[-1], edges)


def course() -> pd.DataFrame:
    """Figure 4a: epoch, area, test loss, at every other column; where a curve is not drawn, its start."""
    drawn = panel("fig4a").iloc[::2].reset_index(drop=True)
    area = drawn["area_normalized"].interpolate(limit_area="inside").ffill()
    started = pd.DataFrame({"epoch": drawn["epoch"], "area": area, "test_loss": drawn["test_loss"]})
    return started.fillna({"area": 0.3, "test_loss": 0.6})
