"""A network as it was given, made ready for hooks: not compiled, in float32."""

import copy
import logging
from collections.abc import Container

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from directions.errors import InputError

log = logging.getLogger(__name__)

COMPILED = "_orig_mod"  # where torch.compile keeps the network that it was given


def original(network: nn.Module) -> nn.Module:
    """Return the network itself, with the originals in place of all that torch.compile returned.

    Compiled code does not run hooks, and DataParallel only passes images on. Modules inside the network are
    replaced in it.
    """
    while isinstance(network, nn.DataParallel | nn.parallel.DistributedDataParallel):
        network = network.module
    while isinstance(inner := getattr(network, COMPILED, None), nn.Module):
        log.info("torch.compile's network is taken from before it was compiled: compiled code runs no hooks")
        network = inner
    for parent in list(network.modules()):
        parent._compiled_call_impl = None  # of network.compile()
        for name, child in list(parent._modules.items()):
            while isinstance(inner := getattr(child, COMPILED, None), nn.Module):
                child = parent._modules[name] = inner
    return network


def copied(network: nn.Module) -> nn.Module:
    """Return a deep copy, also of a network that torch.nn.utils.prune, weight_norm or spectral_norm changed.

    These keep tensors that were computed from others, which copy.deepcopy refuses. Of what torch.compile
    returned its original is copied; the network itself stays compiled. Raises InputError for lazy modules
    that have not seen an image: they have no weights yet.
    """
    if lazy := [name for name, value in network.named_parameters() if is_lazy(value)]:
        raise InputError(
            f"{lazy[0]} has no numbers yet, as a lazy module makes its weights in its first pass: call"
            " network(images[:2]) once, then train it or load its weights"
        )
    known: dict[int, object] = {  # what deepcopy shall take for the copy of an object
        id(value): value.detach().clone()
        for module in network.modules()
        for value in vars(module).values()
        if isinstance(value, Tensor) and not value.is_leaf
    }
    for module in reversed(list(network.modules())):  # the innermost first
        if isinstance(inner := getattr(module, COMPILED, None), nn.Module):
            known[id(module)] = copy.deepcopy(inner, known)
    return copy.deepcopy(network, known)


def check_still(network: nn.Module) -> None:
    """Raise InputError for compiled code, and for fake quantisation that changes with every pass."""
    for name, module in network.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            raise InputError(
                f"{name or 'the network'} is code that torch.jit compiled, in which no hook runs: analyse the"
                " network from before torch.jit.script or trace"
            )
        enabled = getattr(module, "observer_enabled", None)
        if isinstance(enabled, Tensor) and enabled.any():
            raise InputError(
                f"{name} still observes what passes through it, and changes its quantisation with every pass:"
                " network.apply(torch.ao.quantization.disable_observer) before its weights are saved or"
                " analysed"
            )


def plain(network: nn.Module) -> nn.Module:
    """Return `original`, its numbers in float32 where they were float64, float16 or bfloat16."""
    network = original(network)
    numbers = [*network.parameters(), *network.buffers()]
    other = {value.dtype for value in numbers if value.is_floating_point()} - {torch.float32}
    if other:
        log.info("the network's %s is taken as float32", ", ".join(sorted(map(str, other))))
        network.float()
    return network


def layer_name(name: str, known: Container[str] = ()) -> str:
    """Return the name of a layer of a compiled or parallel network in its original, which has `known`."""
    plain_name = ".".join(part for part in name.split(".") if part != COMPILED)
    alone = plain_name.removeprefix("module.")  # of DataParallel
    return alone if plain_name not in known and alone in known else plain_name
