"""Consecutive rows of a file, as every reader of files yields them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.values.history import Positions


@dataclass(frozen=True)
class Batch:
    """N consecutive rows of a file, n of which could be read.

    Attributes:
        cells: a record batch of the n rows.
        n_rows: N.
        unread: why a row could not be read, by its place in [0, N); completes the sentence "row 3 ...".
        lost: lines that the unread rows take.
    """

    cells: Any
    n_rows: int
    unread: Mapping[int, str]
    lost: int = 0

    @property
    def places(self) -> Positions:
        """(n,) the places of the rows that could be read."""
        return read_places(self.n_rows, self.unread)

    def part(self, start: int, stop: int) -> "Batch":
        """Some of the N rows."""
        first, last = np.searchsorted(self.places, [start, stop]).tolist() if self.unread else (start, stop)
        unread = {place - start: why for place, why in self.unread.items() if start <= place < stop}
        return Batch(self.cells.slice(first, last - first), stop - start, unread)


def read_places(n_rows: int, unread: Mapping[int, str]) -> Positions:
    """(n,) int64 places in [0, N) of the rows that could be read, ascending."""
    everywhere = np.arange(n_rows, dtype=np.int64)
    return np.delete(everywhere, list(unread)) if unread else everywhere
