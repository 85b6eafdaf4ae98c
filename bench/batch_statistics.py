"""Figure 1b if batch norm normalises by the ablated batch instead of by the statistics kept from training.

    python bench/batch_statistics.py measure --results results/cifar --data data/cifar10_jpeg.safetensors \\
        --output docs/results/batch_statistics.csv
    python bench/batch_statistics.py draw --table docs/results/batch_statistics.csv \\
        --size "a quarter of the width" --png docs/results/batch_statistics.png

The paper does not say which of the two it used while it ablated. `measure` sets feature maps of conv11's
last three layers to zero, in 5 random orders each, and counts which of the first 2,000 training images get
the label that the network was trained with. By the batch's own statistics, a layer after ablated ones is
scaled up. `--experiment conv_ensemble` measures the networks of Figure 3b: maps of all layers, in 3 orders.
Those of the paper's full width: `--results results/cifar_full --experiment conv_corruption conv_selectivity`.
"""

import argparse
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from torch import Tensor, nn

from directions import models
from directions.analyses import auc
from directions.claims.statistics import curves as shapes
from directions.core import cli
from directions.data.examples import load_examples
from directions.figures import overlay, style, text
from directions.interventions import ablation
from directions.models import files as model_files
from directions.study import paper_curves
from directions.study.run_table import labels_name

ROOT = Path(__file__).parents[1]
IMAGES, POINTS = 2_000, 33
KEYS = ("corrupt", "learning_rate", "seed")  # that identify a network
LOOKS = ("-", (0, (1, 1)))  # of up to two learning rates, the lower first
# Images that are normalised together.
WAYS = {"kept from training": None, "of batches of 500": 500, "of batches of 32": 32}


class Asked(NamedTuple):
    """The layers ablated, and in how many orders; the ways to normalise."""

    layers: int | Literal["all"]
    orderings: int
    ways: tuple[str, ...]


EXPERIMENTS = {
    "conv_corruption": Asked(3, 5, tuple(WAYS)),
    "conv_ensemble": Asked("all", 3, tuple(WAYS)[:2]),
    "conv_selectivity": Asked(3, 5, tuple(WAYS)),
}


def measure(args: argparse.Namespace) -> None:
    """Write a row per network, way to normalise and number of maps ablated, with its mean accuracy."""
    device, rows = cli.prepare_torch("cpu", 1), []
    for experiment in args.experiment:
        asked = EXPERIMENTS[experiment]
        for path in sorted((args.results / "models" / experiment).glob("*/model.safetensors")):
            model, header = model_files.load_model(path)
            settings = header["settings"]
            ledger = args.results / f"labels/{settings['dataset']}/{labels_name(settings)}.parquet"
            known = load_examples(args.data, ledger, "train", device)
            images, labels = known.images[:IMAGES], known.labels[:IMAGES]
            for way in asked.ways:
                counts, accuracy = curve(model, images, labels, asked, WAYS[way], settings["seed"])
                keys = {name: settings[name] for name in KEYS} | {"statistics": way}
                print(keys, f"area {auc.area(counts, accuracy):.3f}", flush=True)
                pairs = zip(counts / counts[-1], accuracy, strict=True)
                rows += [keys | {"share_ablated": share, "accuracy": value} for share, value in pairs]
    pd.DataFrame(rows).round(5).to_csv(args.output, index=False)


def curve(
    model: nn.Module, images: Tensor, labels: Tensor, asked: Asked, together: int | None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers of maps ablated (points,) and the accuracy (points,), averaged over orderings."""
    whole = len(images) - len(images) % (together or 1)  # images that fill no batch are left out
    layers = ablation.chosen(models.unit_layers(model), asked.layers)
    units = sum(layers.values())
    curves = ablation.cumulative(
        model,
        images[:whole],
        labels[:whole],
        layers=layers,
        orders=ablation.orderings(units, asked.orderings, seed),
        ablated_counts=ablation.grid(units, POINTS),
        values=dict.fromkeys(layers, 0.0),
        norm_images=together,
    )
    return curves.ablated, curves.accuracy.mean(0)


def draw(args: argparse.Namespace) -> None:
    """Draw a panel per way to normalise, with the paper's curves behind."""
    table = pd.read_csv(args.table)
    paper = paper_curves.read(ROOT / "data/paper/figures/fig1b.csv")
    fractions, rates, ways = (table[of].unique() for of in ("corrupt", "learning_rate", "statistics"))
    kinds = list(KEYS[:2])
    many = text.count(table.groupby(kinds)["seed"].nunique(), "network")
    notes = (
        f"conv11 at {args.size}, CIFAR-10 as JPEGs; maps of the last three layers set to zero.",
        f"Per curve {many}, 5 orderings each; the first 2,000 training images. Dashed: the paper.",
    )
    layout = style.Layout(notes, 1, tuple(f"statistics {way}" for way in ways), style.WIDE)
    curves = table.pivot_table("accuracy", [*kinds, "share_ablated"], "statistics")
    with style.look():
        figure, panels = style.titled("Figure 1b and the statistics of batch norm", layout)
        for axes, way in zip(panels, ways, strict=True):
            for (fraction, rate), mean in curves[way].dropna().groupby(kinds):
                mean = mean.droplevel([0, 1])
                colour = style.in_sequence(sorted(fractions).index(fraction), len(fractions))
                told = f", rate {text.plain(rate)}" if len(rates) > 1 else ""
                label = f"{100 * fraction:.0f} % shuffled{told}"
                look = LOOKS[sorted(rates).index(rate)]
                axes.plot(mean.index, mean, color=colour, linestyle=look, label=label)
                area = auc.area(mean.index.to_numpy(), mean.to_numpy())
                theirs = paper[np.isclose(paper["corrupt"].astype(float), fraction)]
                share = theirs["ablated"] / overlay.UNITS["fig1b"]
                if rate == rates.min():  # once per fraction
                    overlay.line(axes, share, theirs["accuracy"], colour)
                at = np.linspace(0, 1, shapes.POINTS)
                far = np.interp(at, mean.index, mean) - np.interp(at, share, theirs["accuracy"])
                print(f"{way}: {label}: area {area:.3f}, mean distance {auc.area(at, np.abs(far)):.3f}")
            axes.set(xlabel="share of maps ablated", ylabel="training accuracy", ylim=(0, 1.02))
        style.legend(figure, panels[0], layout, len(curves.groupby(kinds)))
    style.save_png(figure, args.png)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    measured = commands.add_parser("measure", help=measure.__doc__)
    measured.add_argument("--results", required=True, type=Path, help="results of the study, with networks")
    measured.add_argument("--data", required=True, help="data set, from prepare_data.py")
    measured.add_argument("--experiment", choices=EXPERIMENTS, nargs="+", default=["conv_corruption"])
    measured.add_argument("--output", required=True, type=Path, help="CSV to write")
    measured.set_defaults(run=measure)
    drawn = commands.add_parser("draw", help=draw.__doc__)
    drawn.add_argument("--table", required=True, type=Path, help="written by measure")
    drawn.add_argument("--size", required=True, help='of the networks, as "a quarter of the width"')
    drawn.add_argument("--png", required=True, type=Path, help="PNG to write")
    drawn.set_defaults(run=draw)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
