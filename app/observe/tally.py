"""What is counted of the customers that one version scored."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from prometheus_client import Counter, Histogram

from app.observe.counts import Counts, count
from app.request.warnings import Warn
from model.predictor import Predictions

_MANY: Final = 256  # rows that are counted where they were scored, which is a thread


@dataclass(frozen=True)
class Tally:
    """Takes note of scored rows, and works up many together: one by one they would cost more than a score.

    Attributes:
        warn: knows the numbers' ranges.
        missing: a counter for each of the numbers and categories that `warn` names.
        outside: for each of its numbers.
        unknown: for each of its categories.
    """

    warn: Warn
    predictions: Counter
    batches: Histogram
    scores: Histogram
    missing: Sequence[Counter]
    outside: Sequence[Counter]
    unknown: Sequence[Counter]
    _noted: "deque[Predictions]" = field(default_factory=deque)

    def __call__(self, scored: Predictions) -> None:
        """Note one batch, in any thread."""
        if len(scored.probabilities) < _MANY:
            self._noted.append(scored)
        else:
            self._count([scored])

    def work_up(self) -> None:
        """Count what was noted."""
        if self._noted:
            self._count([self._noted.popleft() for _ in range(len(self._noted))])

    def _count(self, batches: Sequence[Predictions]) -> None:
        self.add(count(self.warn, batches))

    def add(self, counts: Counts) -> None:
        """Add what was counted elsewhere, in any thread."""
        self.predictions.inc(sum(counts.batches))
        _add(self.scores, counts.scores, counts.total)
        observe(self.batches, counts.batches)
        _increase(self.missing, counts.missing)
        _increase(self.outside, counts.outside)
        _increase(self.unknown, counts.unknown)


def observe(histogram: Histogram, values: Sequence[float]) -> None:
    """`histogram.observe` of many values; prometheus_client offers it for one."""
    places = np.searchsorted(histogram._upper_bounds, values)  # bounds are upper and inclusive
    _add(histogram, np.bincount(places, minlength=len(histogram._buckets)).tolist(), float(np.sum(values)))


def _add(histogram: Histogram, counts: Sequence[int], total: float) -> None:
    histogram._sum.inc(total)
    _increase(histogram._buckets, counts)


def _increase(counters: Sequence[Any], by: Sequence[int]) -> None:
    for counter, more in zip(counters, by, strict=False):
        if more:
            counter.inc(more)
