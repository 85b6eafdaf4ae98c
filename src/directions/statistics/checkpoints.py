"""A network over its training: when the area under its ablation curve rises and falls (Figures 4a, 4b)."""

import numpy as np

from directions.errors import InputError
from directions.statistics.bootstrap import Groups, Measure, mean
from directions.statistics.networks import by_setting
from directions.statistics.ranks import Untestable, correlate
from directions.tidy import Tables, require


def training(tables: Tables, _corrupt: float | None = None) -> Groups:
    """One (orderings, 3 x checkpoints) array per network: epochs, areas, test losses, by rising epoch."""
    runs = require(tables, "runs", "run")
    table = require(tables, "checkpoints", "run", "epoch", "ordering", "auc", "test_loss")
    wide = table.pivot_table(index=["run", "ordering"], columns="epoch", values=["auc", "test_loss"])
    if wide.isna().any(axis=None):
        raise InputError("table 'checkpoints': networks or orderings differ in their epochs: make it again")
    epochs = np.sort(table["epoch"].unique())
    if len(epochs) < 3:
        raise Untestable(f"{len(epochs)} checkpoint(s) show no course of training")
    wide = wide[["auc", "test_loss"]]
    wide.columns = range(wide.shape[1])
    observed = wide.reset_index("run")
    for place, epoch in enumerate(epochs):
        observed.insert(1 + place, f"epoch {place}", float(epoch))
    return by_setting(runs, observed, None)


def _parts(seen: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(epochs (n,), mean areas (draws, n), test losses (n,)) of one network."""
    epochs, areas, losses = np.split(seen, 3, axis=1)
    return epochs[0], mean(areas, counts), losses[0]


def _divergence(losses: np.ndarray) -> int:
    """Where train and test loss diverge: the checkpoint with the lowest test loss, if it rises again."""
    lowest = int(np.argmin(losses))
    if lowest in (0, len(losses) - 1):
        end = "last" if lowest else "first"
        raise Untestable(
            f"test loss is lowest at the {end} checkpoint of a network: no divergence to be seen"
        )
    return lowest


def rise(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Area where train and test loss diverge minus area at the first checkpoint."""
    _, areas, losses = _parts(seen, counts)
    return areas[:, _divergence(losses)] - areas[:, 0]


def drop(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Area where train and test loss diverge minus area at the end of training."""
    _, areas, losses = _parts(seen, counts)
    return areas[:, _divergence(losses)] - areas[:, -1]


def peak_distance(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """By how many doublings of the epoch the highest area and the lowest test loss are apart."""
    epochs, areas, losses = _parts(seen, counts)
    log = np.log2(np.maximum(epochs, 1))  # before training counts as the first epoch
    return np.abs(log[areas.argmax(1)] - log[_divergence(losses)])


def half_rise(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Share of the training that passes until the area is half-way from its first value to its highest."""
    epochs, areas, _ = _parts(seen, counts)
    half = (areas[:, :1] + areas.max(1, keepdims=True)) / 2
    return epochs[(areas >= half).argmax(1)] / epochs[-1]


def loss_correlation(seen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Spearman of area and test loss over the checkpoints of a network."""
    _, areas, losses = _parts(seen, counts)
    return correlate([(areas, np.broadcast_to(losses, areas.shape))])


MEASURES: dict[str, Measure] = {
    "auc_rise": rise,
    "auc_drop": drop,
    "auc_peak_distance": peak_distance,
    "auc_half_rise": half_rise,
    "auc_test_loss_correlation": loss_correlation,
}
