"""Trained networks as files: safetensors, with the settings that rebuild the network in their header.

Nothing is unpickled, and a user's own network is built only by a function that the caller also names, so a
stranger's model file can do no harm. Digests of the settings and of each tensor are stored beside them and
checked, which detects a bit flipped by a disk or a copy.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import nn

from directions.core.errors import InputError
from directions.core.files import atomic
from directions.core.suggest import rebuild
from directions.models import build

# Header fields needed to rebuild a network, and further ones for a user's own.
HEADER: dict[str, Any] = {"settings": dict, "image_shape": list | tuple, "classes": int}
SETTINGS = {"seed": int}
OWN = {"build": str, "code": str, "layers": object, "normalize": object}


def save(path: Path | str, state: dict[str, torch.Tensor], header: dict) -> None:
    """Write tensors and a JSON header to `path`, completely or not at all."""
    with atomic(path) as partial:
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
        metadata = _metadata(header, {name: digest(_content(tensor)) for name, tensor in tensors.items()})
        # Not save_file: only the owner can read its files.
        partial.write_bytes(to_bytes(tensors, metadata=metadata))


def digest(content: bytes | memoryview) -> str:
    """Digest the bytes of a tensor, or of a header, to 16 hex digits."""
    return hashlib.sha256(content).hexdigest()[:16]


def _content(tensor: torch.Tensor) -> memoryview:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data


def _metadata(header: dict, digests: Mapping[str, str]) -> dict[str, str]:
    """Build safetensors metadata under a single key, since it writes several in random order."""
    every = {**digests, "": digest(json.dumps(header, sort_keys=True).encode())}
    return {"header": json.dumps([header, every], sort_keys=True)}


def _parted(metadata: Mapping[str, str] | None) -> tuple[dict, dict[str, str] | None]:
    """Split what `_metadata` built: (header, {tensor: digest, "": of the header}); None without digests.

    Raises KeyError or ValueError for metadata that it did not build.
    """
    found = json.loads((metadata or {})["header"])
    header, digests = found if isinstance(found, list) else (found, None)  # older files have none
    if not isinstance(header, dict) or not isinstance(digests, dict | None):
        raise ValueError("its header is of another form")
    if digests is not None and digests[""] != digest(json.dumps(header, sort_keys=True).encode()):
        raise ValueError("its header is damaged")
    return header, digests


def join(path: Path | str, files: Mapping[str, Path], header: dict) -> None:
    """Write to `path` what `save` would write for the tensors of all `files`, with one tensor in memory.

    files: {name: file that `save` wrote}; each of its tensors becomes "name/tensor". The layout is that of
    safetensors: the length of the list of tensors in 8 bytes, the list, then their bytes, widest dtypes
    first, each dtype sorted by name. Raises InputError if a file is missing, truncated or damaged.
    """
    parts = [part for name, file in files.items() for part in _parts(name, Path(file))]
    digests = {name: digest(_bytes(entry, file, first)) for name, entry, file, first, _ in parts}
    for name, _entry, file, _first, expected in parts:
        if expected not in (None, digests[name]):
            raise _broken(file, f"{name} is damaged")
    types = list(dict.fromkeys(entry["dtype"] for _, entry, *_ in parts))  # in the order of the files
    parts.sort(key=lambda part: (types.index(part[1]["dtype"]), part[0]))
    listed: dict = {"__metadata__": _metadata(header, digests)}
    end = 0
    for name, entry, *_ in parts:
        start, end = end, end + entry["data_offsets"][1] - entry["data_offsets"][0]
        listed[name] = entry | {"data_offsets": [start, end]}
    words = json.dumps(listed, separators=(",", ":"), ensure_ascii=False).encode()
    words += b" " * (-len(words) % 8)
    with atomic(path) as partial, partial.open("wb") as out:
        out.write(len(words).to_bytes(8, "little") + words)
        for _, entry, file, first, _ in parts:
            out.write(_bytes(entry, file, first))


def _bytes(entry: dict, file: Path, first: int) -> bytes:
    """Read the bytes of one tensor from a file whose data begin at `first`."""
    start, end = entry["data_offsets"]
    with file.open("rb") as source:
        source.seek(first + start)
        return source.read(end - start)


def _broken(file: Path, why: object) -> InputError:
    return InputError(
        f"{file}, kept during training, cannot be read ({why}): delete {file.parent} and run again"
    )


def _parts(name: str, file: Path) -> Iterator[tuple[str, dict, Path, int, str | None]]:
    """Yield (name/tensor, its list entry, file, start of the file's data, digest) in file order."""
    try:
        with safe_open(file, framework="pt") as opened:  # refuses other or incomplete files
            digests = _parted(opened.metadata())[1]
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise _broken(file, error) from error
    with file.open("rb") as source:
        size = int.from_bytes(source.read(8), "little")
        listed = json.loads(source.read(size))
    listed.pop("__metadata__", None)
    for tensor, entry in sorted(listed.items(), key=lambda item: item[1]["data_offsets"]):
        yield f"{name}/{tensor}", entry, file, 8 + size, (digests or {}).get(tensor)


def load_state(path: Path | str, prefix: str = "") -> tuple[dict[str, torch.Tensor], dict]:
    """Load (tensors whose names start with `prefix`, without it; header) from a file that `save` wrote.

    Raises InputError if the file is missing, truncated, of another kind, or no longer what was saved.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header, digests = _parted(file.metadata())
            names = list(file.keys())
            found = {name: file.get_tensor(name) for name in names if name.startswith(prefix)}
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise InputError(f"{path} is not a model file of this project ({error}): {rebuild(path)}") from error
    if digests is not None:
        _check(path, names, found, digests)
    return {name.removeprefix(prefix): tensor for name, tensor in found.items()}, header


def _check(
    path: Path | str, names: list[str], found: Mapping[str, torch.Tensor], digests: Mapping[str, str]
) -> None:
    """Raise InputError unless a file holds all tensors that were saved, unchanged."""
    wrong = set(names) ^ (digests.keys() - {""})
    wrong |= {name for name in found.keys() - wrong if digest(_content(found[name])) != digests[name]}
    if wrong:
        raise InputError(f"{path} is damaged ({min(wrong)} differs from what was saved): {rebuild(path)}")


def _check_header(path: Path | str, header: dict) -> None:
    """Raise InputError for a model file whose header lacks a field needed to rebuild its network."""
    lacking = _lacking(header, HEADER) or _lacking(header["settings"], SETTINGS)
    if not lacking and "own" in header:
        lacking = _lacking(header["own"], OWN)
    if lacking:
        raise InputError(
            f"{path} is not a model file of this project (its header lacks {lacking[0]}): {rebuild(path)}"
        )


def _lacking(entries: object, kinds: Mapping[str, Any]) -> list[str]:
    """List the keys that are missing, or whose values are of another kind."""
    if not isinstance(entries, dict):
        return list(kinds)
    return [key for key, kind in kinds.items() if key not in entries or not isinstance(entries[key], kind)]


def check_code(path: Path | str, header: dict, code: str | None) -> None:
    """Raise InputError for a model file whose header names a user function other than `code`.

    The header is data: a function that it names runs only if the config, or the caller, names it as well.
    """
    _check_header(path, header)
    named = header.get("own", header.get("settings", {})).get("build")
    if named not in (None, code):
        known = f"only {code} is allowed here" if code else "none is allowed here"
        raise InputError(
            f"{path}: its header asks to run {named}, but {known}: code runs only if the config names it;"
            ' let the workflow rebuild the file, or add `"code": "file.py:function"` to --asked'
        )


def load_model(path: Path | str, device: torch.device | str = "cpu") -> tuple[nn.Module, dict]:
    """Load (network in evaluation mode, header) from a model file.

    The header holds `settings`, `image_shape` and `classes`. Raises InputError if the weights do not fit the
    network that the header describes, naming the first difference.
    """
    state, header = load_state(path)
    return rebuilt(path, state, header).to(device), header


def rebuilt(
    path: Path | str, state: dict[str, torch.Tensor], header: dict, code: str | None = None
) -> nn.Module:
    """Rebuild the network that `load_state` read from `path`, in evaluation mode; InputError as `load_model`.

    code: the user's function that builds it, file.py:function, unless it is a built-in model.
    """
    check_code(path, header, code)
    try:
        model = build(header["settings"], tuple(header["image_shape"]), header["classes"])
        model.load_state_dict(state)
    except (KeyError, RuntimeError) as error:
        first = [line.strip() for line in str(error).splitlines()][:2][-1]
        raise InputError(f"{path}: weights and architecture do not fit ({first}): {rebuild(path)}") from error
    return model.eval().requires_grad_(False)
