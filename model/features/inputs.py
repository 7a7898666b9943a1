"""Network inputs: examples encoded once into flat arrays.

A sequence is one row per event (or per step of a wide series), shared by all examples of a customer. Only
the age before the cutoff is computed for each batch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Steps:
    """Sequences of N examples over E shared rows.

    Attributes:
        numbers: (E, S) float32; NaN missing.
        categories: (E, T) int64 codes.
        starts, ends: (N,) int64, each example's rows.
        ages: of events, the (E,) times and the (N,) cutoffs in float64 days; None for a series.
    """

    numbers: NDArray[np.float32]
    categories: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    ages: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    def take(self, rows: NDArray[np.int64]) -> "Steps":
        """Return the sequences at some positions."""
        ages = (self.ages[0], self.ages[1][rows]) if self.ages else None
        return Steps(self.numbers, self.categories, self.starts[rows], self.ends[rows], ages)


@dataclass(frozen=True)
class Inputs:
    """Network inputs of N examples.

    Attributes:
        numeric: (N, D) float32, scaled; NaN missing: columns, history aggregates, rates of categories.
        categories: (N, C) int64 codes: 0 missing, 1 unknown; then codes of repeated numbers.
        steps: the sequences; None where the head reads none.
    """

    numeric: NDArray[np.float32]
    categories: NDArray[np.int64]
    steps: Steps | None = None

    def __len__(self) -> int:
        return len(self.numeric)

    def take(self, rows: NDArray[np.int64]) -> "Inputs":
        """Return the examples at some positions."""
        return Inputs(self.numeric[rows], self.categories[rows], self.steps and self.steps.take(rows))
