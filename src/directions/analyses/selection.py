"""Choose hyper-parameters by area under the ablation curve, without a test set (section 3.3, Figure 4c).

From a random half of all settings, the one with the largest area is picked; its test accuracy shows how good
the choice was (docs/DEVIATIONS.md, D22).
"""

import numpy as np
import pandas as pd

from directions.core.errors import InputError
from directions.core.seeds import stream

FEWEST_SETTINGS = 4  # with fewer, half leaves nothing to choose from
SCORES = ["auc", "test_accuracy"]


def settings_table(areas: pd.DataFrame, runs: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Compute one row per setting, columns auc and test_accuracy: means over orderings, then over seeds.

    areas, runs: the tables of those names. keys: the varied settings; networks that differ only in `seed`
    share a setting. Raises InputError for fewer than `FEWEST_SETTINGS`.
    """
    zero = areas[areas["clamp"] == "zero"]
    networks = runs.set_index("run").assign(auc=zero.groupby("run")["auc"].mean())
    varied = [key for key in keys if key != "seed"]
    settings = networks.groupby(varied, dropna=False)[SCORES].mean() if varied else networks[:0]
    if len(settings) < FEWEST_SETTINGS:
        raise InputError(
            f"{len(settings)} settings besides seed are too few to choose from: `vary` at least "
            f"{FEWEST_SETTINGS}, or leave out the figure of the selection"
        )
    return settings.reset_index()


def selection(settings: pd.DataFrame, subsets: int) -> pd.DataFrame:
    """Compute one row per random half of the settings: what area picks, and how far it is from the best.

    settings: columns auc and test_accuracy. Columns: subset, settings (how many), picked_auc,
    picked_accuracy, best_accuracy, gap (best - picked), rank (1: none in the subset is better).
    """
    auc, accuracy = (settings[name].to_numpy(float) for name in SCORES)
    size = len(settings) // 2
    rows = []
    for subset in range(subsets):
        members = stream("selection", subset).permutation(len(settings))[:size]
        picked = members[np.argmax(auc[members])]
        best = accuracy[members].max()
        rows.append(
            {
                "subset": subset,
                "settings": size,
                "picked_auc": auc[picked],
                "picked_accuracy": accuracy[picked],
                "best_accuracy": best,
                "gap": best - accuracy[picked],
                "rank": 1 + int((accuracy[members] > accuracy[picked]).sum()),
            }
        )
    return pd.DataFrame(rows)
