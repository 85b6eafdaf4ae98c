"""Areas and losses over training, for Figures 4a and 4b."""

import pandas as pd

from directions.core.tables import Tables, require


def over_training(tables: Tables) -> pd.DataFrame:
    """Build one row per network and kept epoch: auc, auc_relative (means over orderings), test_loss.

    Raises InputError naming a table or column that is missing or empty.
    """
    table = require(
        tables, "checkpoints", "run", "epoch", "ordering", "units", "auc", "auc_relative", "test_loss"
    )
    return table.groupby(["run", "epoch"])[["auc", "auc_relative", "test_loss"]].mean().reset_index()
