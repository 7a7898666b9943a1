"""Customers with their columns, histories and cutoffs, and examples of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.times import Instants
from model.values.columns import Column
from model.values.history import EventLog, Positions


@dataclass(frozen=True)
class Customers:
    """N customers as raw columns: the input of a Predictor.

    Attributes:
        ids: N texts, returned with the scores and not read.
        cutoffs: (N,) int64 instants; nothing after them is read.
        columns: table columns by name, each of length N.
        log: the event log of these N customers, in order; None for a model of a table only.
    """

    ids: Sequence[str]
    cutoffs: Instants
    columns: Mapping[str, Column]
    log: EventLog | None = None

    def __post_init__(self) -> None:
        n = len(self.ids)
        lengths = {name: len(column) for name, column in self.columns.items() if len(column) != n}
        if lengths or len(self.cutoffs) != n or (self.log and self.log.n_customers != n):
            raise DataError(
                f"every part must have {n} customers, got {lengths or 'other cutoffs or another log'}"
            )

    def __len__(self) -> int:
        return len(self.ids)

    def examples(self) -> "Examples":
        """Return one example per customer, in order."""
        return Examples(np.arange(len(self), dtype=np.int64), self.cutoffs)


@dataclass(frozen=True)
class Examples:
    """N pairs of a customer and a cutoff.

    Attributes:
        customers: (N,) int64 positions in the columns and the log.
        cutoffs: (N,) int64 instants.
    """

    customers: Positions
    cutoffs: Instants

    def __len__(self) -> int:
        return len(self.customers)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> "Examples":
        """Select examples."""
        return Examples(self.customers[rows], self.cutoffs[rows])
