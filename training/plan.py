"""The examples of a study, their labels, and what each example is for."""

from dataclasses import dataclass
from typing import Final, Literal

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
class Plan:
    """What is asked, and on which side of the split each example lies.

    Attributes:
        examples: N questions.
        labels: all that the data say about them.
        measured: what the measured model is fitted on, never the test rows.
        measured_labels: what was known at the test date; equal to `labels` where there is no date.
        test: the rows that the report's figures come from.
        final: what the published model is fitted on.
        kind, sentence: how the test rows were chosen, for programs and for people.
        warnings: what the user should know about it.
    """

    examples: Examples
    labels: Labels
    measured: Slices
    measured_labels: Labels
    test: Rows
    final: Refit
    kind: SplitKind
    sentence: str
    warnings: tuple[str, ...] = ()
