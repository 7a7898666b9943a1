"""Windows over the compressed-row log agree with a count by hand."""

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.values.history import EventLog
from tests.strategies import Event, event_lists, instants, log_of, within


@given(event_lists, st.lists(st.tuples(st.integers(0, 3), instants, instants), max_size=8))
def test_windows_hold_what_a_naive_count_finds(
    listed: list[Event], queries: list[tuple[int, int, int]]
) -> None:
    log = log_of(listed)
    customers, after, until = (np.array([a[i] for a in queries], dtype=np.int64) for i in range(3))
    start, end = log.window(customers, np.minimum(after, until), until)
    for (customer, one, other), i, j in zip(queries, start, end, strict=True):
        naive = within(listed, customer, min(one, other), other)
        assert log.times[i:j].tolist() == [e.time for e in naive]
        assert _same(log.values["amount"][i:j], [e.amount for e in naive])


@given(event_lists, st.lists(st.tuples(st.integers(0, 3), instants), max_size=8))
def test_a_pass_over_the_log_finds_what_a_search_finds(
    listed: list[Event], queries: list[tuple[int, int]]
) -> None:
    log = log_of(listed)
    queries = sorted(queries, key=lambda a: a[1])  # runs of equal times
    customers, times = (np.array([a[i] for a in queries], dtype=np.int64) for i in range(2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("model.values.history._SEARCH_COST", 10**9)
        passed = log.until(customers, times)
        patch.setattr("model.values.history._SEARCH_COST", -(10**9))
        searched = log.until(customers, times)
    assert passed.dtype == searched.dtype == np.int64
    assert passed.tolist() == searched.tolist()


@given(event_lists, st.randoms(use_true_random=False))
def test_a_log_is_built_from_events_in_any_order(listed: list[Event], random: Random) -> None:
    random.shuffle(listed)
    customers, times = (
        np.array([getattr(e, n) for e in listed], dtype=np.int64) for n in ("customer", "time")
    )
    log = EventLog.build(
        customers,
        times,
        n_customers=4,
        values={"place": np.arange(len(listed), dtype=np.float64)},
        categories={},
    )
    order = np.lexsort((times, customers))
    assert log.values["place"].tolist() == order.tolist()
    assert log.times.tolist() == times[order].tolist()
    assert log.offsets.tolist() == [sum(e.customer < c for e in listed) for c in range(5)]


def test_histories_are_the_events_of_examples_one_after_another() -> None:
    log = log_of([Event(c, t, "buy", float(t)) for c in (0, 2) for t in (1, 2, 3)])
    offsets, events = log.histories(np.array([3, 0, 1, 1]), np.array([5, 2, 1, 3]))
    assert offsets.tolist() == [0, 2, 4, 4, 6]
    assert events.tolist() == [3, 4, 0, 1, 1, 2]


def test_times_at_valid_positions() -> None:
    log = log_of([Event(0, 7, "buy", 1.0)])
    positions, valid = np.array([-1, 0, 1]), np.array([False, True, False])
    assert log.times_at(positions, valid, -5).tolist() == [-5, 7, -5]
    assert log_of([]).times_at(positions, valid & False, -5).tolist() == [-5, -5, -5]


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
