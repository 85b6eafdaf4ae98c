"""Figure 1b at every size that was trained: how much more area networks with true labels keep than those that
memorised shuffled ones, against the number of weights per image.

Points: the published studies, and the older trials and the paper's own figure in bench/sizes.csv.

    python bench/sizes.py --published docs/results --png docs/results/sizes.png
"""

from pathlib import Path

import pandas as pd
from matplotlib.lines import Line2D

from directions.analyses import auc
from directions.core import cli
from directions.core import tables as table_files
from directions.core.display_names import DATASETS
from directions.core.tables import Tables, require
from directions.figures import curves, style

EXPERIMENT = "conv_corruption"
OLDER = Path(__file__).with_suffix(".csv")
NOTES = (
    "Mean area of conv11 with true labels minus that with all labels shuffled (last three layers set to zero,"
    " training images), with the width and the number of training images; n: networks of each kind. Filled:"
    " batch norm by the statistics kept from training; hollow: of batches of 500 of the first 2,000 (D32).",
)
BY_BATCH = {"cifar": "batch_statistics.csv", "cifar_full": "batch_statistics_full.csv"}  # study: its table
MARKERS = {"mnist": "s", "fashion_mnist": "^", "cifar10_jpeg": "o", "cifar10": "*"}

CROWDED = 100  # weights per image: to the right of it, most labels stand on the left


def of_study(tables: Tables) -> pd.DataFrame:
    """Return a study's row of the figure, with the columns of bench/sizes.csv."""
    runs = require(tables, "runs", "run", "corrupt", "dataset", "width", "train_images", "parameters")
    areas = curves.clamped(tables, "areas", curves.CLAMP, "auc").groupby("run")["auc"].mean()
    runs = runs[runs["corrupt"].isin([0.0, 1.0])].assign(area=lambda table: table["run"].map(areas))
    sizes = ["dataset", "width", "train_images", "parameters"]
    found = runs.pivot_table(index=sizes, columns="corrupt", values="area", aggfunc=["mean", "size"])
    return pd.DataFrame({
        "true_labels": found["mean", 0.0],
        "shuffled_labels": found["mean", 1.0],
        "networks": found["size"].min(axis=1),
    }).reset_index()  # fmt: skip


def every(published: Path) -> pd.DataFrame:
    """Return a row per size, with `gap` and `per_image`, weights per training image."""
    folders = sorted(published.glob(f"*/tables/{EXPERIMENT}"))
    rows = [of_study(table_files.read(folder, ["runs", "areas"])) for folder in folders]
    found = pd.concat([*rows, pd.read_csv(OLDER)], ignore_index=True)
    gap = found["true_labels"] - found["shuffled_labels"]
    return found.assign(gap=gap, per_image=found["parameters"] / found["train_images"])


def by_batch(published: Path) -> pd.DataFrame:
    """Return the sizes that were also measured by the statistics of batches of 500, with their `gap`.

    Between networks of one learning rate, the study's own, at which labels of both kinds were learned.
    """
    rows = []
    for study, name in BY_BATCH.items():
        tables = table_files.read(published / study / "tables" / EXPERIMENT, ["runs", "areas"])
        row, [rate] = of_study(tables), tables["runs"]["learning_rate"].unique()
        points = table_files.csv(published / name).query("statistics == 'of batches of 500'")
        points = points[points["learning_rate"] == rate]
        mean = points.groupby(["corrupt", "share_ablated"])["accuracy"].mean()
        true, shuffled = (auc.area(mean[of].index.to_numpy(), mean[of].to_numpy()) for of in (0.0, 1.0))
        rows.append(row.assign(gap=true - shuffled, per_image=row["parameters"] / row["train_images"]))
    return pd.concat(rows)


def draw(found: pd.DataFrame, hollow: pd.DataFrame):
    """Draw the figure from the tables of `every` and `by_batch`."""
    names = [name for name in MARKERS if name in set(found["dataset"])]
    layout = style.Layout(NOTES, rows=1, width=style.WIDE)
    with style.look():
        figure, [axes] = style.titled("Figure 1b at the sizes trained", layout)
        axes.axhline(0, color=style.colour("chance"), linewidth=0.8, zorder=1)
        axes.set(xscale="log", xlabel="weights per training image", ylabel="area: true - shuffled labels")
        for row in found.itertuples():
            axes.scatter(row.per_image, row.gap, marker=MARKERS[row.dataset], s=50, color="black", zorder=3)
            many = "the paper" if pd.isna(row.networks) else f"n = {int(row.networks)}"
            about = f"width {row.width:g}, {row.train_images:,} images\n{many}"
            left = row.per_image > CROWDED and row.dataset != "fashion_mnist"
            side = "right" if left else "left", "top" if row.gap < 0 else "center" if left else "bottom"
            axes.annotate(
                about, (row.per_image, row.gap), (-8 if left else 8, 0), textcoords="offset points",
                fontsize=style.SMALL, ha=side[0], va=side[1],
            )  # fmt: skip
        for row in hollow.itertuples():
            look = {"marker": MARKERS[row.dataset], "s": 110, "facecolor": "none", "edgecolor": "black"}
            axes.scatter(row.per_image, row.gap, zorder=3, **look)
            axes.annotate(
                f"n = {int(row.networks)}", (row.per_image, row.gap), (12, 0), textcoords="offset points",
                fontsize=style.SMALL, va="center",
            )  # fmt: skip
        axes.margins(x=0.15, y=0.25)
        axes.xaxis.set_major_formatter("{x:g}")
        handles = [
            Line2D([], [], color="black", marker=MARKERS[name], linestyle="", label=DATASETS[name])
            for name in names
        ]
        style.legend(figure, axes, layout, columns=len(names), handles=handles)
    return figure


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--published", required=True, type=Path, help="folder with one folder per study")
    parser.add_argument("--png", required=True, type=Path, help="PNG to write")
    args = parser.parse_args(argv)
    found = every(args.published)
    hollow = by_batch(args.published)
    for table in (found.drop(columns="origin"), hollow):
        print(table.to_string(index=False, float_format="{:.3f}".format))
    style.save_png(draw(found, hollow), args.png)


if __name__ == "__main__":
    cli.start(main)
