"""The paper's networks, as a study names them: what is known about each before it is built. Without torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Architecture:
    """A built-in model.

    title: its name in figures. reads: training settings that it reads and some other models do not. layers:
    training settings to the names of its layers of units, from input to output. batch_norm: it has batch norm
    whatever its settings are. chain: how many of the last layers lie on a chain of modules, where curves
    are computed in reverse; None: all. curve: fraction of the operations of whole passes that is left in
    curves of 65 points computed in reverse, at least (docs/PERFORMANCE.md).
    """

    title: str
    reads: tuple[str, ...]
    layers: Callable[[Settings], list[str]]
    batch_norm: bool = False
    chain: int | None = None
    curve: float = 1.0


def _mlp_layers(settings: Settings) -> list[str]:
    return [f"relu{depth}" for depth in range(1, len(settings["hidden"]) + 1)]


def _conv11_layers(_settings: Settings) -> list[str]:
    return [f"relu{depth}" for depth in range(1, 12)]


def _resnet50_layers(_settings: Settings) -> list[str]:
    blocks = (f"block{block}.relu{place}" for block in range(1, 17) for place in (1, 2, 3))
    return ["stem.relu", *blocks]


_CONV11 = Architecture("conv11", ("width", "batch_norm", "norm_batch", "pad"), _conv11_layers, curve=1 / 18)

ARCHITECTURES: dict[str, Architecture] = {
    "mlp": Architecture("MLP", ("hidden", "init"), _mlp_layers, curve=1 / 22),
    "conv11": _CONV11,
    "conv11_mean": replace(_CONV11, title="conv11, mean read-out"),
    "resnet50": Architecture(
        "ResNet-50", ("width", "norm_batch", "pad"), _resnet50_layers, True, chain=3, curve=1 / 39
    ),
}
