"""Trained networks as files: safetensors, with the settings that rebuild the network in their header.

Nothing is unpickled, and a network of the user's own is built only by the function that the caller names too:
so a model file from a stranger can do no harm.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import nn

from directions.errors import InputError
from directions.files import atomic
from directions.models import build


def save(path: Path | str, state: dict[str, torch.Tensor], header: dict) -> None:
    """Write tensors and a JSON header to `path`, whole or not at all."""
    with atomic(path) as partial:
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
        # Not save_file: its files can be read by nobody but their owner.
        partial.write_bytes(to_bytes(tensors, metadata={"header": json.dumps(header, sort_keys=True)}))


def join(path: Path | str, files: Mapping[str, Path], header: dict) -> None:
    """Write to `path` what `save` would write of the tensors of all `files` at once, one tensor in memory.

    files: {name: file that `save` wrote}; each of its tensors becomes "name/tensor". The layout is that of
    safetensors: the length of the list of tensors in 8 bytes, the list, then their bytes, types of widest
    numbers first, each type by name. Raises InputError where a file is missing or cut short.
    """
    parts = [part for name, file in files.items() for part in _parts(name, Path(file))]
    types = list(dict.fromkeys(entry["dtype"] for _, entry, *_ in parts))  # in the order of the files
    parts.sort(key=lambda part: (types.index(part[1]["dtype"]), part[0]))
    listed: dict = {"__metadata__": {"header": json.dumps(header, sort_keys=True)}}
    end = 0
    for name, entry, *_ in parts:
        start, end = end, end + entry["data_offsets"][1] - entry["data_offsets"][0]
        listed[name] = entry | {"data_offsets": [start, end]}
    words = json.dumps(listed, separators=(",", ":"), ensure_ascii=False).encode()
    words += b" " * (-len(words) % 8)
    with atomic(path) as partial, partial.open("wb") as out:
        out.write(len(words).to_bytes(8, "little") + words)
        for _, entry, file, first in parts:
            start, end = entry["data_offsets"]
            with file.open("rb") as source:
                source.seek(first + start)
                out.write(source.read(end - start))


def _parts(name: str, file: Path) -> Iterator[tuple[str, dict, Path, int]]:
    """(name/tensor, its entry in the list, file, where the file's data begin) as they lie in the file."""
    try:
        with safe_open(file, framework="pt"):  # refuses what is no such file, or not whole
            pass
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{file}, kept during training, cannot be read ({error}): delete {file.parent} and run again"
        ) from error
    with file.open("rb") as source:
        size = int.from_bytes(source.read(8), "little")
        listed = json.loads(source.read(size))
    listed.pop("__metadata__", None)
    for tensor, entry in sorted(listed.items(), key=lambda item: item[1]["data_offsets"]):
        yield f"{name}/{tensor}", entry, file, 8 + size


def load_state(path: Path | str, prefix: str = "") -> tuple[dict[str, torch.Tensor], dict]:
    """(tensors whose names start with `prefix`, without it; header) of a file that `save` wrote.

    Raises InputError when the file is missing, cut short, or not such a file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["header"])
            return {
                name.removeprefix(prefix): file.get_tensor(name)
                for name in file.keys()  # noqa: SIM118  (safe_open is no dict)
                if name.startswith(prefix)
            }, header
    except (OSError, SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise InputError(
            f"{path} is not a model file of this project ({error}): delete it and run again to rebuild it"
        ) from error


def check_code(path: Path | str, header: dict, code: str | None) -> None:
    """Raise InputError for a model file whose header names another function of the user's own than `code`.

    The header is data: what it names is run only where the config, or the caller, names it as well.
    """
    named = header.get("own", header.get("settings", {})).get("build")
    if named not in (None, code):
        known = f"only {code} is known here" if code else "none is named here"
        raise InputError(
            f"{path}: its header wants {named} to be run, {known}: code is run only where the config names"
            ' it; let the workflow make the file again, or add `"code": "file.py:function"` to --asked'
        )


def load_model(path: Path | str, device: torch.device | str = "cpu") -> tuple[nn.Module, dict]:
    """(network in evaluation mode, header) from a model file.

    The header holds `settings`, `image_shape` and `classes`. Raises InputError when the weights do not
    fit the network that the header describes, naming the first difference.
    """
    state, header = load_state(path)
    return rebuilt(path, state, header).to(device), header


def rebuilt(
    path: Path | str, state: dict[str, torch.Tensor], header: dict, code: str | None = None
) -> nn.Module:
    """The network of what `load_state` read from `path`, in evaluation mode; InputError as `load_model`.

    code: the user's function that builds it, file.py:function, where it is none of ours.
    """
    check_code(path, header, code)
    try:
        model = build(header["settings"], tuple(header["image_shape"]), header["classes"])
        model.load_state_dict(state)
    except (KeyError, RuntimeError) as error:
        first = [line.strip() for line in str(error).splitlines()][:2][-1]
        raise InputError(
            f"{path}: weights and architecture do not fit ({first}): delete it and run again to rebuild it"
        ) from error
    return model.eval().requires_grad_(False)
