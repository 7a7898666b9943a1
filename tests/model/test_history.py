"""Windows over the compressed-row log agree with a count by hand."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.history import EventLog
from tests.strategies import Event, event_lists, instants, log_of, within


@given(event_lists, st.lists(st.tuples(st.integers(0, 3), instants, instants), max_size=8))
def test_windows_hold_what_a_naive_count_finds(
    listed: list[Event], asked: list[tuple[int, int, int]]
) -> None:
    log = log_of(listed)
    customers, after, until = (np.array([a[i] for a in asked], dtype=np.int64) for i in range(3))
    start, end = log.window(customers, np.minimum(after, until), until)
    for (customer, one, other), i, j in zip(asked, start, end, strict=True):
        naive = within(listed, customer, min(one, other), other)
        assert log.times[i:j].tolist() == [e.time for e in naive]
        assert _same(log.values["amount"][i:j], [e.amount for e in naive])


@given(event_lists)
def test_a_part_of_a_log_is_the_log_of_those_customers(listed: list[Event]) -> None:
    part = log_of(listed).part(1, 3)
    naive = log_of(
        [Event(e.customer - 1, e.time, e.type, e.amount) for e in listed if e.customer in (1, 2)], 2
    )
    assert part.offsets.tolist() == naive.offsets.tolist()
    assert part.times.tolist() == naive.times.tolist()
    assert part.categories["type"].codes.tolist() == naive.categories["type"].codes.tolist()


def test_equal_times_keep_the_order_of_the_file() -> None:
    log = EventLog.build(
        np.array([0, 0, 0]),
        np.array([5, 5, 1]),
        n_customers=1,
        values={"amount": np.array([1.0, 2.0, 3.0])},
        categories={},
    )
    assert log.values["amount"].tolist() == [3.0, 1.0, 2.0]


def _same(got: np.ndarray, wanted: Sequence[float]) -> bool:
    return bool(np.array_equal(got, np.array(wanted, dtype=np.float64), equal_nan=True))
