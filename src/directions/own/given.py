"""A network as it was given, made ready for hooks: not compiled, in float32."""

import logging

import torch
from torch import nn

log = logging.getLogger(__name__)

COMPILED = "_orig_mod"  # where torch.compile keeps the network that it was given


def original(network: nn.Module) -> nn.Module:
    """Return the network, with the originals in place of all that torch.compile returned.

    Compiled code does not run hooks. Modules inside the network are replaced in it.
    """
    while isinstance(inner := getattr(network, COMPILED, None), nn.Module):
        log.info("torch.compile's network is taken from before it was compiled: compiled code runs no hooks")
        network = inner
    for parent in list(network.modules()):
        parent._compiled_call_impl = None  # of network.compile()
        for name, child in list(parent._modules.items()):
            while isinstance(inner := getattr(child, COMPILED, None), nn.Module):
                child = parent._modules[name] = inner
    return network


def plain(network: nn.Module) -> nn.Module:
    """Return `original`, its numbers in float32 where they were float64, float16 or bfloat16."""
    network = original(network)
    numbers = [*network.parameters(), *network.buffers()]
    other = {value.dtype for value in numbers if value.is_floating_point()} - {torch.float32}
    if other:
        log.info("the network's %s is taken as float32", ", ".join(sorted(map(str, other))))
        network.float()
    return network


def layer_name(name: str) -> str:
    """Return the name of a layer of a compiled network in its original."""
    return ".".join(part for part in name.split(".") if part != COMPILED)
