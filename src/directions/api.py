"""Run all analyses of one network from plain Python, without files: `from directions import analyse`."""

import importlib
import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from directions.analyses import auc, auc_error, invariants
from directions.analyses.describe import record
from directions.analyses.network import Trained
from directions.core.errors import InputError
from directions.core.log_capture import heard
from directions.core.types import present
from directions.data import torch_datasets, user_arrays
from directions.data.examples import Examples
from directions.data.labels import choose_images
from directions.data.normalize import normalized
from directions.figures import own
from directions.interventions import layer_patterns
from directions.interventions.layers import Layers, find
from directions.interventions.prepare import copied, original
from directions.result import Analysis
from directions.study import user_networks
from directions.study.catalogue import ANALYSES, SPECS
from directions.study.tables import AREAS, RUNS

Array = np.ndarray | Tensor
Pair = tuple[Array, Array]
Data = Pair | torch_datasets.Source
Settings = dict[str, Any]
log = logging.getLogger(__name__)

DRAWN = {"train": "own data", "test": "own data, test set"}  # seed the random choice of images
SHORT = {  # arguments of `analyse` that are shorthand for a setting of an analysis
    "ablate": ("ablate_cumulative", "layers"),
    "orderings": ("ablate_cumulative", "orderings"),
    "noise": ("add_noise", "ratios"),
    "units": ("ablate_single", "units"),
}


def analyse(
    network: nn.Module,
    layers: Layers,
    train: Data,
    test: Data | None = None,
    *,
    name: str = "network",
    normalize: dict[str, Sequence[float]] | None = None,
    device: str | torch.device = "cpu",
    progress: bool = True,
    ablate: str | int | Sequence[str] | None = None,
    orderings: int | None = None,
    noise: Sequence[float] | None = None,
    units: str | int | Mapping[str, Sequence[int]] | None = None,
    **settings: Any,
) -> Analysis:
    """Ablate, add noise to, and measure the units of a network, which is left unchanged.

    The analyses are those of Morcos et al. (2018): cumulative ablation and noise (section 3.1), single-unit
    ablation (3.4), class selectivity (2.4), and mutual information with the class in bits (A.5).

    Args:
        network: maps images (n, ...) to logits (n, classes), returned alone, in a tuple, or as `logits` of a
            dict or an object.
        layers: names of modules whose outputs are units, or patterns of such names, ["relu1", "layer1.*"];
            {module: activation that follows it}, {"fc1": "relu"}; or "all activations". `show_layers` prints
            all names.
        train: the training set: (images, labels), a Dataset, or a DataLoader. Images are uint8 (n, h, w),
            (n, c, h, w) or (n, h, w, c), scaled to 0..1 before they reach the network; or floating point
            (n, ...), as the network takes them. Labels are integers (n,) from 0.
        test: the test set in the same form, with any number of images. None: single-unit ablation and the
            measurement of units use training images.
        name: of the network, in tables and figures.
        normalize: {"mean": [...], "sd": [...]} per channel, of pixels in 0 to 1.
        device: a torch device, or "auto", a GPU if there is one.
        progress: whether to report progress on stderr.
        ablate: the layers for cumulative ablation: "all", a number for the last ones, or names and patterns
            from `layers`.
        orderings: number of random orders of units; 10 by default.
        noise: noise levels as a multiple of the unit's own SD, such as [0.1, 1]; by default 12 from 0.03 to
            10.
        units: the units for single-unit ablation: "all", a number drawn at random, or {layer: indices}.
        settings: any other setting of configs/own.example.yaml, such as analyses=["add_noise"],
            train_images=500, seed=1, or ablate_cumulative={"clamp": ["zero", "mean"]}.

    Returns:
        The tables, with methods that draw, save and compare them.

    Raises:
        InputError: for a layer that does not exist, images that do not fit, a network whose results would
            be meaningless, and the like; the message says what to do.

    Example:
        Four images, each of a class of its own, which one unit alone responds to. Without units, accuracy is
        at chance.

        >>> from torch import arange, eye, nn
        >>> from directions import analyse
        >>> network = nn.Sequential(nn.Linear(4, 4, bias=False), nn.ReLU(), nn.Linear(4, 4, bias=False))
        >>> network.load_state_dict({"0.weight": 2 * eye(4), "2.weight": 2 * eye(4)})
        <All keys matched successfully>
        >>> images, labels = eye(4), arange(4)
        >>> found = analyse(network, ["1"], (images, labels), orderings=5, noise=[0.5, 1], progress=False)
        >>> found.tables["units"][["layer", "unit", "selectivity"]]
          layer  unit  selectivity
        0     1     0          1.0
        1     1     1          1.0
        2     1     2          1.0
        3     1     3          1.0
        >>> found.tables["ablation"].groupby("ablated")["accuracy"].mean().iloc[[0, -1]]
        ablated
        0    1.00
        4    0.25
        Name: accuracy, dtype: float64
    """
    for short, value in (("ablate", ablate), ("orderings", orderings), ("noise", noise), ("units", units)):
        if value is not None:
            analysis, key = SHORT[short]
            settings[analysis] = settings.get(analysis, {}) | {key: _listed(value)}
    sets: dict[str, Data] = {"train": train} if test is None else {"train": train, "test": test}
    with heard(progress) as doubts:
        _check(network, layers, sets, settings | ({} if normalize is None else {"normalize": normalize}))
        chosen = user_networks.merged(
            user_networks.DEFAULTS if test is not None else _untested(user_networks.DEFAULTS), settings
        )
        trained = _prepared(original(copied(network)), layers, sets, chosen, normalize, _device(device))
        tables = _tables(name, trained, sets, chosen, progress)
        for doubt in own.doubts_of_units(tables):
            log.warning("warning: %s: %s", name, doubt)
    return Analysis(tables, tuple(dict.fromkeys(doubts)))


