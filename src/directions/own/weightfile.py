"""Weights from the user's file into the user's network."""

import pickle
import warnings
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from directions.errors import InputError

WRAPPED = ("state_dict", "model_state_dict", "model", "net")  # under which training scripts keep weights
# What torch.load raises for a file that is torn, or none of its own.
BROKEN = (
    OSError, RuntimeError, EOFError, ValueError, LookupError, TypeError, AttributeError,
    pickle.UnpicklingError,
)  # fmt: skip
COUNTS = "num_batches_tracked"
SHOWN = 5  # names per kind of misfit in an error


def read(path: Path | str) -> dict[str, Tensor]:
    """{name: tensor} of a .safetensors file, or of a state dict by torch.save, alone or in a checkpoint.

    Nothing but tensors is unpickled, so a file from a stranger can do no harm. Raises InputError for a file
    that is missing, broken, or holds something else.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise InputError(f"weights: there is no file {path} (looked for in {Path.cwd()})")
    if path.suffix != ".safetensors":
        saving = "more than weights: save them with torch.save(network.state_dict(), file)"
        return _unwrapped(unpickled(path, "weights, which torch.save or safetensors wrote", saving), path)
    try:
        return load_file(path)
    except (SafetensorError, *BROKEN) as error:
        raise InputError(
            f"{path} cannot be read as weights, which torch.save or safetensors wrote ({reason(error)})"
        ) from error


def unpickled(path: Path, wanted: str, saving: str) -> object:
    """What a file by torch.save holds, where that is tensors and plain values: nothing else is unpickled.

    wanted, saving: for errors, what was to be read and what a file that holds objects of classes is. Raises
    InputError without PyTorch's own words, which advise to let the file run code.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # more of PyTorch's advice
            return torch.load(path, map_location="cpu", weights_only=True)
    except BROKEN as error:
        if "GLOBAL" in str(error):  # it names a class: a whole network, or an optimizer, was saved
            raise InputError(f"{path} holds {saving}") from None
        raise InputError(f"{path} cannot be read as {wanted} ({reason(error)})") from None


def reason(error: Exception) -> str:
    """The kind and the first line of an error, but for PyTorch's advice on files that could run code."""
    line = (str(error).splitlines() or [""])[0]
    if "weights_only" in line or "Weights only" in line:
        line = "torn, or of a kind that could run code and is never read"
    return f"{type(error).__name__}: {line}".removesuffix(": ")


def _unwrapped(content: object, path: Path) -> dict[str, Tensor]:
    for name in WRAPPED:
        if isinstance(content, dict) and isinstance(content.get(name), dict):
            content = content[name]
    if isinstance(content, dict) and not _is_state(content):
        inner = [name for name, value in content.items() if _is_state(value)]
        if len(inner) > 1:
            raise InputError(
                f"{path} holds weights under each of {', '.join(map(str, inner))}: save one of them alone"
            )
        content = content[inner[0]] if inner else content
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        found = f"; it holds {_few(list(map(str, content)))}" if isinstance(content, dict) else ""
        raise InputError(f"{path} holds no state dict, that is, no names with a tensor each{found}")
    return content


def _is_state(content: object) -> bool:
    return (
        isinstance(content, dict)
        and bool(content)
        and all(isinstance(value, Tensor) for value in content.values())
    )


def _named(wanted: dict[str, Tensor], state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state with the network's names: without a prefix that all share, such as "model." or "_orig_mod.".

    Numbers of batches that batch norm has seen, which checkpoints of early PyTorch lack, are the network's.
    """
    counts = {name: value for name, value in wanted.items() if name.rpartition(".")[2] == COUNTS}
    stripped = state
    while stripped and not set(stripped) & set(wanted):
        prefix = next(iter(stripped)).partition(".")[0] + "."
        if not all(name.startswith(prefix) for name in stripped):
            break
        stripped = {name.removeprefix(prefix): value for name, value in stripped.items()}
    fits = set(wanted) - set(counts) <= set(stripped) <= set(wanted)
    return counts | stripped if fits else state


def _strange(state: dict[str, Tensor], wanted: dict[str, Tensor]) -> list[str]:
    """Tensors that would lose something when they are copied into the network's."""
    kinds = {
        "sparse (.to_dense())": lambda value: value.layout != torch.strided,
        "quantised (.dequantize())": lambda value: value.is_quantized,
    }
    strange = [
        f"{name} is {kind}"
        for name, value in state.items()
        for kind, is_kind in kinds.items()
        if is_kind(value)
    ]
    return strange + [
        f"{name} is complex"
        for name, value in wanted.items()
        if name in state and state[name].is_complex() and not value.is_complex()
    ]


def fit(network: nn.Module, state: dict[str, Tensor], origin: object) -> None:
    """Load weights into a network.

    Raises InputError where they do not fit, naming what is missing, what is unexpected, what is misshapen.
    """
    wanted = network.state_dict()
    state = _named(wanted, state)
    if strange := _strange(state, wanted):
        raise InputError(f"{origin}: these weights are no plain numbers: {_few(strange)}")
    faults = {
        "missing": [name for name in wanted if name not in state],
        "unexpected": [name for name in state if name not in wanted],
        "of another shape": [
            f"{name} {tuple(state[name].shape)} for {tuple(value.shape)}"
            for name, value in wanted.items()
            if name in state and _has_shape(value) and state[name].shape != value.shape
        ],
    }
    if any(faults.values()):
        told = "; ".join(f"{len(names)} {kind}: {_few(names)}" for kind, names in faults.items() if names)
        raise InputError(f"{origin}: these weights do not fit the network: {told}")
    network.load_state_dict(state)


def _has_shape(value: object) -> bool:
    """Tell whether it is a tensor, and none of a lazy module that takes any shape."""
    return isinstance(value, Tensor) and not is_lazy(value)


def _few(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"
