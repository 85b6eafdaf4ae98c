"""Files by torch.save from strangers: only tensors and plain values are unpickled."""

import pickle
import warnings
from pathlib import Path

import torch

from directions.core.errors import InputError

# Errors of torch.load for a file that is truncated, or not in its format.
BROKEN = (
    OSError, RuntimeError, EOFError, ValueError, LookupError, TypeError, AttributeError,
    pickle.UnpicklingError,
)  # fmt: skip


def unpickled(path: Path, wanted: str, saving: str) -> object:
    """Return the content of a torch.save file of tensors and plain values; nothing else is unpickled.

    wanted, saving: for messages, what was to be read, and what a file with pickled objects holds. Raises
    InputError without PyTorch's own message, which advises to let the file run code.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # more of PyTorch's advice
            return torch.load(path, map_location="cpu", weights_only=True)
    except BROKEN as error:
        if "GLOBAL" in str(error):  # it refers to a class: a whole network, or an optimizer, was saved
            raise InputError(f"{path} holds {saving}") from None
        raise InputError(f"{path} cannot be read as {wanted} ({reason(error)})") from None


def reason(error: Exception) -> str:
    """Return the type and first line of an error, without PyTorch's advice on files that could run code."""
    line = (str(error).splitlines() or [""])[0]
    if any(word in line for word in ("weights_only", "Weights only", "allow_pickle")):
        line = "truncated, or in a format that could run code, which is never read"
    return f"{type(error).__name__}: {line}".removesuffix(": ")
