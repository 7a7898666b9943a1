"""The examples of a study, their labels, and what each example is for."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from model.customers import Examples
from training.labels import Labels
from training.split import Rows

VALIDATION: Final = 0.15  # shares of the rows that a fit may read
CALIBRATION: Final = 0.10

SplitKind = Literal["forward", "customers", "rows", "groups", "time"]


@dataclass(frozen=True)
class Slices:
    """Rows that one fit reads: for the gradient, for early stopping, for calibration."""

    train: Rows
    validation: Rows
    calibration: Rows


@dataclass(frozen=True)
class Refit:
    """Rows that the published model reads: for the gradient, and for its calibration."""

    train: Rows
    calibration: Rows


@dataclass(frozen=True)
class EasySplit:
    """The split that a hurried user would have made: examples shuffled, whoever and whenever they are."""

    slices: Slices
    test: Rows


class HeldOut(BaseModel):
    """How to tell, in any file, who was held out: kept with a version, so that it can be compared later.

    Attributes:
        group: the column whose values are dealt; None for the customer, or for the row where rows have no id.
        seed, below: a customer (row, group) whose `training.split` place is below was held out.
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
        standings, last_standing: as `training.eligibility.RollCall` has them; empty for a table.
        warnings: what the user should know about it.
    """

    examples: Examples
    groups: NDArray[np.int64]
    labels: Labels
    measured: Slices
    measured_labels: Labels
    test: Rows
    seen_later: Rows
    easy: EasySplit | None
    final: Refit
    kind: SplitKind
    sentence: str
    held_out: HeldOut
    standings: NDArray[np.int64]
    last_standing: NDArray[np.int8]
    warnings: tuple[str, ...] = ()