def _prepared(
    network: nn.Module,
    layers: Layers,
    sets: Mapping[str, Data],
    chosen: Settings,
    normalize: dict[str, Sequence[float]] | None,
    device: str | torch.device,
) -> Trained:
    """Find the network's layers on its first image, then load all images that are used."""
    shapes = {split: _first(data, split).shape[1:] for split, data in sets.items()}
    if len(set(shapes.values())) > 1:
        raise InputError(
            f"test images are {shapes['test']}, training images {shapes['train']}: crop or resize"
        )
    found = find(network.cpu(), layers, shapes["train"], _classes(sets))
    data: dict[str, Pair] = {
        split: torch_datasets.read(pair, chosen[f"{split}_images"], DRAWN[split])
        if torch_datasets.is_one(pair)
        else pair
        for split, pair in sets.items()
    }
    classes = present(_classes(data))  # as all labels have been read
    examples = {
        split: normalized(_examples(*pair, split, chosen, classes, device), normalize)
        for split, pair in data.items()
    }
    found.model.to(device)
    return Trained(found, examples.__getitem__, seed=chosen["seed"])


def _tables(
    name: str, trained: Trained, sets: Mapping[str, Data], chosen: Settings, progress: bool
) -> dict[str, pd.DataFrame]:
    """Run the analyses; return all tables, with the key columns first."""
    data = "own data" if "test" in sets else "own data, no test set"
    train, test = trained.examples("train"), trained.examples("test") if "test" in sets else None
    made = {"runs": pd.DataFrame([record(name, trained, train, test, data)])}
    for place, analysis in enumerate(chosen["analyses"], start=1):
        if progress:
            print(f"{name}: {analysis} ({place} of {len(chosen['analyses'])})", file=sys.stderr)
        observe = importlib.import_module(f"directions.analyses.{analysis}").observe
        made[ANALYSES[analysis]] = SPECS[analysis].run(observe, trained, chosen[analysis])
    tables = {table: _with_keys(rows, name) for table, rows in made.items()}
    RUNS.check(tables["runs"])
    invariants.check(tables)
    if "ablation" in tables:
        classes = {name: int(made["runs"]["classes"].iloc[0])}
        tables["areas"] = auc_error.with_errors(auc.of_curves(tables["ablation"], classes))
        AREAS.check(tables["areas"])
        for line in auc_error.told(tables["areas"]) if progress else ():
            print(f"{name}: {line}", file=sys.stderr)
    return tables


