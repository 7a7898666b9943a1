"""How well one column alone tells the outcomes apart, as an AUC; nothing is scored by its own label."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from model.values.columns import Numbers
from training.question.labels import Bools
from training.split.split import deal

Codes = NDArray[np.integer]

_FOLDS: Final = 5
_SMOOTHING: Final = 5.0  # rows of the base rate that every code starts with
_RANGES: Final = 32


def deal_folds(
    groups: NDArray[np.int64], positive: Bools, *, seed: int, n: int = _FOLDS
) -> NDArray[np.int64]:
    """(N,) the fold of each row: whole groups, positives spread evenly."""
    places = np.random.default_rng(seed).random(len(positive))
    fold = np.empty(len(positive), dtype=np.int64)
    for number, rows in enumerate(deal(groups, positive.astype(np.int64), [1 / n] * (n - 1), places)):
        fold[rows] = number
    return fold


def auc(scores: Numbers, positive: Bools) -> float:
    """AUC of N scores without gaps; 0.5 where there is one outcome only."""
    n_positive = int(positive.sum())
    pairs = n_positive * (len(positive) - n_positive)
    if not pairs:
        return 0.5
    rank_sum = float(rankdata(scores)[positive].sum())
    return (rank_sum - n_positive * (n_positive + 1) / 2) / pairs


def auc_error(value: float, positive: Bools) -> float:
    """An upper bound of the standard error of an AUC (Birnbaum and Klose, 1957)."""
    fewer = min(int(positive.sum()), int((~positive).sum()))
    return float(np.sqrt(value * (1 - value) / max(fewer, 1)))


def auc_of_numbers(values: Numbers, positive: Bools, folds: NDArray[np.int64]) -> float:
    """AUC of a column of numbers alone: the best of its order, either way, and of its ranges.

    In the order a missing number (NaN) is tried below and above all others. Ranges find what lies in
    the middle, or at one value: each scores the share of positives that it has in other folds.
    """
    known = ~np.isnan(values)
    if not known.any():
        return 0.5
    orders = [auc(np.where(known, values, end), positive) for end in _ends(known)]
    edges = np.unique(values[known])
    if len(edges) > 2 * _RANGES:
        edges = np.unique(np.quantile(values[known], np.linspace(0, 1, _RANGES + 1)[:-1]))
    ranges = np.where(known, np.searchsorted(edges, values, side="right"), 0)
    return max(*orders, *(1 - value for value in orders), auc_of_codes(ranges, positive, folds))


def auc_of_codes(codes: Codes, positive: Bools, folds: NDArray[np.int64]) -> float:
    """AUC of a column of codes (-1 missing) alone: each row scores the share of positives that its code
    has in the other folds, smoothed, so that a code of few rows says little.
    """
    base_rate = positive.mean()
    n_codes, n_folds = int(codes.max(initial=-1)) + 2, int(folds.max(initial=0)) + 1
    cell = folds * n_codes + codes + 1
    rows = np.bincount(cell, minlength=n_codes * n_folds).reshape(n_folds, n_codes)
    hits = np.bincount(cell[positive], minlength=n_codes * n_folds).reshape(n_folds, n_codes)
    others, hits_of_others = rows.sum(axis=0) - rows, hits.sum(axis=0) - hits
    score = (hits_of_others + _SMOOTHING * base_rate) / (others + _SMOOTHING)
    return auc(score[folds, codes + 1], positive)


def _ends(known: Bools) -> tuple[float, ...]:
    """Where to put the missing numbers."""
    return (-np.inf,) if known.all() else (-np.inf, np.inf)
