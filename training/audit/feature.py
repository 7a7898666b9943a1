"""A column as the probes see it, beside the outcomes of the rows."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.values.columns import Column, Texts, as_booleans, as_categories, as_numbers
from training.audit.ranking import auc, auc_error, auc_of_codes, auc_of_numbers
from training.question.labels import Bools
from training.schema.kinds import Kind

FEWEST: Final = 10  # rows of each outcome from which an AUC means anything


@dataclass(frozen=True)
class Outcomes:
    """N rows: what happened, and to whom.

    Attributes:
        positive: (N,) bool.
        groups: (N,) int64, one number a customer.
        folds: (N,) int64, the fold of each row; a group is in one fold.
    """

    positive: Bools
    groups: NDArray[np.int64]
    folds: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.positive)

    @property
    def are_enough(self) -> bool:
        """Whether there are enough rows of each outcome for an AUC to mean anything."""
        return FEWEST <= int(self.positive.sum()) <= len(self) - FEWEST

    def n_groups(self, rows: Bools) -> int:
        """How many customers some of the rows belong to."""
        return len(np.unique(self.groups[rows]))


@dataclass(frozen=True)
class Feature:
    """One column.

    Attributes:
        values: as its kind reads them: (N,) float64 with NaN for a gap, or texts. A date's are texts
            that only their absence is judged by.
        filled: (N,) bool, whether there is a value.
        aggregate: whether it was computed from a history.
        auc: its AUC alone; of a date, that of being filled.
        auc_error: the standard error of that, at most.
    """

    name: str
    kind: Kind
    values: Column
    filled: Bools
    aggregate: bool
    auc: float
    auc_error: float

    @property
    def sure_auc(self) -> float:
        """What the AUC alone is at least, give or take chance."""
        return self.auc - self.auc_error


def read_feature(name: str, column: Column, kind: Kind, outcomes: Outcomes, *, aggregate: bool) -> Feature:
    """Read a raw column as its kind says, and measure its AUC alone."""
    values = _read(column, kind)
    filled = values.codes >= 0 if isinstance(values, Texts) else ~np.isnan(values)
    alone = _auc_alone(values, filled, kind, outcomes)
    return Feature(name, kind, values, filled, aggregate, alone, auc_error(alone, outcomes.positive))


def _read(column: Column, kind: Kind) -> Column:
    if kind == "categorical":
        return as_categories(column)
    if kind == "date":
        return column
    return as_booleans(column) if kind == "boolean" else as_numbers(column)


def _auc_alone(values: Column, filled: Bools, kind: Kind, outcomes: Outcomes) -> float:
    if kind == "date":
        of_filled = auc(filled.astype(np.float64), outcomes.positive)
        return max(of_filled, 1 - of_filled)
    if isinstance(values, Texts):
        return auc_of_codes(values.codes, outcomes.positive, outcomes.folds)
    return auc_of_numbers(values, outcomes.positive, outcomes.folds)
