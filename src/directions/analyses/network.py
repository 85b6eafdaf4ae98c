"""Read a trained network from its files, ready to be perturbed and measured."""

import argparse
import hashlib
import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from directions import models
from directions.core import cli
from directions.core.files import atomic
from directions.core.scoring import pass_size, passes
from directions.core.source_files import OWN, code_of
from directions.data.examples import Examples, load_examples
from directions.interventions.accumulate import Unfinished
from directions.interventions.hooks import Network, moments
from directions.models import files as model_files

SCRIPT = "scripts/analyse.py"  # runs every analysis of the workflow


class Trained:
    """A network in evaluation mode, its data and its seed: what `observe` of an analysis receives.

    Args:
        network: with its units.
        examples: loads the "train" or the "test" set.
        seed: of the training, from which an analysis derives its random streams.
        header: of the model file, if there is one.
        rebuild: makes the network with other weights; None: they can be loaded into it.
        unfinished: the partial results of an interrupted analysis.

    Attributes:
        model: maps images (n, c, h, w) to logits (n, classes).
        layers: {name: number of units}, in the order of the forward pass.
        incoming: {layer: weights (units, fan-in) that feed it, NaN if no single layer does}.
        original: the network as given, if `model` was rewritten from it.
        checkpoints: the file with the weights kept during training, if there is one.

    Example:
        >>> from torch import arange, eye, nn
        >>> from directions.analyses.network import Trained
        >>> from directions.data.examples import Examples
        >>> from directions.interventions.layers import find
        >>> model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 4))
        >>> trained = Trained(find(model, ["1"], (4,)), lambda split: Examples(eye(4), arange(4), 4))
        >>> trained.layers
        {'1': 3}
    """

    def __init__(
        self,
        network: Network,
        examples: Callable[[str], Examples],
        *,
        seed: int = 0,
        header: dict | None = None,
        rebuild: Callable[[dict[str, torch.Tensor]], Network] | None = None,
        unfinished: Unfinished | None = None,
    ):
        self._take(network)
        self._rebuild = rebuild
        self.checkpoints: Path | str | None = None
        self.header, self.seed = header or {}, seed
        self._load = examples
        self.unfinished = unfinished or Unfinished()
        self._examples: dict[str, Examples] = {}

    def _take(self, network: Network) -> None:
        self.model, self.layers, self.incoming = network.model, network.layers, network.incoming
        self.original = network.original

    def load(self, state: dict[str, torch.Tensor]) -> None:
        """Replace the weights, by those of a checkpoint.

        Args:
            state: {name of a parameter or buffer: its values}, as of `state_dict`.

        Example:
            >>> from torch import arange, eye, nn
            >>> from directions.analyses.network import Trained
            >>> from directions.data.examples import Examples
            >>> from directions.interventions.layers import find
            >>> model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 4))
            >>> trained = Trained(find(model, ["1"], (4,)), lambda split: Examples(eye(4), arange(4), 4))
            >>> zeros = {name: 0 * values for name, values in trained.model.state_dict().items()}
            >>> trained.load(zeros)
            >>> trained.model(eye(4))[0].tolist()
            [0.0, 0.0, 0.0, 0.0]
        """
        if self._rebuild:
            self._take(self._rebuild(state))
        else:
            self.model.load_state_dict(state)

    def examples(self, split: str) -> Examples:
        """Load a set of images; read once.

        Args:
            split: "train", with the labels that the network was trained on, or "test".

        Returns:
            `images` uint8 (n, c, h, w), or floating point as the network takes them; `labels` (n,) from 0;
            and the number of `classes`.

        Example:
            >>> from torch import arange, eye, nn
            >>> from directions.analyses.network import Trained
            >>> from directions.data.examples import Examples
            >>> from directions.interventions.layers import find
            >>> model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 4))
            >>> trained = Trained(find(model, ["1"], (4,)), lambda split: Examples(eye(4), arange(4), 4))
            >>> test = trained.examples("test")
            >>> tuple(test.images.shape), test.labels.tolist(), test.classes
            ((4, 4), [0, 1, 2, 3], 4)
        """
        if split not in self._examples:
            self._examples[split] = self._load(split)
        return self._examples[split]

    def moments(
        self, layers: Mapping[str, int] | None = None
    ) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """Compute mean and standard deviation of units over the training set (section 3.1, Appendix A.1).

        Args:
            layers: {name: number of units}; None: all.

        Returns:
            {layer: (mean, standard deviation)}, each (units, ...): every element of a feature map has its own
            (docs/DEVIATIONS.md, D25).

        Example:
            >>> from torch import arange, eye, nn
            >>> from directions.analyses.network import Trained
            >>> from directions.data.examples import Examples
            >>> from directions.interventions.layers import find
            >>> model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 4))
            >>> trained = Trained(find(model, ["1"], (4,)), lambda split: Examples(eye(4), arange(4), 4))
            >>> mean, sd = trained.moments()["1"]
            >>> tuple(mean.shape), tuple(sd.shape)
            ((3,), (3,))
        """
        train = self.examples("train")
        size = pass_size(self.model, train.images)
        batches = (inputs for inputs, _ in passes(train.images, train.labels, size))
        return moments(self.model, layers or self.layers, batches)

    def clamp_values(self, clamp: str, layers: Mapping[str, int]) -> Mapping[str, torch.Tensor | float]:
        """Return the values that ablated units are clamped to (Appendix A.1).

        Args:
            clamp: "zero", or "mean" for each element's mean over the training set.
            layers: {name: number of units}.

        Returns:
            {layer: 0.0, or means (units, ...)}.

        Example:
            >>> from torch import arange, eye, nn
            >>> from directions.analyses.network import Trained
            >>> from directions.data.examples import Examples
            >>> from directions.interventions.layers import find
            >>> model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 4))
            >>> trained = Trained(find(model, ["1"], (4,)), lambda split: Examples(eye(4), arange(4), 4))
            >>> trained.clamp_values("zero", trained.layers)
            {'1': 0.0}
            >>> tuple(trained.clamp_values("mean", trained.layers)["1"].shape)
            (3,)
        """
        if clamp == "zero":
            return dict.fromkeys(layers, 0.0)
        return {name: mean.float() for name, (mean, _) in self.moments(layers).items()}

    def numbered(self) -> pd.DataFrame:
        """List every unit, in the order in which ablation numbers them.

        Returns:
            A table with columns layer and unit, the index within the layer from 0.

        Example:
            >>> from torch import arange, eye, nn
            >>> from directions.analyses.network import Trained
            >>> from directions.data.examples import Examples
            >>> from directions.interventions.layers import find
            >>> model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 4))
            >>> trained = Trained(find(model, ["1"], (4,)), lambda split: Examples(eye(4), arange(4), 4))
            >>> trained.numbered()
              layer  unit
            0     1     0
            1     1     1
            2     1     2
        """
        rows = [(name, unit) for name, count in self.layers.items() for unit in range(count)]
        return pd.DataFrame(rows, columns=["layer", "unit"])


