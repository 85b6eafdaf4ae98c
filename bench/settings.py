"""Which values of the settings that the paper leaves open come closest to its Figures 1a and 2a?

    python bench/settings.py train --name adam-he --corrupt 1.0 --epochs 640 --set init=he --trials trials
    python bench/settings.py table --trials trials --output docs/results/settings.csv
    python bench/settings.py draw --table docs/results/settings.csv --png docs/results/settings.png

`train` trains one network, measures it after some epochs, and resumes if interrupted. It multiplies matrices
in bfloat16 if the processor supports it (torch's matmul precision "medium") and measures in float32: areas
over 10 orderings and 33 points of the first 10,000 training images, noise on the first 4,000. That is enough
for a choice; the laptop study measures what was chosen (docs/DEVIATIONS.md, D1).
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml

from directions import models
from directions.analyses import auc
from directions.core import cli, scoring
from directions.data import dataset, labels
from directions.data.examples import Examples
from directions.figures import style
from directions.interventions import ablation, noise
from directions.interventions.hooks import moments
from directions.models import files as model_files
from directions.study import paper_curves, training_settings
from directions.training import checkpoints
from directions.training import loop as training_loop

ROOT = Path(__file__).parents[1]
EPOCHS = (1, 3, 8, 18, 40, 80, 110, 160, 240, 320, 480, 640)  # epochs after which a network is measured
AREA_IMAGES, NOISE_IMAGES, ORDERINGS, POINTS = 10_000, 4_000, 10, 33
RATIOS = np.array([10 ** (k / 7) for k in range(-9, 7)])  # of Figure 2a


def train(args: argparse.Namespace) -> None:
    """Train one network and write `trials`/NAME_CORRUPT.json: its settings and a row per measured epoch."""
    cli.prepare_torch("cpu", 1)
    defaults = yaml.safe_load((ROOT / "configs/paper.yaml").read_text())["defaults"]["training"]
    chosen = dict(yaml.safe_load(text.replace("=", ": ", 1)).popitem() for text in args.set)
    marks = [epoch for epoch in EPOCHS if epoch <= args.epochs]
    settings = defaults | {"precision": "float32", "epochs": args.epochs, "keep_epochs": marks}
    settings |= {"evaluate_every": args.epochs, "corrupt": args.corrupt, "seed": args.seed} | chosen
    data = dataset.load(args.data)
    given, _ = labels.corrupt(data.train_labels, args.corrupt, args.seed)
    train_set = Examples(torch.as_tensor(data.train_images), torch.as_tensor(given), len(data.class_names))
    test_set = Examples(
        torch.as_tensor(data.test_images), torch.as_tensor(data.test_labels), data.class_names
    )
    model = models.build(settings, train_set.image_shape, train_set.classes)
    name = f"{args.name}_{args.corrupt}"
    resume = args.trials / name
    torch.set_float32_matmul_precision("medium")
    typed, fingerprint = training_settings.read(settings), json.dumps(settings)
    training_loop.train(model, train_set, test_set, typed, resume=resume, fingerprint=fingerprint)
    torch.set_float32_matmul_precision("highest")
    rows = [measured(model, resume, epoch, train_set, test_set, args.seed) for epoch in marks]
    text = json.dumps({"name": args.name, "settings": settings, "rows": rows})
    (args.trials / f"{name}.json").write_text(text)
    shutil.rmtree(resume)


def measured(model, resume: Path, epoch: int, train_set: Examples, test_set: Examples, seed: int) -> dict:
    """Measure losses, accuracies, area and half-accuracy noise scale of a kept checkpoint."""
    model.load_state_dict(model_files.load_state(checkpoints.kept(resume, f"epoch-{epoch:06d}"))[0])
    model.eval()
    on_train, on_test = (scoring.evaluate(model, s.images, s.labels) for s in (train_set, test_set))
    layers = models.unit_layers(model)
    units = sum(layers.values())
    images, targets = train_set.images[:AREA_IMAGES], train_set.labels[:AREA_IMAGES]
    counts = ablation.grid(units, POINTS)
    curves = ablation.cumulative(
        model, images, targets, layers=layers, orders=ablation.orderings(units, ORDERINGS, seed),
        ablated_counts=counts, values=dict.fromkeys(layers, 0.0),
    )  # fmt: skip
    each = auc.area(counts, curves.accuracy)
    few = scoring.scaled(images)
    spread = {name: sd for name, (_, sd) in moments(model, layers, [few]).items()}
    _, accuracy = noise.add_noise(
        model, images[:NOISE_IMAGES], targets[:NOISE_IMAGES], spread=spread, noise_sd_ratios=RATIOS,
        repeats=2, seed=seed,
    )  # fmt: skip
    return {
        "epoch": epoch, "train_loss": on_train.loss, "train_accuracy": on_train.accuracy,
        "test_loss": on_test.loss, "test_accuracy": on_test.accuracy,
        "auc": float(each.mean()), "auc_sd": float(each.std(ddof=1)),
        "half_scale": half_scale(accuracy.mean(0)),
    }  # fmt: skip


def half_scale(accuracy: np.ndarray) -> float | None:
    """Find the noise scale at which accuracy (ratios,) falls below a half, interpolating on a log scale."""
    below = np.flatnonzero(accuracy < 0.5)
    if not len(below) or below[0] == 0:
        return None
    last, first = below[0] - 1, below[0]
    share = (accuracy[last] - 0.5) / (accuracy[last] - accuracy[first])
    return float(RATIOS[last] * (RATIOS[first] / RATIOS[last]) ** share)


def table(args: argparse.Namespace) -> None:
    """Write all trials as one table: a row per trial and measured epoch."""
    rows = []
    for path in sorted(args.trials.glob("*.json")):
        trial = json.loads(path.read_text())
        keys = {"trial": trial["name"], "corrupt": trial["settings"]["corrupt"]}
        rows += [keys | row for row in trial["rows"]]
    pd.DataFrame(rows).round(4).to_csv(args.output, index=False)


def draw(args: argparse.Namespace) -> None:
    """Draw areas over epochs, one line per trial, beside the paper's own levels."""
    trials = pd.read_csv(args.table)
    theirs = paper_curves.read(ROOT / "data/paper/figures/fig1a.csv")
    levels = {
        f: auc.area(c["ablated"].to_numpy(), c["accuracy"].to_numpy()) for f, c in theirs.groupby("corrupt")
    }
    names = list(trials["trial"].unique())
    notes = (
        "One network of 2 x 512 units per line, all of MNIST; 10 orderings, 10,000 training images.",
        "Dashed: the paper's area, read from its Figure 1a.",
    )
    layout = style.Layout(notes, -(-len(names) // 2), ("true labels", "all labels shuffled"), style.WIDE)
    with style.look():
        figure, panels = style.titled("Settings that the paper leaves open", layout)
        for axes, fraction in zip(panels, (0.0, 1.0), strict=True):
            axes.axhline(levels[fraction], color="black", linestyle="--", linewidth=0.9)
            for place, name in enumerate(names):
                mine = trials[(trials["trial"] == name) & (trials["corrupt"] == fraction)]
                look = {"color": style.in_sequence(place, len(names)), "marker": style.MARKERS[place % 7]}
                axes.plot(mine["epoch"], mine["auc"], **look, markersize=3.5, label=name)
            axes.set(xscale="log", xlabel="epoch", ylabel="area under the ablation curve")
        style.legend(figure, panels[0], layout, 2)
    figure.savefig(args.png, dpi=200)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    trial = commands.add_parser("train", help=train.__doc__)
    trial.add_argument("--name", required=True, help="name of the choice, such as adam-he")
    trial.add_argument("--corrupt", required=True, type=float, help="fraction of labels shuffled")
    trial.add_argument("--epochs", type=int, default=640)
    trial.add_argument("--seed", type=int, default=0)
    trial.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a training setting")
    trial.add_argument("--data", default=str(ROOT / "data/mnist.safetensors"), help="from prepare_data.py")
    trial.set_defaults(run=train)
    every = commands.add_parser("table", help=table.__doc__)
    every.add_argument("--output", required=True, type=Path)
    every.set_defaults(run=table)
    for command in (trial, every):
        command.add_argument("--trials", required=True, type=Path, help="folder of the trials")
    drawn = commands.add_parser("draw", help=draw.__doc__)
    drawn.add_argument("--table", required=True, type=Path)
    drawn.add_argument("--png", required=True, type=Path)
    drawn.set_defaults(run=draw)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
