"""The event log as flat arrays in compressed-row form, and windows over it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from model.times import Instants, days
from model.values.columns import Numbers, Texts

Positions = NDArray[np.int64]

# Costs in `until`, in events that a pass over the log compares in the same time.
_PASS_COST: Final = 4096  # of each pass
_QUERY_COST: Final = 16  # of each query of the binary search
_SEARCH_COST: Final = 8192  # of the search


@dataclass(frozen=True)
class EventLog:
    """Events sorted by customer, then time; events of one time keep their order.

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
        order = _order(customers, times)
        return cls(
            offsets=_offsets(counts),
            times=times[order],
            values={name: column[order] for name, column in values.items()},
            categories={name: texts.take(order) for name, texts in categories.items()},
        )

    @property
    def n_customers(self) -> int:
        """C, customers with or without events."""
        return len(self.offsets) - 1

    @property
    def owners(self) -> Positions:
        """(E,) the customer of each event."""
        return np.repeat(np.arange(self.n_customers, dtype=np.int64), np.diff(self.offsets))

    def of(self, customers: Positions) -> Self:
        """Return the log of some customers, which are in ascending order."""
        lengths = np.diff(self.offsets)
        chosen = np.zeros(len(lengths), dtype=bool)
        chosen[customers] = True
        events = np.flatnonzero(np.repeat(chosen, lengths))
        return type(self)(
            offsets=_offsets(lengths[customers]),
            times=self.times[events],
            values={name: column[events] for name, column in self.values.items()},
            categories={name: texts.take(events) for name, texts in self.categories.items()},
        )

    def part(self, start: int, stop: int) -> Self:
        """Return the log of the customers start to stop."""
        events = slice(int(self.offsets[start]), int(self.offsets[stop]))
        return type(self)(
            offsets=self.offsets[start : stop + 1] - self.offsets[start],
            times=self.times[events],
            values={name: column[events] for name, column in self.values.items()},
            categories={name: texts.take(events) for name, texts in self.categories.items()},
        )

    def histories(self, start: Positions, end: Positions) -> tuple[Positions, Positions]:
        """Return the (N + 1,) offsets and the positions in this log of the events `start[i]:end[i]`."""
        offsets = _offsets(end - start)
        return offsets, np.arange(offsets[-1]) + np.repeat(start - offsets[:-1], end - start)

    def until(self, customers: Positions, times: Instants) -> Positions:
        """(N,) end position of each customer's events at or before each time.

        A run of many customers with one time is counted in one pass over the log; without such runs, a
        binary search finds all N at once.
        """
        edges = np.flatnonzero(np.diff(times)) + 1
        if (len(edges) + 1) * (len(self.times) + _PASS_COST) > len(times) * _QUERY_COST + _SEARCH_COST:
            return self._searched(customers, times)
        runs = zip([0, *edges.tolist()], [*edges.tolist(), len(times)], strict=True)
        ends = [self._ends(times[first])[customers[first:last]] for first, last in runs if last > first]
        return ends[0] if len(ends) == 1 else np.concatenate([np.empty(0, dtype=np.int64), *ends])

    def _ends(self, time: np.int64) -> Positions:
        """(C,) end position of every customer's events at or before one time."""
        past = np.zeros(len(self.times) + 1, dtype=np.int64)
        np.cumsum(self.times <= time, out=past[1:])
        past = past[self.offsets]
        return self.offsets[:-1] + (past[1:] - past[:-1])

    def _searched(self, customers: Positions, times: Instants) -> Positions:
        """(N,) the same by binary search, in log2 of the longest history steps."""
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

    def times_at(self, positions: Positions, valid: NDArray[np.bool_], missing: int) -> Instants:
        """(N,) times at the positions; `missing` where a position is not valid."""
        if not len(self.times):
            return np.full(len(positions), missing, dtype=np.int64)
        return np.where(valid, self.times.take(positions, mode="clip"), missing)

    def window(self, customers: Positions, after: Instants, until: Instants) -> tuple[Positions, Positions]:
        """(N,) start and end positions of each customer's events in `(after, until]`."""
        return self.until(customers, after), self.until(customers, until)

    def history(
        self, customers: Positions, cutoffs: Instants, lookback_days: int | None
    ) -> tuple[Positions, Positions]:
        """(N,) start and end positions of each customer's events in `(cutoff - lookback, cutoff]`.

        Args:
            lookback_days: None for every event up to the cutoff.
        """
        if lookback_days is None:
            return self.offsets[customers], self.until(customers, cutoffs)
        return self.window(customers, cutoffs - days(lookback_days), cutoffs)


def _order(customers: NDArray[np.integer], times: Instants) -> Positions | slice:
    """Return the order of `np.lexsort((times, customers))`, faster; a slice where they are sorted."""
    step = np.diff(customers)
    if bool(np.all((step > 0) | ((step == 0) & (times[1:] >= times[:-1])))):
        return slice(None)
    by_time = np.argsort(times, kind="stable")
    return by_time[_grouped(customers[by_time])]


def _grouped(customers: NDArray[np.integer]) -> Positions:
    """Return the stable order by customer: customer and position are sorted as one number."""
    bits = len(customers).bit_length()
    keys = customers.astype(np.int64) << bits
    keys |= np.arange(len(customers))
    keys.sort()
    keys &= (1 << bits) - 1
    return keys


def _offsets(lengths: Positions) -> Positions:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