def read(
    model: Path | str,
    data: Path | str,
    ledger: Path | str,
    device: torch.device | str,
    workers: int = 0,
    unfinished: Unfinished | None = None,
    code: str | None = None,
    layers: object = None,
) -> Trained:
    """Read a network and its data from their files.

    workers: processes that decode images that stay in their files. code: the user's function that builds the
    network, if the config names one; raises InputError for a model file that names another. layers: of units,
    for a user's model that a study trained; None: all activations.
    """
    state, header = model_files.load_state(model)
    own = "own" in header
    # Imported by name, so that no analysis of the paper's networks depends on it.
    user: Any = importlib.import_module(OWN) if own or "build" in header.get("settings", {}) else None

    def rebuilt(state: dict[str, torch.Tensor]) -> Network:
        if own:
            network = user.rebuilt(state, header, model, code)
        else:
            built = model_files.rebuilt(model, state, header, code)
            if user:
                network = user.of_study(built, layers, header["image_shape"], header["classes"])
            else:
                network = Network(built, models.unit_layers(built), models.incoming_weights(built))
        network.model.to(device)
        return network

    network = rebuilt(state)
    settings = header["settings"]
    tested = settings.get("test_images", "all")

    def examples(split: str) -> Examples:
        found = load_examples(data, ledger, split, device, tested, workers)
        return user.as_trained_on(found, header) if own else found

    return Trained(
        network, examples, seed=settings["seed"], header=header, unfinished=unfinished,
        rebuild=rebuilt if user else None,
    )  # fmt: skip


def grid_table(outer: tuple[str, object], inner: tuple[str, object], /, **values: np.ndarray) -> pd.DataFrame:
    """Turn arrays (outer, inner) into a long table: one row per pair of keys, one column per array."""
    index = pd.MultiIndex.from_product([outer[1], inner[1]], names=[outer[0], inner[0]])
    return pd.DataFrame({name: array.ravel() for name, array in values.items()}, index=index).reset_index()


def write(observe: Callable[[Trained, dict], pd.DataFrame], args: argparse.Namespace) -> None:
    """Read the network given by `args`, `observe` it as asked, write the table."""
    device = cli.prepare_torch(args.device, args.threads)
    fingerprint = fingerprint_of(args) if args.resume else ""
    unfinished = Unfinished(args.resume, fingerprint, args.snapshot_seconds)
    files = args.model, args.data, args.ledger
    user = cli.user_model(args.asked)
    trained = read(*files, device, args.threads - 1, unfinished, user.get("code"), user.get("layers"))
    trained.checkpoints = args.checkpoints
    table = observe(trained, cli.settings(args.asked))
    with atomic(args.table) as partial:
        table.to_csv(partial, index=False)
    unfinished.forget()


def fingerprint_of(args: argparse.Namespace) -> str:
    """Digest all that determines an analysis: its settings, the network, its labels, and the code run."""
    digest = hashlib.sha256(args.asked.encode())
    root = Path(__file__).parents[3]
    code = (root / path for path in code_of(root / SCRIPT, root, [args.analysis, OWN]))
    for path in (args.model, args.checkpoints or args.model, args.data, args.ledger, *code):
        with Path(path).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
