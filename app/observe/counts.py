"""What metrics count of scored customers, as plain numbers that a child process can hand over."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from app.request.warnings import Warnings
from model.predictor import Predictions

TENTHS: Final = tuple(tenth / 10 for tenth in range(1, 11))
_MISSING, _UNKNOWN = 0, 1  # codes


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


def count(warnings: Warnings, batches: Sequence[Predictions]) -> Counts:
    """Count some batches, of at least one row together.

    Args:
        warnings: hold the ranges of the numbers.
    """
    probabilities = np.concatenate([batch.probabilities for batch in batches])[:, -1]
    numeric = np.concatenate([batch.numeric for batch in batches])[:, : len(warnings.numbers)]
    codes = np.concatenate([batch.categories for batch in batches])[:, : len(warnings.categories)]
    absent = np.concatenate([np.isnan(numeric).sum(axis=0), (codes == _MISSING).sum(axis=0)])
    tenths = np.searchsorted(TENTHS, probabilities)  # their upper bounds are inclusive
    return Counts(
        [len(batch.probabilities) for batch in batches],
        np.bincount(tenths, minlength=len(TENTHS) + 1).tolist(),
        float(probabilities.sum()),
        absent.tolist(),
        ((numeric < warnings.low) | (numeric > warnings.high)).sum(axis=0).tolist(),
        (codes == _UNKNOWN).sum(axis=0).tolist(),
    )
