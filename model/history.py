"""An event log as flat arrays, customers one after another (compressed rows), and windows over it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model.columns import Numbers, Texts
from model.times import Instants

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class EventLog:
    """Events sorted by customer, then time; equal times keep the order they came in.

    Attributes:
        offsets: (C + 1,) int64; customer c's events are `offsets[c]:offsets[c + 1]`.
        times: (E,) int64 instants.
        values: numeric fields by name, each (E,) float64, NaN where missing.
        categories: the type and the attributes by name, each a Texts of length E.
    """

    offsets: Positions
    times: Instants
    values: Mapping[str, Numbers]
    categories: Mapping[str, Texts]

    @classmethod
    def build(
        cls,
        customers: NDArray[np.integer],
        times: Instants,
        *,
        n_customers: int,
        values: Mapping[str, Numbers],
        categories: Mapping[str, Texts],
    ) -> Self:
        """Sort events into a log.

        Args:
            customers: (E,) customer positions in [0, n_customers).
            times: (E,) int64 instants, none missing.
        """
        counts = np.bincount(customers, minlength=n_customers)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        ordered = bool(np.all((np.diff(customers) > 0) | ((np.diff(customers) == 0) & (np.diff(times) >= 0))))
        order = slice(None) if ordered else np.lexsort((times, customers))
        return cls(
            offsets=offsets,
            times=times[order],
            values={name: column[order] for name, column in values.items()},
            categories={name: texts.take(order) for name, texts in categories.items()},
        )

    @property
    def n_customers(self) -> int:
        """C, customers with or without events."""
        return len(self.offsets) - 1

    def part(self, start: int, stop: int) -> Self:
        """The log of customers start to stop alone."""
        events = slice(int(self.offsets[start]), int(self.offsets[stop]))
        return type(self)(
            offsets=self.offsets[start : stop + 1] - self.offsets[start],
            times=self.times[events],
            values={name: column[events] for name, column in self.values.items()},
            categories={name: texts.take(events) for name, texts in self.categories.items()},
        )

    def until(self, customers: Positions, times: Instants) -> Positions:
        """(N,) end position of each customer's events at or before each time.

        A binary search over all N queries at once: log2 of the longest history in numpy steps.
        """
        low, high = self.offsets[customers], self.offsets[customers + 1]
        if not len(self.times):
            return low
        for _ in range(int((high - low).max(initial=0)).bit_length()):
            middle = (low + high) >> 1
            inside = self.times[np.minimum(middle, len(self.times) - 1)] <= times
            searching = low < high
            low = np.where(searching & inside, middle + 1, low)
            high = np.where(searching & ~inside, middle, high)
        return low

    def window(self, customers: Positions, after: Instants, until: Instants) -> tuple[Positions, Positions]:
        """(N,) start and end positions of each customer's events in `(after, until]`."""
        return self.until(customers, after), self.until(customers, until)
