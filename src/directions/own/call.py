"""All analyses of one network from plain Python, without files: `from directions import analyse`."""

import copy
import importlib
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from directions import areas
from directions.analyses import ANALYSES
from directions.errors import InputError
from directions.examples import Examples
from directions.figures import own, own_comparison
from directions.labels import choose_images
from directions.own import arrays, patterns, plan, sampling
from directions.own.given import original
from directions.own.inputs import normalized
from directions.own.layers import Layers, find
from directions.own.record import record
from directions.trained import Trained

Array = np.ndarray | Tensor
log = logging.getLogger(__name__)

DRAWN = {"train": "own data", "test": "own data, test set"}  # what the random choice of images goes by


@dataclass(frozen=True, repr=False)
class Analysis:
    """What was found; `tables`: {name: table}, such as tables["areas"], as the workflow writes them."""

    tables: dict[str, pd.DataFrame]

    def figure(self) -> Figure:
        """The summary figure; `.savefig("mine.png", dpi=200)` writes it."""
        return own.summary(self.tables)

    def compare(self, *others: "Analysis") -> Figure:
        """Draw a figure of this network beside others, which says so where their layers do not correspond.

        Raises InputError where two have the same `name`.
        """
        every = {found.name: found.tables for found in (self, *others)}
        if len(every) <= len(others):
            raise InputError('networks to compare need names of their own: analyse(..., name="...")')
        for doubt in own_comparison.layers_that_differ(own_comparison.pooled(every)):
            log.warning("warning: comparison: %s", doubt)
        return own_comparison.comparison(every)

    @property
    def name(self) -> str:
        """Of the network, as given to `analyse`."""
        return str(self.tables["runs"]["run"].iloc[0])

    def __repr__(self) -> str:
        sizes = ", ".join(f"{table} ({len(rows)} rows)" for table, rows in self.tables.items())
        return f"Analysis of {self.name}; tables: {sizes}"


def analyse(
    network: nn.Module,
    layers: Layers,
    train: tuple[Array, Array],
    test: tuple[Array, Array] | None = None,
    *,
    name: str = "network",
    normalize: dict[str, Sequence[float]] | None = None,
    device: str = "cpu",
    progress: bool = True,
    **settings,
) -> Analysis:
    """Ablate, add noise to, and measure the units of a network, which is left as it is.

    layers: names of modules whose outputs are units, or {module: activation that follows it}. train, test:
    (images, labels), images uint8 (n, h, w) or (n, c, h, w), or floating point (n, ...) as the network takes
    them; labels whole numbers (n,) from 0; test None: units are ablated and measured on training images.
    normalize: {mean, sd} per channel. device: as torch takes it, or "auto", a GPU where there is one.
    progress: whether a line per analysis goes to stderr.
    settings: any of those in configs/own.example.yaml, such as analyses=["add_noise"] or
    ablate_cumulative={"orderings": 10}. Raises InputError for a layer that does not exist, images that do
    not fit and the like.
    """
    sets = {"train": train} if test is None else {"train": train, "test": test}
    _check(network, layers, sets, settings | ({} if normalize is None else {"normalize": normalize}))
    chosen = plan.merged(plan.DEFAULTS if test is not None else _untested(plan.DEFAULTS), settings)
    device = _device(device)
    classes = 1 + max(int(_labels(*pair, split).max()) for split, pair in sets.items())
    examples = {
        split: normalized(_examples(*pair, split, chosen, classes, device), normalize)
        for split, pair in sets.items()
    }
    found = find(copy.deepcopy(original(network)).cpu(), layers, examples["train"].image_shape)
    found.model.to(device)
    trained = Trained(found, examples.__getitem__, seed=chosen["seed"])
    data = "own data" if test is not None else "own data, no test set"
    made = {"runs": pd.DataFrame([record(name, trained, examples["train"], examples.get("test"), data)])}
    for place, analysis in enumerate(chosen["analyses"], start=1):
        if progress:
            print(f"{name}: {analysis} ({place} of {len(chosen['analyses'])})", file=sys.stderr)
        observe = importlib.import_module(f"directions.observations.{analysis}").observe
        made[ANALYSES[analysis]] = observe(trained, chosen[analysis])
    tables = {table: _with_keys(rows, name) for table, rows in made.items()}
    if "ablation" in tables:
        tables["areas"] = sampling.with_errors(areas.of_curves(tables["ablation"], {name: classes}))
        for line in sampling.told(tables["areas"]) if progress else ():
            print(f"{name}: {line}", file=sys.stderr)
    for doubt in own.doubts_of_units(tables):
        log.warning("warning: %s: %s", name, doubt)
    return Analysis(tables)


def _check(network: object, layers: object, sets: dict[str, object], settings: dict) -> None:
    """Raises InputError for what is easily confused in a call."""
    if not isinstance(network, nn.Module):
        hint = ": call it first, analyse(build(), ...)" if callable(network) else ""
        raise InputError(f"network is {type(network).__name__}, not a torch.nn.Module{hint}")
    if not layers or (isinstance(layers, str) and not patterns.is_pattern(layers)):
        raise InputError(
            f'layers is {layers!r}: give a list of modules, ["relu1"], {{"fc1": "relu"}}, or "{patterns.ALL}"'
        )
    for split, pair in sets.items():
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise InputError(f"{split} must be a pair, (images, labels), not {type(pair).__name__}")
    plan.check_settings(settings)
    if "test" not in sets and (
        asked := [
            name for name, value in settings.items() if name in ANALYSES and value.get("split") == "test"
        ]
    ):
        raise InputError(f"{asked[0]}: split test, but there is no test set: give test=(images, labels)")


def _untested(defaults: dict) -> dict:
    """The same with training images where test images are not to be had."""
    return {key: value | {"split": "train"} if key in ANALYSES else value for key, value in defaults.items()}


def _device(asked: str | torch.device) -> str | torch.device:
    """What torch calls it. Raises InputError for a GPU that is not there."""
    if str(asked).startswith("cuda") and not torch.cuda.is_available():
        raise InputError(f'device="{asked}": PyTorch finds no GPU here; "auto" or "cpu" will do')
    if asked == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return asked


def _with_keys(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """A table with the columns in front that scripts/collect.py puts there."""
    keys = pd.DataFrame([{"experiment": "own", "run": name}] * len(rows))
    return pd.concat([keys, rows.reset_index(drop=True)], axis=1)


def _labels(images: Array, labels: Array, split: str) -> np.ndarray:
    """Checked labels, one for each image."""
    given = arrays.as_labels(arrays.plain(labels, f"{split} labels"), f"{split} labels")
    if len(images) != len(given) or not len(given):
        raise InputError(f"{split}: {len(images)} images, {len(given)} labels")
    return given


def _examples(images: Array, labels: Array, split: str, chosen: dict, classes: int, device: str) -> Examples:
    """At most as many examples as are wanted, drawn as the workflow draws them from a user's files."""
    pixels = arrays.as_images(arrays.plain(images, f"{split} images"), f"{split} images")
    given = _labels(images, labels, split)
    wanted = chosen[f"{split}_images"]
    used = choose_images(len(given), "all" if wanted == "all" else min(wanted, len(given)), DRAWN[split])
    return Examples(
        torch.tensor(pixels[used], device=device), torch.tensor(given[used], device=device), classes
    )
