"""A trained network read from its files, ready to be perturbed and measured."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from directions import cli, models, weights
from directions.evaluation import passes
from directions.examples import Examples, load_examples
from directions.files import atomic
from directions.units import moments


class Trained:
    """A network in evaluation mode, the data it saw, and its seed; `layers` is {name: number of units}."""

    def __init__(self, model: Path | str, data: Path | str, ledger: Path | str, device: torch.device | str):
        self.model, self.header = weights.load_model(model, device)
        self.seed: int = self.header["settings"]["seed"]
        self.layers: dict[str, int] = models.unit_layers(self.model)
        self._files = (data, ledger)
        self._device = device

    def examples(self, split: str) -> Examples:
        """The "train" set with the labels it was trained on, or the "test" set."""
        return load_examples(*self._files, split, self._device)

    def moments(self) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """Mean and standard deviation of every unit over the training set, each (units, ...)."""
        train = self.examples("train")
        return moments(self.model, self.layers, (inputs for inputs, _ in passes(train.images, train.labels)))

    def clamp_values(self, clamp: str) -> Mapping[str, torch.Tensor | float]:
        """What units are held at: 0, or each element's mean over the training set (Appendix A.1)."""
        if clamp == "zero":
            return dict.fromkeys(self.layers, 0.0)
        return {name: mean.float() for name, (mean, _) in self.moments().items()}

    def numbered(self) -> pd.DataFrame:
        """Columns layer, unit: every unit, in the order in which ablation numbers them."""
        rows = [(name, unit) for name, count in self.layers.items() for unit in range(count)]
        return pd.DataFrame(rows, columns=["layer", "unit"])


def grid_table(outer: tuple[str, object], inner: tuple[str, object], **values: np.ndarray) -> pd.DataFrame:
    """Long table of arrays (outer, inner): every pair of keys a row, one column per array."""
    index = pd.MultiIndex.from_product([outer[1], inner[1]], names=[outer[0], inner[0]])
    return pd.DataFrame({name: array.ravel() for name, array in values.items()}, index=index).reset_index()


def analyse(observe: Callable[[Trained, dict], pd.DataFrame], description: str, argv: list[str]) -> None:
    """What the four analysis scripts share: read a network, `observe` it as asked, write one table."""
    parser = cli.parser(description, compute=True)
    parser.add_argument("--model", required=True, help="weights written by train.py")
    parser.add_argument("--data", required=True, help="data set that the network was trained on")
    parser.add_argument("--ledger", required=True, help="label ledger that the network was trained on")
    parser.add_argument("--asked", required=True, help=cli.ASKED_HELP)
    parser.add_argument("--table", required=True, help="CSV to write, one row per observation")
    args = parser.parse_args(argv)
    device = cli.prepare_torch(args.device, args.threads)
    trained = Trained(args.model, args.data, args.ledger, device)
    table = observe(trained, cli.settings(args.asked))
    with atomic(args.table) as partial:
        table.to_csv(partial, index=False)
