"""A column as the probes read it, with the AUC of the column alone, beside the outcomes of the rows."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from model.values.columns import Column, Numbers, Texts, absent, as_booleans, as_categories, as_numbers
from training.question.labels import Bools
from training.schema.kinds import Kind
from training.split.deal import deal_folds

FEWEST: Final = 10  # rows of each outcome that an AUC needs
FOLDS: Final = 5
_SMOOTHING: Final = 5.0  # rows at the base rate that are added to every code
_RANGES: Final = 32

Codes = NDArray[np.integer]


@dataclass(frozen=True)
class Outcomes:
    """The outcomes of N rows.

    Attributes:
        positive: (N,) bool.
        groups: (N,) int64, the number of the customer.
        folds: (N,) int64, the fold of the row; a customer is in one fold.
    """

    positive: Bools
    groups: NDArray[np.int64]
    folds: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.positive)

    @property
    def are_enough(self) -> bool:
        """Whether there are enough rows of each outcome for an AUC."""
        return FEWEST <= int(self.positive.sum()) <= len(self) - FEWEST

    def n_groups(self, rows: Bools) -> int:
        """Return the number of customers of some rows."""
        return len(np.unique(self.groups[rows]))


@dataclass(frozen=True)
class Feature:
    """One column.

    Attributes:
        values: read as its kind: (N,) float64 with NaN where missing, or texts; of a date the days before
            the cutoff, negative after it.
        filled: (N,) bool, whether there is a value.
        aggregate: whether it is computed from a history.
        auc: of the column alone.
        auc_error: an upper bound of the standard error.
    """

    name: str
    kind: Kind
    values: Column
    filled: Bools
    aggregate: bool
    auc: float
    auc_error: float

    @property
    def sure_auc(self) -> float:
        """The AUC minus its standard error."""
        return self.auc - self.auc_error


def sample(rows: NDArray[np.int64], most: int, seed: int) -> NDArray[np.int64]:
    """Return all rows, or a random sample of `most` of them, in order."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False, shuffle=False))


def random_folds(
    groups: NDArray[np.int64], positive: Bools, *, seed: int, n: int = FOLDS
) -> NDArray[np.int64]:
    """Return (N,) random folds of whole groups, with the positives spread evenly."""
    places = np.random.default_rng(seed).random(len(positive))
    return deal_folds(groups, positive.astype(np.int64), n, places)


def read_feature(name: str, column: Column, kind: Kind, outcomes: Outcomes, *, aggregate: bool) -> Feature:
    """Read a raw column as its kind, and measure its AUC. A date comes as its age in days."""
    values = _read(column, kind)
    filled = ~absent(values)
    alone = _auc_alone(values, outcomes)
    return Feature(name, kind, values, filled, aggregate, alone, auc_error(alone, outcomes.positive))


def _read(column: Column, kind: Kind) -> Column:
    if kind == "categorical":
        return as_categories(column)
    return as_booleans(column) if kind == "boolean" else as_numbers(column)


def _auc_alone(values: Column, outcomes: Outcomes) -> float:
    if isinstance(values, Texts):
        return auc_of_codes(values.codes, outcomes.positive, outcomes.folds)
    return auc_of_numbers(values, outcomes.positive, outcomes.folds)


def auc(scores: Numbers, positive: Bools) -> float:
    """Return the AUC of N scores without missing values; 0.5 where there is one outcome only."""
    n_positive = int(positive.sum())
    pairs = n_positive * (len(positive) - n_positive)
    if not pairs:
        return 0.5
    rank_sum = float(rankdata(scores)[positive].sum())
    return (rank_sum - n_positive * (n_positive + 1) / 2) / pairs


def auc_error(value: float, positive: Bools) -> float:
    """Return an upper bound of the standard error of an AUC (Birnbaum and Klose 1957)."""
    fewer = min(int(positive.sum()), int((~positive).sum()))
    return float(np.sqrt(value * (1 - value) / max(fewer, 1)))


def auc_of_numbers(values: Numbers, positive: Bools, folds: NDArray[np.int64]) -> float:
    """Return the AUC of a column of numbers: the best of ascending order, descending order and ranges.

    Missing numbers (NaN) are tried below and above all others. Ranges find an effect in the middle or at one
    value: the score of a range is its share of positives in the other folds.
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
    """Return the AUC of a column of codes (-1 missing).

    The score of a row is the smoothed share of positives of its code in the other folds.
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
    """The values to try for missing numbers."""
    return (-np.inf,) if known.all() else (-np.inf, np.inf)
