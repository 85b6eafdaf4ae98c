"""Spearman's rank correlation: plain, within groups, and for many bootstrap draws with a single sort."""

import numpy as np
from scipy.stats import rankdata

Sum = np.ndarray | float


class Untestable(Exception):
    """The study lacks what the statistic needs; the message says what, for a table's `note` column."""


def spearman(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Compute Spearman's rank correlation along the last axis with mean ranks for ties: (..., n) -> (...).

    Raises Untestable if all values are equal, since ranks are then undefined.
    """
    found = correlate([(x, y)])
    if np.isnan(found).any():
        raise Untestable("all values are equal, so there is no rank correlation")
    return found


def correlate(pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Compute the rank correlation within groups: `pairs` holds one (x, y), each (..., n), per group.

    Ranks are taken within each group relative to its size, so the result is the mean of the groups' Spearman
    correlations, weighted by size. NaN marks draws in which no group varies; bootstraps skip them.
    """
    product: Sum = 0.0
    squares: list[Sum] = [0.0, 0.0]
    for pair in pairs:
        size = pair[0].shape[-1]
        a, b = ((rankdata(values, axis=-1) - (size + 1) / 2) / size for values in pair)
        product = product + (a * b).sum(-1)
        squares = [total + (rank * rank).sum(-1) for total, rank in zip(squares, (a, b), strict=True)]
    return _ratio(product, *squares)


def correlate_drawn(x: np.ndarray, y: np.ndarray, groups: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Do the same for draws with replacement: value i of x, y, groups (n,) is drawn counts[:, i] times.

    (draws, n) -> (draws,). Values are sorted once for all draws, which makes it fast.
    """
    product: Sum = 0.0
    squares: list[Sum] = [0.0, 0.0]
    for group in np.unique(groups):
        inside = np.flatnonzero(groups == group)
        inside = inside[np.argsort(x[inside], kind="stable")]
        drawn = np.ascontiguousarray(counts.T[inside])  # (n, draws): whole rows are moved and summed
        size = np.maximum(drawn.sum(0), 1)
        a, b = (_centred(values[inside], drawn, size) for values in (x, y))
        weighted = a * drawn
        product = product + _dot(weighted, b)
        b_weighted = np.multiply(b, drawn, out=drawn) if drawn.dtype == b.dtype else b * drawn
        squares = [squares[0] + _dot(weighted, a), squares[1] + _dot(b_weighted, b)]
    return _ratio(product, *squares)


def highest_rank(values: np.ndarray, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Count drawn values at most equal to each value, and exactly equal, both (n, draws) like `drawn`."""
    order = np.argsort(values, kind="stable")
    in_order = bool(np.all(order == np.arange(len(order))))
    sorted_values = values[order]
    sorted_counts = drawn if in_order else drawn[order]
    first = np.flatnonzero(np.r_[True, sorted_values[1:] != sorted_values[:-1]])
    equal = sorted_counts if len(first) == len(values) else np.add.reduceat(sorted_counts, first, axis=0)
    highest = np.cumsum(equal, axis=0)
    if len(first) == len(values) and in_order:
        return highest, equal
    place = np.empty(len(values), int)
    place[order] = np.repeat(np.arange(len(first)), np.diff(np.r_[first, len(values)]))
    return highest[place], equal[place]


def _centred(values: np.ndarray, drawn: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Compute ranks (mean rank for ties) minus their mean, divided by the number drawn: (n, draws)."""
    highest, equal = highest_rank(values, drawn)
    ranks = highest - equal / 2  # the mean rank of ties, minus a half
    ranks -= size / 2
    ranks /= size
    return ranks


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("nd,nd->d", a, b)


def _ratio(product: Sum, x_square: Sum, y_square: Sum) -> np.ndarray:
    scale = np.sqrt(np.asarray(x_square) * y_square)
    constant = scale <= 1e-12
    return np.where(constant, np.nan, product / np.where(constant, 1.0, scale))
