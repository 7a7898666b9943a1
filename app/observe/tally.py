"""Counts of the customers that one version scored."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from prometheus_client import Counter, Histogram

from app.observe.counts import Counts, count
from app.request.warnings import Warnings
from model.predictor import Predictions

_MANY: Final = 256  # rows of a batch that is counted at once, in the thread that scored it


@dataclass(frozen=True)
class Tally:
    """Notes predictions and counts many together: one by one, counting would cost more than scoring.

    Attributes:
        warnings: holds the ranges of the numbers.
        missing: a counter for each of the numbers and categories that `warnings` names.
        outside: for each of its numbers.
        unknown: for each of its categories.
    """

    warnings: Warnings
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
        self.add(count(self.warnings, batches))

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
