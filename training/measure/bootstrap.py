"""Intervals of metrics by a bootstrap over customers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from training.measure.metrics import N_BINS, checked

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MEASURED: Final = ("auc", "average_precision", "log_loss", "brier", "calibration_error", "lift_at_10")
RESAMPLES: Final = 500
A_FEW: Final = 5  # undefined resamples above which an interval is None
_ENDS: Final = (2.5, 97.5)  # percentiles
_CELLS: Final = 2**18  # resamples x rows in one pass: arrays of 2 MB fit the cache


@dataclass(frozen=True)
class Difference:
    """A measure of the second model minus that of the first, in the measure's own unit.

    Attributes:
        value: on the full sample; None where one of its classes is missing and the measure needs it.
        low, high: the 95 % interval; None with too few customers.
    """

    value: float | None
    low: float | None
    high: float | None


def interval_text(low: float | None, high: float | None) -> str:
    """Spell the 95 % interval of a difference."""
    if low is None or high is None:
        return "too few customers for an interval"
    return f"95 % interval {low:+.4f} to {high:+.4f}"


@dataclass(frozen=True)
class _Ranked:
    """Rows from the highest probability down; rows of equal probability are one of U ranks.

    Attributes:
        cells: (2 U, N) one-hot: the rank of each negative row, and U more for a positive one.
        probabilities: (U,) float64, falling.
        losses: (2, U) log loss of a rank's negatives and of its positives, nats.
    """

    cells: csr_array
    probabilities: Floats
    losses: Floats


def weighted_measures(labels: Floats, probabilities: Floats, weights: Floats) -> dict[str, Floats]:
    """Return the measures of `metrics.measure` for B weightings of the same rows.

    Args:
        labels: (N,) of 0 and 1.
        probabilities: (N,) in [0, 1].
        weights: (B, N) the number of times that each row counts, 0 or more.

    Returns:
        (B,) float64 of each measure in `MEASURED`; NaN where `measure` gives None, or a weighting has no row.

    Raises:
        ValueError: weights have another shape.
    """
    if weights.ndim != 2 or weights.shape[1:] != labels.shape:
        raise ValueError(f"weights must be (B, N) for labels (N,), got {weights.shape} and {labels.shape}")
    some = weights.any(axis=1)
    found = {name: np.full(len(weights), np.nan) for name in MEASURED}
    for name, values in _measures(_rank(labels, probabilities), weights[some]).items():
        found[name][some] = values
    return found


def resample_counts(groups: Integers, *, seed: int, n: int = RESAMPLES) -> Iterator[Floats]:
    """Draw as many customers as there are, with replacement, n times over.

    All rows of a customer are drawn together (cluster bootstrap: Davison & Hinkley 1997, section 3.8). They
    are alike, so drawing them separately would make intervals too narrow.

    Args:
        groups: (N,) customer of each row, any integers.
        seed: the same seed draws the same customers.

    Yields:
        (b, N) float64 number of times that the customer of each row was drawn; the b add up to n.
    """
    rng = np.random.default_rng(seed)
    values, customer = np.unique(groups, return_inverse=True)
    customers = len(values)
    step = max(1, _CELLS // len(groups))
    for first in range(0, n, step):
        b = min(step, n - first)
        drawn = rng.integers(customers, size=(b, customers)) + customers * np.arange(b)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=b * customers).reshape(b, customers)
        yield counts.astype(np.float64)[:, customer]


def intervals(
    labels: Floats, probabilities: Floats, groups: Integers, *, seed: int = 0
) -> dict[str, tuple[float, float] | None]:
    """Return 95 % percentile intervals of the measures in `MEASURED` (Efron & Tibshirani 1993, 13.3).

    An interval always includes the measure of the full sample. Noise adds to a calibration error, and again
    in a resample, so most resamples may be above the measure (Kumar et al. 2019, "Verified uncertainty
    calibration"); the interval then starts at the measure. So the interval of a calibration error stays above
    0 even for correct probabilities.

    Args:
        labels, probabilities: as in `metrics.measure`.
        groups: (N,) customer of each row.
        seed: of the resamples.

    Returns:
        (low, high) in the measure's own unit; None with a single customer, and where more than `A_FEW` of
        the `RESAMPLES` lack a class that the measure needs.

    Raises:
        ValueError: as in `metrics.measure`, or groups have another shape.
    """
    ranked, value = _ranked(labels, probabilities, groups)
    parts = [_measures(ranked, weights) for weights in resample_counts(groups, seed=seed)]
    return {
        name: percentile_interval(groups, value[name], [part[name] for part in parts]) for name in MEASURED
    }


def paired_differences(
    labels: Floats,
    first: Floats,
    second: Floats,
    groups: Integers,
    *,
    seed: int = 0,
    names: Sequence[str] = MEASURED,
) -> dict[str, Difference]:
    """Return the differences between two models, measured on the same resamples (paired bootstrap).

    Customers that are hard for one model are hard for the other, so the interval of a difference is narrower
    than that of either measure (Efron & Tibshirani 1993, chapter 8).

    Args:
        labels: (N,) of 0 and 1.
        first, second: (N,) probabilities of the same rows.
        groups: (N,) customer of each row.
        seed: of the resamples.
        names: some of `MEASURED`.

    Returns:
        Second minus first of each named measure; intervals as in `intervals`.

    Raises:
        ValueError: as in `intervals`.
    """
    one, before = _ranked(labels, first, groups)
    other, after = _ranked(labels, second, groups)
    pairs = [
        (_measures(one, weights, names), _measures(other, weights, names))
        for weights in resample_counts(groups, seed=seed)
    ]
    return {
        name: _difference(groups, before[name], after[name], [b[name] - a[name] for a, b in pairs])
        for name in names
    }


def percentile_interval(
    groups: Integers, value: float | None, parts: list[Floats]
) -> tuple[float, float] | None:
    """Return the ends of the 95 % interval of a measure with `value`, as `intervals` does, from resamples."""
    resampled = np.concatenate(parts)
    defined = resampled[~np.isnan(resampled)]
    if value is None or len(resampled) - len(defined) > A_FEW or (groups == groups[0]).all():
        return None
    low, high = np.percentile(defined, _ENDS).tolist()
    return min(low, value), max(high, value)


def _ranked(
    labels: Floats, probabilities: Floats, groups: Integers
) -> tuple[_Ranked, dict[str, float | None]]:
    """The rows in their order, and their measures; None where `measure` gives None."""
    ranked = _rank(*checked(labels, probabilities))
    if groups.shape != labels.shape:
        raise ValueError(
            f"groups must have one customer for each label, got {groups.shape} and {labels.shape}."
        )
    found = {name: float(values[0]) for name, values in _measures(ranked, np.ones((1, len(labels)))).items()}
    return ranked, {name: None if np.isnan(value) else value for name, value in found.items()}


def _difference(
    groups: Integers, before: float | None, after: float | None, parts: list[Floats]
) -> Difference:
    value = None if before is None or after is None else after - before
    low, high = percentile_interval(groups, value, parts) or (None, None)
    return Difference(value, low, high)


def _rank(labels: Floats, probabilities: Floats) -> _Ranked:
    rising, rank = np.unique(probabilities.astype(np.float64), return_inverse=True)
    N, U, p = len(labels), len(rising), rising[::-1]
    cell = U - 1 - rank + U * (labels > 0)
    cells = csr_array((np.ones(N), (cell, np.arange(N))), shape=(2 * U, N))
    least = np.finfo(np.float64).eps
    return _Ranked(cells, p, -np.log(np.clip([1 - p, p], least, 1 - least)))


def _measures(ranked: _Ranked, weights: Floats, names: Sequence[str] = MEASURED) -> dict[str, Floats]:
    """Measures from the weight of each rank's negatives and of its positives, both (B, U)."""
    negatives, positives = np.split(np.ascontiguousarray((ranked.cells @ weights.T).T), 2, axis=1)
    rows = negatives + positives
    seen, found = np.cumsum(rows, axis=1), np.cumsum(positives, axis=1)
    total, all_positives = seen[:, -1], found[:, -1]
    p, (loss_of_negative, loss_of_positive) = ranked.probabilities, ranked.losses
    measures: dict[str, Callable[[], Floats]] = {
        "auc": lambda: _auc(negatives, positives, found),
        "average_precision": lambda: _average_precision(positives, seen, found),
        "log_loss": lambda: (negatives @ loss_of_negative + positives @ loss_of_positive) / total,
        "brier": lambda: (negatives @ p**2 + positives @ (1 - p) ** 2) / total,
        "calibration_error": lambda: _calibration_error(rows, seen, rows * p - positives) / total,
        "lift_at_10": lambda: _found_at(total / 10, seen, found) / all_positives / 0.1,
    }
    with np.errstate(invalid="ignore"):  # 0 / 0 where a class is missing gives NaN
        return {name: measures[name]() for name in names}


def _auc(negatives: Floats, positives: Floats, found: Floats) -> Floats:
    """Share of pairs of both classes in the right order, a tie counting half (Mann & Whitney 1947)."""
    right = np.vecdot(negatives, found) - np.vecdot(negatives, positives) / 2
    share: Floats = right / (negatives.sum(axis=1) * found[:, -1])
    return share


def _average_precision(positives: Floats, seen: Floats, found: Floats) -> Floats:
    precision = found / np.maximum(seen, np.finfo(np.float64).tiny)  # no rows yet, no positives
    both = found[:, -1] < seen[:, -1]
    return np.where(both, np.vecdot(positives, precision) / found[:, -1], np.nan)


def _calibration_error(rows: Floats, seen: Floats, excess: Floats) -> Floats:
    """Sum over bins of |excess|, expected minus true positives; the middle of a rank gives its bin."""
    B = len(rows)
    total = seen[:, -1:]
    middle = total - seen + rows / 2  # counted from the lowest probability, as `measure` does
    bins = (middle * N_BINS / total).astype(np.int64)
    bins += (N_BINS + 1) * np.arange(B)[:, None]  # one more for ranks without weight above all others
    sums = np.bincount(bins.ravel(), excess.ravel(), minlength=B * (N_BINS + 1))
    error: Floats = np.abs(sums.reshape(B, -1)).sum(axis=1)
    return error


def _found_at(places: Floats, seen: Floats, found: Floats) -> Floats:
    """Positives in the first (B,) places; the rank at the border counts by its expected share."""
    border = (seen < places[:, None]).sum(axis=1)
    resample = np.arange(len(seen))
    seen_before, found_before = (np.where(border, x[resample, border - 1], 0.0) for x in (seen, found))
    seen_after, found_after = seen[resample, border], found[resample, border]
    share = (places - seen_before) / (seen_after - seen_before)
    expected: Floats = found_before + share * (found_after - found_before)
    return expected
