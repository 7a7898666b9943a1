"""Exact Shapley values (Shapley 1953) of groups of inputs, from the values of all their coalitions."""

from functools import lru_cache
from math import factorial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def coalitions(n_groups: int) -> NDArray[np.bool_]:
    """(2^G, G) which groups are in each coalition: the first has none, the last all."""
    inside: NDArray[np.bool_] = (np.arange(1 << n_groups)[:, None] >> np.arange(n_groups) & 1).astype(bool)
    return inside


def shapley_values(values: Floats) -> Floats:
    """(n, G) shares of each group in the last of (n, 2^G) values minus the first, to which they sum.

    Args:
        values: of each of n customers in the order of `coalitions`.
    """
    shares: Floats = values @ _weights(values.shape[1].bit_length() - 1)
    return shares


@lru_cache
def _weights(n_groups: int) -> Floats:
    """(2^G, G): a group's share is the mean over all orders of what it adds to the groups before it."""
    inside = coalitions(n_groups)
    size = inside.sum(axis=1)
    orders = np.array([factorial(k) * factorial(n_groups - 1 - k) for k in range(n_groups)], dtype=np.float64)
    orders /= factorial(n_groups)
    joined, left = orders[size - 1], orders[np.minimum(size, n_groups - 1)]
    weights: Floats = np.where(inside, joined[:, None], -left[:, None])
    return weights
