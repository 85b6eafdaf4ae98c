"""Bounds on the generalisation gap by information about which examples were trained on (f-CMI).

Harutyunyan et al. 2021. A supersample has n pairs of examples, and a coin for each pair chooses the one that
is trained on. For a loss between 0 and 1, the expected gap between test and training loss is at most
(1/n) sum_i sqrt(2 I(U_i; J_i)), in nats, with J_i the coin of pair i and U_i what the trained network does
with the pair: its two predictions or, less, the difference of the two losses, on which alone the gap depends.
"""

import numpy as np
from scipy.special import rel_entr


def information(done: np.ndarray, coins: np.ndarray) -> np.ndarray:
    """Estimate I(U_i; J_i) of each pair in nats, from the frequencies among the splits: (pairs,).

    done: what the network does with each pair, whole numbers from 0 (splits, pairs). coins: 0 or 1, likewise.
    """
    cells = 2 * done + coins
    counts = (cells[..., None] == np.arange(2 * (done.max() + 1))).mean(0)  # (pairs, cells)
    joint = counts.reshape(len(counts), -1, 2)
    return rel_entr(joint, joint.sum(1, keepdims=True) * joint.sum(2, keepdims=True)).sum((1, 2))


def bound(done: np.ndarray, coins: np.ndarray) -> float:
    """Compute the bound, from 0 to sqrt(2 ln 2) = 1.18; see `information`.

    Few splits make it too large, the more so the more different things a network does.
    """
    return float(np.sqrt(2 * information(done, coins).clip(min=0)).mean())


def null_bound(done: np.ndarray, coins: np.ndarray, shuffles: int, random: np.random.Generator) -> float:
    """Average the bound over random permutations of each pair's coins: what chance alone makes of it."""
    return float(np.mean([bound(done, random.permuted(coins, axis=0)) for _ in range(shuffles)]))
