"""The inputs of the tabular baselines: the numbers and codes of the network as matrices."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from model.features.encode import encode
from model.schema import Schema
from model.times import DAY
from training.fit.boosting import REST
from training.question.labels import LabelledExamples
from training.split.deal import Rows

Matrix: TypeAlias = NDArray[np.float64]
T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Sides(Generic[T]):
    """A value for each use of examples: training in folds, and test."""

    train: T
    test: T

    def map(self, change: Callable[[T], U]) -> "Sides[U]":
        """Apply a function to both sides."""
        return Sides(change(self.train), change(self.test))


@dataclass(frozen=True)
class Features:
    """The inputs of a network for N examples, without sequences.

    Attributes:
        numbers: (N, D) float32, scaled; NaN missing.
        codes: (N, C) int64; 0 missing, 1 not in the vocabulary, the others by falling frequency.
        widths: the number of codes of each of the C columns.
    """

    numbers: NDArray[np.float32]
    codes: NDArray[np.int64]
    widths: tuple[int, ...]


def read_features(
    labelled: LabelledExamples, rows: Sides[Rows], schema: Schema, *, lookback_days: int | None
) -> Sides[Features]:
    """Encode the examples of both sides in one call, since each call reads the whole log."""
    together = np.concatenate([rows.train, rows.test])
    inputs = encode(
        schema,
        labelled.columns,
        labelled.log,
        labelled.examples.take(together),
        lookback_days=lookback_days,
        with_steps=False,
    )
    ends = [len(rows.train)]
    widths = tuple(len(category.vocabulary) + REST + 1 for category in schema.categories)
    n_numbers = inputs.numeric.shape[1] - len(schema.rated)  # rates depend on the training labels
    numbers = np.split(inputs.numeric[:, :n_numbers], ends)
    codes = np.split(inputs.categories[:, : len(widths)], ends)  # without the codes of repeated numbers
    return Sides(*(Features(n, c, widths) for n, c in zip(numbers, codes, strict=True)))


def recency_matrix(
    labelled: LabelledExamples, rows: Rows, *, lookback_days: int | None
) -> NDArray[np.float64]:
    """Return (N, 2): log1p of the days since the last event, and whether the lookback has none."""
    assert labelled.log is not None
    about = labelled.examples.take(rows)
    start, end = labelled.log.history(about.customers, about.cutoffs, lookback_days)
    some = end > start
    last = np.append(labelled.log.times, 0)[np.where(some, end - 1, -1)]
    since = np.where(some, (about.cutoffs - last) / DAY, 0.0)
    return np.stack([np.log1p(since), ~some], axis=1)
