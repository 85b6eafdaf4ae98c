"""Build an own network from its factory and weights, or rebuild it from its model file."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from directions.core import user_functions
from directions.core.errors import InputError
from directions.core.seeds import number
from directions.core.types import Count
from directions.data import Dataset
from directions.data.examples import Examples
from directions.data.normalize import normalized
from directions.interventions.hooks import Network
from directions.interventions.layer_patterns import ALL
from directions.interventions.layers import Layers, find
from directions.interventions.prepare import plain
from directions.models import files as model_files
from directions.models import user_weights


def made(factory: str) -> nn.Module:
    """Return the network that "file.py:function" builds, with a fixed seed for its initial weights.

    Raises InputError if the function returns anything else.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(number("own"))
        network = user_functions.call(factory)
    if not isinstance(network, nn.Module):
        raise InputError(f"{factory} returned {type(network).__name__}, not a torch.nn.Module")
    return plain(network)


def imported(settings: dict, shape: Sequence[int]) -> nn.Module:
    """Build the network from its settings: `build`, a factory, and optionally `weights`, a file.

    shape: of one example, to initialise lazy modules if there is no weight file. Raises InputError as `made`
    and `user_weights` do.
    """
    network = made(settings["build"])
    if settings.get("weights"):
        user_weights.fit(network, user_weights.read(settings["weights"]), settings["weights"])
    elif any(map(is_lazy, network.parameters())):
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(number("own"))
            network.eval()(torch.rand(2, *shape))
    return network


def at_most(images: Count, dataset: Dataset, split: str) -> int:
    """Return how many images of a split are used: "all", or at most the requested number."""
    have = len(dataset.split(split)[1])
    return have if images == "all" else min(images, have)


def header(settings: dict, shape: Sequence[int], classes: int, test_images: int) -> dict:
    """Return the metadata of a model file, from which `rebuilt` restores it; shape: of one example."""
    own = {key: settings.get(key) for key in ("build", "layers", "normalize")}
    return {
        "own": own | {"code": user_functions.digest(settings["build"])},
        "settings": {"seed": settings["seed"], "test_images": test_images},
        "image_shape": list(shape),
        "classes": classes,
    }


def rebuilt(state: dict[str, Tensor], header: dict, origin: Path | str, code: str | None) -> Network:
    """Rebuild the network of a model file, on the CPU; code: the factory that the config names for it.

    Raises InputError if the header names another factory, or if its file is gone or has changed since the
    network was imported.
    """
    model_files.check_code(origin, header, code)
    own = header["own"]
    if user_functions.digest(own["build"]) != own["code"]:
        raise InputError(
            f"{origin}: {own['build']}, or a file that it imports, has changed since this network was"
            " imported: import it again with the workflow (`snakemake --cores all --configfile ... -- own`)"
        )
    network = made(own["build"])
    user_weights.fit(network, state, origin)
    return find(network, own["layers"], header["image_shape"], header["classes"])


def of_study(model: nn.Module, layers: Layers | None, image_shape: Sequence[int], classes: int) -> Network:
    """Return a user's model that a study trained, with its units: of `layers`, or of all activations.

    Raises InputError as `find` does.
    """
    if layers:
        return find(model, layers, image_shape, classes)
    try:
        return find(model, ALL, image_shape, classes)
    except InputError as error:
        raise InputError(
            f"{error}; or name its layers in the config, as in `models: {{NAME: {{layers: [fc1, fc2]}}}}`:"
            " nothing is trained again"
        ) from error


def as_trained_on(examples: Examples, header: dict) -> Examples:
    """Normalise examples as the network of a model file expects them."""
    return normalized(examples, header["own"]["normalize"])
