"""Hypothesis strategies and naive counterparts shared by the tests of both rooms."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from model.times import DAY
from model.values.columns import texts_of
from model.values.history import EventLog

TYPES = ("visit", "buy", "cancel", "fail", "join")


@dataclass(frozen=True)
class Event:
    """One event of a naive log: customer position, instant, type and amount."""

    customer: int
    time: int
    type: str
    amount: float


# Days are few and mostly whole, so that events fall exactly on cutoffs and on the edges of windows.
instants = st.builds(
    lambda day, shift: day * DAY + shift, st.integers(0, 40), st.sampled_from([0, 0, 0, 1, -1, DAY // 2])
)
events = st.builds(
    Event,
    customer=st.integers(0, 3),
    time=instants,
    type=st.sampled_from(TYPES),
    amount=st.sampled_from([0.0, 1.0, 2.5, -3.0, float("nan"), 1e6]),
)
event_lists = st.lists(events, max_size=25)


def log_of(listed: Sequence[Event], n_customers: int = 4) -> EventLog:
    """A log of naive events, in the order given."""
    codes = np.array([TYPES.index(e.type) for e in listed], dtype=np.int64)
    return EventLog.build(
        np.array([e.customer for e in listed], dtype=np.int64),
        np.array([e.time for e in listed], dtype=np.int64),
        n_customers=n_customers,
        values={"amount": np.array([e.amount for e in listed], dtype=np.float64)},
        categories={"type": texts_of(codes, TYPES)},
    )


def within(listed: Sequence[Event], customer: int, after: int, until: int) -> list[Event]:
    """A customer's events in `(after, until]`, by time, equal times in the order given."""
    chosen = [e for e in listed if e.customer == customer and after < e.time <= until]
    return sorted(chosen, key=lambda e: e.time)
