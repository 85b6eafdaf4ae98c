"""Prepare a given network for hooks: undo compilation and parallel wrappers, convert to float32."""

import copy
import logging
from collections.abc import Container

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from directions.core.errors import InputError

log = logging.getLogger(__name__)

COMPILED = "_orig_mod"  # attribute in which torch.compile keeps the original network


def original(network: nn.Module) -> nn.Module:
    """Return the network itself, with modules wrapped by torch.compile replaced by their originals.

    Compiled code runs no hooks, and DataParallel only passes images on. Inner modules are replaced in place.
    """
    while isinstance(network, nn.DataParallel | nn.parallel.DistributedDataParallel):
        network = network.module
    while isinstance(inner := getattr(network, COMPILED, None), nn.Module):
        log.info("using the network as it was before torch.compile: compiled code runs no hooks")
        network = inner
    for parent in list(network.modules()):
        parent._compiled_call_impl = None  # of network.compile()
        for name, child in list(parent._modules.items()):
            while isinstance(inner := getattr(child, COMPILED, None), nn.Module):
                child = parent._modules[name] = inner
    return network


def copied(network: nn.Module) -> nn.Module:
    """Return a deep copy, also after torch.nn.utils.prune, weight_norm or spectral_norm.

    These keep tensors computed from others, which copy.deepcopy refuses. Of a compiled network, the original
    is copied; the network itself stays compiled. Raises InputError for lazy modules that have not seen an
    image, as they have no weights yet.
    """
    if lazy := [name for name, value in network.named_parameters() if is_lazy(value)]:
        raise InputError(
            f"{lazy[0]} has no values yet, as a lazy module creates its weights in its first forward pass:"
            " call network(images[:2]) once, then train it or load its weights"
        )
    known: dict[int, object] = {  # deepcopy's memo: {id of an object: its copy}
        id(value): value.detach().clone()
        for module in network.modules()
        for value in vars(module).values()
        if isinstance(value, Tensor) and not value.is_leaf
    }
    for module in reversed(list(network.modules())):  # innermost first
        if isinstance(inner := getattr(module, COMPILED, None), nn.Module):
            known[id(module)] = copy.deepcopy(inner, known)
    return copy.deepcopy(network, known)


def check_still(network: nn.Module) -> None:
    """Raise InputError for compiled code, and for fake quantisation that changes with every pass."""
    for name, module in network.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            raise InputError(
                f"{name or 'the network'} was compiled by torch.jit, and compiled code runs no hooks: analyse"
                " the network as it was before torch.jit.script or trace"
            )
        enabled = getattr(module, "observer_enabled", None)
        if isinstance(enabled, Tensor) and enabled.any():
            raise InputError(
                f"{name} still has an active observer, which changes its quantisation with every pass: call"
                " network.apply(torch.ao.quantization.disable_observer) before saving or analysing its"
                " weights"
            )


def plain(network: nn.Module) -> nn.Module:
    """Return `original`, with float64, float16 and bfloat16 parameters and buffers converted to float32."""
    network = original(network)
    numbers = [*network.parameters(), *network.buffers()]
    other = {value.dtype for value in numbers if value.is_floating_point()} - {torch.float32}
    if other:
        log.info("converting the network's %s to float32", ", ".join(sorted(map(str, other))))
        network.float()
    return network


def layer_name(name: str, known: Container[str] = ()) -> str:
    """Map a layer name of a compiled or parallel network to its name in the original, which has `known`."""
    plain_name = ".".join(part for part in name.split(".") if part != COMPILED)
    alone = plain_name.removeprefix("module.")  # of DataParallel
    return alone if plain_name not in known and alone in known else plain_name
