"""The metrics of probabilities for the tables, and the curves for the report."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

Floats = NDArray[np.float64]
Points = tuple[tuple[float, float], ...]

N_BINS: Final = 10  # of equal count, for the calibration error and curve
N_BARS: Final = 20  # of equal width, for the histogram
MAX_POINTS: Final = 200


@dataclass(frozen=True)
class Metrics:
    """Measures of N probabilities against N labels.

    Attributes:
        n, positives: labels, and those that are 1.
        base_rate: positives / n.
        auc: area under the ROC curve; None where only one class is present.
        average_precision: area under the precision-recall steps; None likewise.
        log_loss: mean negative log-likelihood, nats; probabilities are clipped by the machine epsilon.
        brier: mean squared error of the probability.
        calibration_error: mean of |mean probability - share of positives| over 10 bins of equal
            count, weighted by count; equal probabilities share a bin.
        lift_at_10: share of positives among the 10 % with the highest probabilities, over the base
            rate; ties at the border count by their expected share. None without positives.
    """

    n: int
    positives: int
    base_rate: float
    auc: float | None
    average_precision: float | None
    log_loss: float
    brier: float
    calibration_error: float
    lift_at_10: float | None


@dataclass(frozen=True)
class CalibrationBin:
    """Customers of similar probability: their mean probability, share of positives, and count."""

    probability: float
    observed: float
    count: int


@dataclass(frozen=True)
class Histogram:
    """Counts of each class between neighbouring `edges` (one more than counts) of the probability."""

    edges: tuple[float, ...]
    negatives: tuple[int, ...]
    positives: tuple[int, ...]


@dataclass(frozen=True)
class Curves:
    """Curves of at most 200 points, in the order of x; empty where the labels have one class only.

    Attributes:
        roc: (false positive rate, true positive rate).
        precision_recall: (recall, precision).
        calibration: bins of equal count, as in `Metrics.calibration_error`.
        gain: (share of customers, highest probability first; share of all positives among them).
        histogram: of the probabilities.
    """

    roc: Points
    precision_recall: Points
    calibration: tuple[CalibrationBin, ...]
    gain: Points
    histogram: Histogram


def measure(labels: Floats, probabilities: Floats) -> Metrics:
    """Measure probabilities.

    Args:
        labels: (N,) of 0 and 1, N at least 1.
        probabilities: (N,) finite, in [0, 1]; not logits.

    Raises:
        ValueError: either is something else.
    """
    y, p = checked(labels, probabilities)
    positives = int(y.sum())
    both = 0 < positives < len(y)
    return Metrics(
        n=len(y),
        positives=positives,
        base_rate=positives / len(y),
        auc=float(roc_auc_score(y, p)) if both else None,
        average_precision=float(average_precision_score(y, p)) if both else None,
        log_loss=float(log_loss(y, p, labels=[0, 1])),
        brier=float(brier_score_loss(y, p, labels=[0, 1])),
        calibration_error=sum(b.count * abs(b.probability - b.observed) for b in _calibration(y, p)) / len(y),
        lift_at_10=float(np.interp(0.1, *_gain(y, p))) / 0.1 if positives else None,
    )


def base_rate_metrics(labels: Floats, base_rate: float) -> Metrics:
    """Measure the training base rate as the probability of every row."""
    return measure(labels, np.full(len(labels), base_rate))


def curves(labels: Floats, probabilities: Floats) -> Curves:
    """Return the curves of a report; arguments and errors as in `measure`."""
    y, p = checked(labels, probabilities)
    roc, precision_recall = _both_class_curves(y, p) if 0 < y.sum() < len(y) else ((), ())
    return Curves(
        roc=roc,
        precision_recall=precision_recall,
        calibration=_calibration(y, p),
        gain=_thin(*_gain(y, p)) if y.any() else (),
        histogram=_histogram(y, p),
    )


def _both_class_curves(y: Floats, p: Floats) -> tuple[Points, Points]:
    false_positives, true_positives, _ = roc_curve(y, p)
    precision, recall, _ = precision_recall_curve(y, p)
    return _thin(false_positives, true_positives), _thin(recall[::-1], precision[::-1])


def checked(labels: Floats, probabilities: Floats) -> tuple[Floats, Floats]:
    """Return both as float64; a ValueError where `measure` refuses them."""
    if labels.shape != probabilities.shape or labels.ndim != 1 or not len(labels):
        shapes = f"{labels.shape} and {probabilities.shape}"
        raise ValueError(f"labels and probabilities must be of one shape (N,) with N > 0, got {shapes}")
    if (bad := (labels != 0) & (labels != 1)).any():
        raise ValueError(f"labels must be 0 or 1, got {labels[bad][0]}. Leave out rows without a label.")
    if (bad := ~((probabilities >= 0) & (probabilities <= 1))).any():
        raise ValueError(f"probabilities must be in [0, 1], got {probabilities[bad][0]}. Do not pass logits.")
    return labels.astype(np.float64), probabilities.astype(np.float64)


def _calibration(y: Floats, p: Floats) -> tuple[CalibrationBin, ...]:
    _, inverse, counts = np.unique(p, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2  # mean rank of equal probabilities
    bins = (middle * N_BINS / len(p)).astype(np.int64)[inverse]
    count = np.bincount(bins)
    used = count > 0
    probability, observed = (np.bincount(bins, values)[used] / count[used] for values in (p, y))
    rows = zip(probability.tolist(), observed.tolist(), count[used].tolist(), strict=True)
    return tuple(CalibrationBin(*row) for row in rows)


def _gain(y: Floats, p: Floats) -> tuple[Floats, Floats]:
    """Shares of all rows and of the positives from the highest probability down, at each distinct one.

    They are interpolated linearly, which is the expectation over the order of equal probabilities.
    """
    _, inverse, counts = np.unique(-p, return_inverse=True, return_counts=True)
    rows = np.cumsum(counts) / len(p)
    found = np.cumsum(np.bincount(inverse, y)) / y.sum()
    return np.insert(rows, 0, 0.0), np.insert(found, 0, 0.0)


def _histogram(y: Floats, p: Floats) -> Histogram:
    edges = np.linspace(0, float(p.max()) or 1.0, N_BARS + 1)
    negatives, positives = (np.histogram(p[y == side], edges)[0].tolist() for side in (0, 1))
    return Histogram(tuple(edges.tolist()), tuple(negatives), tuple(positives))


def _thin(x: Floats, y: Floats) -> Points:
    """At most MAX_POINTS of the points, evenly along the curve, with both ends."""
    if len(x) <= MAX_POINTS:
        return tuple(zip(x.tolist(), y.tolist(), strict=True))
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    chosen = np.unique(np.searchsorted(length, np.linspace(0, length[-1], MAX_POINTS)))
    return tuple(zip(x[chosen].tolist(), y[chosen].tolist(), strict=True))
