"""Record a forward pass: which modules a network calls, in which order, and what they return."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from directions.core.errors import InputError

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
PROBE = 2  # examples in the batch that a network is tried on


@dataclass(frozen=True)
class Call:
    """One call of a module in a forward pass."""

    name: str
    module: nn.Module
    output: Any


def calls_of(network: nn.Module, example: Tensor) -> list[Call]:
    """Return all module calls in a forward pass of these examples, in the order in which they finish."""
    calls: list[Call] = []

    def noting(name: str) -> Callable[..., None]:
        return lambda module, _inputs, output: calls.append(Call(name, module, output))

    handles = [module.register_forward_hook(noting(name)) for name, module in network.named_modules() if name]
    try:
        with torch.no_grad():
            network(example.clone())
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        flat = "; images (n, h, w) other than uint8 need a channel axis, (n, 1, h, w)"
        raise InputError(
            f"the network does not take images of shape {tuple(example.shape[1:])}"
            f"{flat if example.dim() == 3 else _other_channels(network, example)}: {reason}"
        ) from error
    finally:
        for handle in handles:
            handle.remove()
    return calls


def called_once(calls: list[Call]) -> list[str]:
    """Return the names of the modules that are called exactly once."""
    times = Counter(call.name for call in calls)
    return [name for name, number in times.items() if number == 1]


def _other_channels(network: nn.Module, example: Tensor) -> str:
    """Return a hint if the first convolution takes another number of channels."""
    for name, module in network.named_modules():
        if isinstance(module, CONVOLUTIONS) and module.in_channels != example.shape[1]:
            return f"; its first convolution, {name}, takes {module.in_channels} channels"
        if isinstance(module, (nn.Linear, *CONVOLUTIONS)):
            break
    return ""
