"""The plan of a study: its examples, their labels, and the use of each example."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from model.values.customers import Examples
from training.question.labels import Labels
from training.split.deal import Rows

SplitKind = Literal["forward", "customers", "rows", "groups", "time"]


@dataclass(frozen=True)
class Folds:
    """The examples of one fit. The network of a fold never reads the examples of that fold.

    So every example gets an out-of-fold logit, which early stopping and calibration read.

    Attributes:
        rows: (n,) positions of the examples, ascending.
        fold: (n,) int64, 0 to F - 1; the examples of a customer, or of a group, are in one fold.
        judged: (n,) bool, the examples that early stopping and calibration read; of examples with dates
            the later ones, which are closest to the dates of use.
    """

    rows: Rows
    fold: NDArray[np.int64]
    judged: NDArray[np.bool_]

    def among(self, kept: Rows) -> Self:
        """Return only these of the examples."""
        mask = np.isin(self.rows, kept)
        return type(self)(self.rows[mask], self.fold[mask], self.judged[mask])

    @cached_property
    def first(self) -> Self:
        """The examples for the network of the first fold alone, which is judged on that fold."""
        return type(self)(self.rows, self.fold, self.judged & (self.fold == 0))


@dataclass(frozen=True)
class Asked:
    """Examples of training customers that are not themselves in the folds, for the test at a later date.

    Attributes:
        rows: (m,) positions of the examples.
        fold: (m,) int64, the fold of the customer: its network never read him.
    """

    rows: Rows
    fold: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)


def one_sided_fold(labels: Labels, folds: Folds) -> int | None:
    """Return the first fold whose network would read one outcome only, or None."""
    for fold in range(folds.fold.max(initial=0) + 1):
        read = folds.rows[folds.fold != fold]
        events = labels.events[read][labels.at_risk[read]]
        if not events.any() or events.all():
            return fold
    return None


@dataclass(frozen=True)
class ShuffledSplit:
    """A shuffled split: examples dealt one by one, whatever their customer and date."""

    folds: Folds
    test: Rows


class HeldOut(BaseModel):
    """The rule that recognises the held-out customers in any file; stored with a version for comparison.

    Attributes:
        group: the column whose values are dealt; None for the customer, or for the row where rows have no id.
        seed, below: a customer (row, group) is held out if its place (`training.split.deal`) is below.
        since: the first test date as an instant; with `split.time` that column's first value in the test.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: SplitKind
    group: str | None = None
    seed: int = 0
    below: float = 0.0
    since: float | None = None


@dataclass(frozen=True)
class Plan:
    """N examples with labels, and the side of the split that each is on.

    Attributes:
        groups: (N,) the number of the customer, duplicate rows or group that an example belongs to.
        labels: known from all data.
        measured: the training examples of the measured model; no test rows.
        measured_labels: labels known at the first test date; equal to `labels` where there is no date.
        test: (M,) the rows that the report measures.
        test_fold: (M,) int64, the fold of `measured` whose network never read the customer and answers; -1
            for customers whom no network of the measured model read.
        shuffled: a shuffled split, for comparison; None where it equals the study's split.
        final: the training examples of the published model.
        kind, sentence: how the test rows were chosen, as a code and as a sentence.
        held_out: the same as a rule, for a later comparison.
        standings, last_standing: see `training.question.eligibility`; empty for a table.
        warnings: sentences about the split.
    """

    examples: Examples
    groups: NDArray[np.int64]
    labels: Labels
    measured: Folds
    measured_labels: Labels
    test: Rows
    test_fold: NDArray[np.int64]
    shuffled: ShuffledSplit | None
    final: Folds
    kind: SplitKind
    sentence: str
    held_out: HeldOut
    standings: NDArray[np.int64]
    last_standing: NDArray[np.int8]
    warnings: tuple[str, ...] = ()

    @property
    def unseen(self) -> Rows:
        """The test rows of customers whom the measured model never read."""
        return self.test[self.test_fold < 0]

    @property
    def seen(self) -> Asked:
        """The test rows of training customers, at a date when all training labels had closed."""
        read = self.test_fold >= 0
        return Asked(self.test[read], self.test_fold[read])
