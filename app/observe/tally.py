"""What is counted of the customers that one version scored."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from prometheus_client import Counter, Histogram

from app.request.warnings import Warn
from model.predictor import Predictions

_MISSING, _UNKNOWN = 0, 1  # codes
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
        probabilities = np.concatenate([batch.probabilities for batch in batches])[:, -1]
        numeric = np.concatenate([batch.numeric for batch in batches])[:, : len(self.outside)]
        codes = np.concatenate([batch.categories for batch in batches])[:, : len(self.unknown)]
        self.predictions.inc(len(probabilities))
        observe(self.scores, probabilities)
        observe(self.batches, [len(batch.probabilities) for batch in batches])
        absent = np.concatenate([np.isnan(numeric).sum(axis=0), (codes == _MISSING).sum(axis=0)])
        _increase(self.missing, absent)
        _increase(self.outside, ((numeric < self.warn.low) | (numeric > self.warn.high)).sum(axis=0))
        _increase(self.unknown, (codes == _UNKNOWN).sum(axis=0))


def observe(histogram: Histogram, values: Sequence[float] | NDArray[np.float64]) -> None:
    """`histogram.observe` of many values; prometheus_client offers it for one."""
    places = np.searchsorted(histogram._upper_bounds, values)  # bounds are upper and inclusive
    counts = np.bincount(places, minlength=len(histogram._buckets))
    histogram._sum.inc(float(np.sum(values)))
    for place in np.flatnonzero(counts).tolist():
        histogram._buckets[place].inc(float(counts[place]))


def _increase(counters: Sequence[Counter], by: NDArray[np.int64]) -> None:
    for place in np.flatnonzero(by).tolist():
        counters[place].inc(float(by[place]))
