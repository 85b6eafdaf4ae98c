"""Load weights from a user's file into the user's network."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from directions.core.errors import InputError
from directions.core.torch_files import BROKEN, reason, unpickled

WRAPPED = ("state_dict", "model_state_dict", "model", "net")  # keys that hold the weights in checkpoints
COUNTS = "num_batches_tracked"
SHOWN = 5  # names shown per kind of mismatch in an error


def read(path: Path | str) -> dict[str, Tensor]:
    """Return {name: tensor} from a .safetensors file or a torch.save state dict, alone or in a checkpoint.

    Only tensors are unpickled, so an untrusted file can do no harm. Raises InputError for a file that is
    missing, broken, or holds something else.
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


def _unwrapped(content: object, path: Path) -> dict[str, Tensor]:
    for name in WRAPPED:
        if isinstance(content, dict) and isinstance(content.get(name), dict):
            content = content[name]
    if isinstance(content, dict) and not _is_state(content):
        inner = [name for name, value in content.items() if _is_state(value)]
        if len(inner) > 1:
            raise InputError(
                f"{path} holds weights under each of {', '.join(map(str, inner))}: save only one of them"
            )
        content = content[inner[0]] if inner else content
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        found = f"; it holds {_few(list(map(str, content)))}" if isinstance(content, dict) else ""
        raise InputError(f"{path} holds no state dict, a dict of names and tensors{found}")
    return content


def _is_state(content: object) -> bool:
    return (
        isinstance(content, dict)
        and bool(content)
        and all(isinstance(value, Tensor) for value in content.values())
    )


def _named(wanted: dict[str, Tensor], state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Match the state to the network's names: strip a prefix shared by all, "model." or "_orig_mod.".

    Batch counts of batch norm, which checkpoints from early PyTorch lack, are taken from the network.
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
    """List the tensors that would lose information when copied into the network."""
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

    Raises InputError if they do not fit, naming what is missing, unexpected, or of another shape.
    """
    wanted = network.state_dict()
    state = _named(wanted, state)
    if strange := _strange(state, wanted):
        raise InputError(f"{origin}: these weights are not plain dense tensors: {_few(strange)}")
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
    """Return whether a value is a tensor with a shape, unlike the parameters of a lazy module."""
    return isinstance(value, Tensor) and not is_lazy(value)


def _few(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"
