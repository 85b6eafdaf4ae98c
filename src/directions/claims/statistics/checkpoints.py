"""A network over training: when the area under its ablation curve rises and falls (Figures 4a, 4b)."""

import numpy as np
import pandas as pd

from directions.claims.statistics.bootstrap import Groups, Measure, mean
from directions.claims.statistics.conditions import Condition
from directions.claims.statistics.networks import by_setting
from directions.claims.statistics.ranks import Untestable, correlate
from directions.core.errors import InputError
from directions.core.tables import Tables, require


def training(tables: Tables, _condition: Condition) -> Groups:
    """Observe one (orderings, 3 x checkpoints) array per network: epochs, areas, test losses, by epoch."""
    runs = require(tables, "runs", "run")
    table = require(tables, "checkpoints", "run", "epoch", "ordering", "auc", "test_loss")
    wide = table.pivot_table(index=["run", "ordering"], columns="epoch", values=["auc", "test_loss"])
    if wide.isna().any(axis=None):
        raise InputError("table 'checkpoints': networks or orderings differ in their epochs: rebuild it")
    epochs = np.sort(table["epoch"].unique())
    if len(epochs) < 3:
        raise Untestable(f"{len(epochs)} checkpoint(s) show no course of training")
    seen = wide[["auc", "test_loss"]].to_numpy(float)
    values = np.hstack([np.tile(epochs.astype(float), (len(seen), 1)), seen])
    observed = pd.DataFrame(values).assign(run=wide.index.get_level_values("run"))
    return by_setting(runs, observed, None)


def _parts(seen: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split one network's values into (epochs (n,), mean areas (draws, n), test losses (n,))."""
    epochs, areas, losses = np.split(seen, 3, axis=1)
    return epochs[0], mean(areas, counts), losses[0]


def _divergence(losses: np.ndarray) -> int:
    """Find where train and test loss diverge: the checkpoint with the lowest test loss, if it rises again."""
    lowest = int(np.argmin(losses))
    if lowest in (0, len(losses) - 1):
        end = "last" if lowest else "first"
        raise Untestable(
            f"test loss is lowest at the {end} checkpoint of a network: no divergence to be seen"
        )
    return lowest


def rise(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Subtract the area at the first checkpoint from the area where train and test loss diverge."""
    _, areas, losses = _parts(seen, counts)
    return areas[:, _divergence(losses)] - areas[:, 0]


def drop(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Subtract the area at the end of training from the area where train and test loss diverge."""
    _, areas, losses = _parts(seen, counts)
    return areas[:, _divergence(losses)] - areas[:, -1]


def peak_distance(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Measure how far apart highest area and lowest test loss are, in doublings of the epoch."""
    epochs, areas, losses = _parts(seen, counts)
    log = np.log2(np.maximum(epochs, epochs[epochs > 0].min()))  # epoch 0 counts as the first checkpoint
    return np.abs(log[areas.argmax(1)] - log[_divergence(losses)])


def half_rise(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Find the fraction of training after which the area is half-way from its first to its highest value."""
    epochs, areas, _ = _parts(seen, counts)
    half = (areas[:, :1] + areas.max(1, keepdims=True)) / 2
    return epochs[(areas >= half).argmax(1)] / epochs[-1]


def peak_epoch(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Find the epoch of the highest area."""
    epochs, areas, _ = _parts(seen, counts)
    return epochs[areas.argmax(1)]


def end_relative(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Divide the area at the end of training by the highest one."""
    _, areas, _ = _parts(seen, counts)
    return areas[:, -1] / areas.max(1)


def lowest_loss_epoch(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Find the epoch of the lowest test loss, if the loss rises again."""
    epochs, areas, losses = _parts(seen, counts)
    return np.full(len(areas), epochs[_divergence(losses)])


def lowest_loss(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Find the lowest test loss of any checkpoint."""
    _, areas, losses = _parts(seen, counts)
    return np.full(len(areas), losses.min())


def loss_correlation(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Compute Spearman of area and test loss over the checkpoints of a network."""
    _, areas, losses = _parts(seen, counts)
    return correlate([(areas, np.broadcast_to(losses, areas.shape))])


MEASURES: dict[str, Measure] = {
    "auc_rise": rise,
    "auc_drop": drop,
    "auc_peak_distance": peak_distance,
    "auc_half_rise": half_rise,
    "auc_test_loss_correlation": loss_correlation,
    "auc_peak_epoch": peak_epoch,
    "auc_end_relative": end_relative,
    "test_loss_lowest_epoch": lowest_loss_epoch,
    "test_loss_lowest": lowest_loss,
}