def _listed(value: Any) -> Any:
    """Convert sequences, arrays and mappings to the lists and dicts of a config."""
    if isinstance(value, Mapping):
        return {key: _listed(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic | Tensor):
        return value.tolist()
    return value if isinstance(value, str) or not isinstance(value, Iterable) else list(value)


def _first(data: Data, split: str) -> np.ndarray:
    """Return the first image of a split as the network will receive it, (1, ...)."""
    if torch_datasets.is_one(data):
        images = torch_datasets.first(data)
    elif hasattr(data[0], "__getitem__"):
        images = user_arrays.plain(data[0][:1], f"{split} images")
    else:
        raise InputError(f"{split}: images are {type(data[0]).__name__}; give an array or a tensor (n, ...)")
    return user_arrays.as_images(images, f"{split} images, the first", doubted=False)


def _classes(sets: Mapping[str, Data]) -> int | None:
    """Return the number of classes in the labels; None before those of a Dataset have been read."""
    pairs = {split: data for split, data in sets.items() if not torch_datasets.is_one(data)}
    if len(pairs) < len(sets):
        return None
    return 1 + max(int(_labels(*pair, split).max()) for split, pair in pairs.items())


def _check(network: object, layers: Layers, sets: Mapping[str, object], settings: Settings) -> None:
    """Raise InputError for arguments that are easily confused."""
    if not isinstance(network, nn.Module):
        hint = ": call it first, analyse(build(), ...)" if callable(network) else ""
        if isinstance(network, torch.export.ExportedProgram):
            hint = ": analyse the network as it was before export"
        raise InputError(f"network is {type(network).__name__}, not a torch.nn.Module{hint}")
    if not layers or (isinstance(layers, str) and not layer_patterns.is_pattern(layers)):
        raise InputError(
            f'layers is {layers!r}: give a list of modules, ["relu1"], {{"fc1": "relu"}}, or'
            f' "{layer_patterns.ALL}"'
        )
    if not isinstance(layers, str) and (other := [name for name in layers if not isinstance(name, str)]):
        raise InputError(f"layers: {other[0]!r} is not the name of a module: `show_layers` prints all names")
    for split, pair in sets.items():
        if not torch_datasets.is_one(pair) and (not isinstance(pair, tuple | list) or len(pair) != 2):
            raise InputError(
                f"{split} must be a pair, (images, labels), a Dataset or a DataLoader,"
                f" not {type(pair).__name__}"
            )
    user_networks.check_settings(settings)
    if "test" not in sets and (
        asked := [
            name for name, value in settings.items() if name in ANALYSES and value.get("split") == "test"
        ]
    ):
        raise InputError(f"{asked[0]}: split test, but there is no test set: give test=(images, labels)")


def _untested(defaults: Settings) -> Settings:
    """Return the settings with every analysis on training images, for lack of a test set."""
    return {key: value | {"split": "train"} if key in ANALYSES else value for key, value in defaults.items()}


def _device(asked: str | torch.device) -> str | torch.device:
    """Resolve "auto" and check a torch device. Raises InputError for a GPU that does not exist."""
    if str(asked).startswith("cuda") and not torch.cuda.is_available():
        raise InputError(f'device="{asked}": PyTorch finds no GPU here; use "auto" or "cpu"')
    if asked == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.device(asked)
    except RuntimeError as error:
        raise InputError(f'device="{asked}" is unknown to PyTorch: use "auto", "cpu" or "cuda"') from error


def _with_keys(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Prepend the key columns that scripts/collect.py writes."""
    keys = pd.DataFrame([{"experiment": "own", "run": name}] * len(rows))
    return pd.concat([keys, rows.reset_index(drop=True)], axis=1)


def _labels(images: Array, labels: Array, split: str) -> np.ndarray:
    """Check the labels, one for each image; return them as int64 (n,)."""
    given = user_arrays.as_labels(user_arrays.plain(labels, f"{split} labels"), f"{split} labels")
    if len(images) != len(given) or not len(given):
        what = f"{split}: {len(images)} images, {len(given)} labels"
        raise InputError(f"{what}: give one label for each image, and at least one image")
    return given


def _examples(
    images: Array, labels: Array, split: str, chosen: Settings, classes: int, device: str | torch.device
) -> Examples:
    """Return up to the requested number of examples, drawn as the workflow draws them from a user's files."""
    pixels = user_arrays.as_images(user_arrays.plain(images, f"{split} images"), f"{split} images")
    given = _labels(images, labels, split)
    wanted = chosen[f"{split}_images"]
    used = choose_images(len(given), "all" if wanted == "all" else min(wanted, len(given)), DRAWN[split])
    return Examples(
        torch.tensor(pixels[used], device=device), torch.tensor(given[used], device=device), classes
    )
