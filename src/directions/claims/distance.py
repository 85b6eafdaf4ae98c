"""Distance between a study and the paper: areas (Figure 1a), noise (2a), course of training (4a).

For choosing what the paper leaves open, such as the optimizer (docs/DEVIATIONS.md, D1): smaller is closer to
the printed figures. No claim is judged by it.
"""

from pathlib import Path

import numpy as np

from directions.claims.statistics import STATISTICS
from directions.claims.statistics.bootstrap import Statistic
from directions.claims.statistics.curves import falls_to_half
from directions.core.tables import Tables
from directions.study import paper_curves

FRACTIONS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
PRINTED_CORRELATION = -0.728  # of area and test loss, Figure 4b: the same run as Figure 4a


def of_areas(tables: Tables, figures: Path | str) -> float:
    """Compute the mean absolute difference between our areas and those of Figure 1a, over six fractions.

    tables: runs, areas. Raises Untestable if the study lacks a fraction.
    """
    curves = dict(iter(paper_curves.read(Path(figures) / "fig1a.csv").groupby("corrupt")))
    theirs = [np.trapezoid(curves[f]["accuracy"], curves[f]["fraction"]) for f in FRACTIONS]
    return float(np.mean(np.abs(_ours("auc", tables) - theirs)))


def of_noise(tables: Tables, figures: Path | str) -> float:
    """Compute the mean absolute log ratio of our half-accuracy noise scales to Figure 2a's; 0.1 is 10 %.

    tables: runs, noise. Raises Untestable if the study lacks a fraction or accuracy never falls to 0.5.
    """
    curves = dict(iter(paper_curves.read(Path(figures) / "fig2a.csv").groupby("corrupt")))
    theirs = [
        falls_to_half(np.log10(curves[f]["noise_scale"].to_numpy()), curves[f]["accuracy"].to_numpy())
        for f in FRACTIONS
    ]
    return float(np.mean(np.abs(np.log(_ours("noise_half_scale", tables) / theirs))))


def of_course(tables: Tables, figures: Path | str) -> dict[str, float]:
    """Compute distances from Figure 4a: {peak_epoch, lowest_loss_epoch, end, correlation}.

    Epochs as absolute log ratios; the final area relative to the highest, and the rank correlation of area
    and test loss, as absolute differences. tables: runs, checkpoints. Raises Untestable if the test loss is
    lowest at either end.
    """
    drawn = paper_curves.read(Path(figures) / "fig4a.csv")
    area, loss = (drawn.dropna(subset=[name]) for name in ("area_normalized", "test_loss"))
    peak = area["area_normalized"].idxmax()
    ours = {name: _value(name, tables) for name in _COURSE}
    end = area["area_normalized"].iloc[-1] / area["area_normalized"].max()
    lowest = loss.loc[loss["test_loss"].idxmin(), "epoch"]
    return {
        "peak_epoch": float(abs(np.log(ours["auc_peak_epoch"] / area.loc[peak, "epoch"]))),
        "lowest_loss_epoch": float(abs(np.log(ours["test_loss_lowest_epoch"] / lowest))),
        "end": float(abs(ours["auc_end_relative"] - end)),
        "correlation": abs(ours["auc_test_loss_correlation"] - PRINTED_CORRELATION),
    }


def to_paper(corruption: Tables, course: Tables, figures: Path | str) -> dict[str, float]:
    """Compute all distances and their mean as `distance`: {areas, noise, peak_epoch, ..., distance}.

    corruption: runs, areas, noise of networks by fraction of labels corrupted; course: runs, checkpoints.
    All six parts have the same weight. Raises as the functions above.
    """
    parts = {"areas": of_areas(corruption, figures), "noise": of_noise(corruption, figures)}
    parts |= of_course(course, figures)
    return parts | {"distance": float(np.mean(list(parts.values())))}


_COURSE = ("auc_peak_epoch", "test_loss_lowest_epoch", "auc_end_relative", "auc_test_loss_correlation")


def _ours(statistic: str, tables: Tables) -> np.ndarray:
    return np.array([_value(statistic, tables, corrupt=f) for f in FRACTIONS])


def _value(name: str, tables: Tables, **condition: float) -> float:
    statistic = STATISTICS[name]
    assert isinstance(statistic, Statistic)  # the others have no value without an interval
    return statistic.value(tables, condition)
