"""The examples of a study, their labels, and what each example is for."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from model.values.customers import Examples
from training.question.labels import Labels
from training.split.split import Rows

SplitKind = Literal["forward", "customers", "rows", "groups", "time"]


@dataclass(frozen=True)
class Folds:
    """Examples that one fit reads. Each belongs to a fold, and the network of that fold never reads it.

    So every example has an answer of a network that does not know it; early stopping and calibration
    look at these.

    Attributes:
        rows: (n,) positions of the examples, ascending.
        fold: (n,) int64, 0 to F - 1; a customer's examples, or a group's, are in one fold.
        judged: (n,) bool, the examples that early stopping and calibration look at: where examples have
            dates, the later ones, which resemble the dates to come.
    """

    rows: Rows
    fold: NDArray[np.int64]
    judged: NDArray[np.bool_]

    def among(self, kept: Rows) -> Self:
        """Only these examples."""
        mask = np.isin(self.rows, kept)
        return type(self)(self.rows[mask], self.fold[mask], self.judged[mask])

    @property
    def first(self) -> Rows:
        """Examples that a model without folds of its own learns from: all but those of fold 0."""
        kept: Rows = self.rows[self.fold != 0]
        return kept

    @property
    def held(self) -> Rows:
        """Examples that such a model stops and calibrates on: those of fold 0 that are judged."""
        kept: Rows = self.rows[(self.fold == 0) & self.judged]
        return kept


def one_sided_fold(labels: Labels, folds: Folds) -> int | None:
    """The first fold whose network would read one outcome only; None where all networks read both."""
    for fold in range(folds.fold.max(initial=0) + 1):
        read = folds.rows[folds.fold != fold]
        events = labels.events[read][labels.at_risk[read]]
        if not events.any() or events.all():
            return fold
    return None


@dataclass(frozen=True)
class EasySplit:
    """The split that a hurried user would have made: examples shuffled, whoever and whenever they are."""

    folds: Folds
    test: Rows


class HeldOut(BaseModel):
    """How to tell, in any file, who was held out: kept with a version, so that it can be compared later.

    Attributes:
        group: the column whose values are dealt; None for the customer, or for the row where rows have no id.
        seed, below: a customer (row, group) whose `training.split.split` place is below was held out.
        since: the test date, as an instant; or, split by a column of time, its first value in the test.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: SplitKind
    group: str | None = None
    seed: int = 0
    below: float = 0.0
    since: float | None = None


@dataclass(frozen=True)
class Plan:
    """What is asked, and on which side of the split each example lies.

    Attributes:
        examples: N questions.
        groups: (N,) who belongs together: a customer's examples, duplicate rows, a group.
        labels: all that the data say about them.
        measured: what the measured model is fitted on, never the test rows.
        measured_labels: what was known at the test date; equal to `labels` where there is no date.
        test: the rows that the report's figures come from.
        seen_later: everybody else at the test date; empty where there is no such date.
        easy: what the easy split would have claimed; None where it is the same as ours.
        final: what the published model is fitted on.
        kind, sentence: how the test rows were chosen, for programs and for people.
        held_out: the same, for a later comparison.
        standings, last_standing: as `training.question.eligibility.RollCall` has them; empty for a table.
        warnings: what the user should know about it.
    """

    examples: Examples
    groups: NDArray[np.int64]
    labels: Labels
    measured: Folds
    measured_labels: Labels
    test: Rows
    seen_later: Rows
    easy: EasySplit | None
    final: Folds
    kind: SplitKind
    sentence: str
    held_out: HeldOut
    standings: NDArray[np.int64]
    last_standing: NDArray[np.int8]
    warnings: tuple[str, ...] = ()
