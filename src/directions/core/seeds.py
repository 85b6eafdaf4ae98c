"""Named random streams: every source of randomness has a name and can be varied alone (D11).

`stream("labels", seed)` is a NumPy generator, `torch_stream(...)` a PyTorch one on the CPU or a GPU.
The global generators are never touched, except by dropout (see train.py), which uses no other.
"""

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # label corruption and the workflow's parsing need streams, not 2 s of importing torch
    import torch


def number(*key: object) -> int:
    """Derive a seed from a key, e.g. `number("dropout", seed, epoch)`; it fits a signed 64-bit int."""
    digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def stream(*key: object) -> np.random.Generator:
    """Create the NumPy generator of one source of randomness, e.g. `stream("labels", seed)`."""
    return np.random.Generator(np.random.PCG64(number(*key)))


def torch_stream(*key: object, device: str = "cpu") -> "torch.Generator":
    """Create the PyTorch generator of a stream, e.g. `torch_stream("order", seed, epoch)`."""
    import torch

    return torch.Generator(device=device).manual_seed(number(*key))
