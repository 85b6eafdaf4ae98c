"""What does the loss of JPEG change? Networks trained on the same images with and without it (D31).

    snakemake --cores 2 --config study=jpeg_loss -- \\
        results/jpeg_loss/tables/{lossless,jpeg}/{runs,areas,noise,single,units}.csv
    python bench/jpeg_loss.py --tables results/jpeg_loss/tables --output docs/results/jpeg_loss.csv

Each network gives one number per row of the table, which has their means, the difference, and its 95 %
interval by Student's t. Numbers about units are for networks with true labels, as in the paper.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from scipy.stats import t as student_t

COPIES = ("lossless", "jpeg")


def of_networks(folder: Path) -> pd.DataFrame:
    """Build one row per network of an experiment, with a column per quantity."""
    runs, areas, noise, single, units = (
        pd.read_csv(folder / f"{name}.csv") for name in ("runs", "areas", "noise", "single", "units")
    )
    table = runs.set_index("run")[["corrupt", "seed", "train_accuracy", "test_accuracy"]]
    table["area"] = areas.groupby("run")["auc"].mean()
    table["accuracy under noise"] = noise[noise["noise_sd_ratio"] > 0].groupby("run")["accuracy"].mean()
    alive = units[~units["dead"]].merge(single[["run", "layer", "unit", "importance"]])
    groups = alive.groupby("run")
    table["selectivity"] = groups["selectivity"].mean()
    table["mutual information, bits"] = groups["information_bits"].mean()
    table["importance, nats"] = groups["importance"].mean()
    for name, column in (("selectivity", "selectivity"), ("information", "information_bits")):
        ranks = {run: spearmanr(group[column], group["importance"]).statistic for run, group in groups}
        table[f"correlation of {name} and importance"] = pd.Series(ranks)
    return table.reset_index()


def compared(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Compare the means of both copies for each quantity and fraction corrupted."""
    quantities = [name for name in tables["jpeg"].columns if name not in ("run", "corrupt", "seed")]
    of_units = quantities[quantities.index("selectivity") :]
    rows = []
    for corrupt in sorted(tables["jpeg"]["corrupt"].unique()):
        for quantity in quantities:
            if corrupt == 0 or quantity not in of_units:
                names = {"labels corrupted": corrupt, "quantity": quantity}
                rows.append(names | row(tables, corrupt, quantity))
    return pd.DataFrame(rows)


def row(tables: dict[str, pd.DataFrame], corrupt: float, quantity: str) -> dict:
    """Compute means with and without loss, their difference, and its 95 % interval by Student's t."""
    chosen = [tables[copy].loc[tables[copy]["corrupt"] == corrupt, quantity] for copy in COPIES]
    values = [networks.to_numpy() for networks in chosen]
    without, with_loss = (value.mean() for value in values)
    n = min(map(len, values))
    error = float(np.sqrt(sum(value.var(ddof=1) / len(value) for value in values)))
    half = error * student_t.ppf(0.975, 2 * n - 2)
    difference = with_loss - without
    return {
        "lossless": without, "jpeg": with_loss, "difference": difference, "low": difference - half,
        "high": difference + half, "n": n,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=Path, required=True, help="of the study, a folder per experiment")
    parser.add_argument("--output", type=Path, required=True, help="CSV")
    args = parser.parse_args()
    table = compared({copy: of_networks(args.tables / copy) for copy in COPIES}).round(4)
    table.to_csv(args.output, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
