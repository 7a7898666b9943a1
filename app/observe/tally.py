"""What metrics count of scored customers: sums as plain numbers, and the metrics of one version."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from prometheus_client import Counter, Histogram

from model.features.scaling import Ranges
from model.predictor import Predictions

TENTHS: Final = tuple(tenth / 10 for tenth in range(1, 11))
_MISSING: Final = 0  # the code of a category
_MANY: Final = 256  # rows of a batch that is counted at once, in the thread that scored it


@dataclass
class Counts:
    """Sums over batches of scored customers.

    Attributes:
        batches: rows of each batch.
        scores: probabilities by the longest horizon: of each tenth, then beyond the last.
        total: their sum.
        missing: missing values of each number, then of each category.
        outside: of each number, values beyond those of training.
        unknown: of each category, values that training never saw.
    """

    batches: list[int] = field(default_factory=list)
    scores: list[int] = field(default_factory=list)
    total: float = 0.0
    missing: list[int] = field(default_factory=list)
    outside: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)

    def add(self, more: "Counts") -> None:
        """Add the sums of further batches."""
        self.batches += more.batches
        self.total += more.total
        for name in ("scores", "missing", "outside", "unknown"):
            own, theirs = getattr(self, name), getattr(more, name)
            setattr(self, name, [a + b for a, b in zip(own, theirs, strict=True)] if own else theirs)


def count(ranges: Ranges, batches: Sequence[Predictions]) -> Counts:
    """Count some batches, of at least one row together.

    Args:
        ranges: of training.
    """
    probabilities = np.concatenate([batch.probabilities for batch in batches])[:, -1]
    numeric = np.concatenate([batch.numeric for batch in batches])[:, : len(ranges.numbers)]
    codes = np.concatenate([batch.categories for batch in batches])[:, : len(ranges.categories)]
    absent = np.concatenate([np.isnan(numeric).sum(axis=0), (codes == _MISSING).sum(axis=0)])
    tenths = np.searchsorted(TENTHS, probabilities)  # their upper bounds are inclusive
    return Counts(
        [len(batch.probabilities) for batch in batches],
        np.bincount(tenths, minlength=len(TENTHS) + 1).tolist(),
        float(probabilities.sum()),
        absent.tolist(),
        np.logical_or(*ranges.beyond(numeric)).sum(axis=0).tolist(),
        ranges.unknown(codes).sum(axis=0).tolist(),
    )


@dataclass(frozen=True)
class Tally:
    """Notes predictions and counts many together: one by one, counting would cost more than scoring.

    Attributes:
        ranges: of training.
        missing: a counter for each of the numbers and categories that `ranges` names.
        outside: for each of its numbers.
        unknown: for each of its categories.
    """

    ranges: Ranges
    predictions: Counter
    batches: Histogram
    scores: Histogram
    missing: Sequence[Counter]
    outside: Sequence[Counter]
    unknown: Sequence[Counter]
    _noted: "deque[Predictions]" = field(default_factory=deque)

    def __call__(self, scored: Predictions) -> None:
        """Note one batch, from any thread."""
        if len(scored.probabilities) < _MANY:
            self._noted.append(scored)
        else:
            self._count([scored])

    def update(self) -> None:
        """Count the predictions noted since the last update."""
        if self._noted:
            self._count([self._noted.popleft() for _ in range(len(self._noted))])

    def _count(self, batches: Sequence[Predictions]) -> None:
        self.add(count(self.ranges, batches))

    def add(self, counts: Counts) -> None:
        """Add counts, from any thread."""
        self.predictions.inc(sum(counts.batches))
        _add(self.scores, counts.scores, counts.total)
        observe(self.batches, counts.batches)
        _increase(self.missing, counts.missing)
        _increase(self.outside, counts.outside)
        _increase(self.unknown, counts.unknown)


def observe(histogram: Histogram, values: Sequence[float]) -> None:
    """Observe many values; prometheus_client can observe one at a time only."""
    places = np.searchsorted(histogram._upper_bounds, values)  # bounds are upper and inclusive
    _add(histogram, np.bincount(places, minlength=len(histogram._buckets)).tolist(), float(np.sum(values)))


def _add(histogram: Histogram, counts: Sequence[int], total: float) -> None:
    histogram._sum.inc(total)
    _increase(histogram._buckets, counts)


def _increase(counters: Sequence[Any], by: Sequence[int]) -> None:
    for counter, more in zip(counters, by, strict=False):
        if more:
            counter.inc(more)
