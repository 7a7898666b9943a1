"""A log's ends, the events that come twice, and the days without any."""

from collections import Counter
from collections.abc import Sequence
from math import nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.times import DAY, parse_time
from model.values.columns import texts_of
from model.values.duplicates import duplicate_events
from model.values.history import EventLog
from tests.strategies import Event, events, log_of
from training.audit.facts import SHOWN, log_facts, quiet_times


def duplicates(*listed: tuple[int, float, str, float]) -> int:
    return duplicate_events(log_of([Event(c, round(day * DAY), kind, v) for c, day, kind, v in listed]))


@given(st.lists(events, max_size=25), st.data())
def test_events_that_repeat_another_are_those_that_a_set_lacks(
    listed: list[Event], data: st.DataObject
) -> None:
    listed += data.draw(st.lists(st.sampled_from(listed), max_size=10)) if listed else []
    spelt = Counter((e.customer, e.time, e.type, repr(e.amount)) for e in listed)
    assert duplicate_events(log_of(listed)) == len(listed) - len(spelt)


def test_an_event_repeats_another_if_every_field_is_equal() -> None:
    buy = (0, 1.0, "buy", 2.0)
    assert duplicates(buy, buy, buy) == 2
    assert duplicates(buy, (1, 1.0, "buy", 2.0)) == 0
    assert duplicates(buy, (0, 1.5, "buy", 2.0)) == 0
    assert duplicates(buy, (0, 1.0, "visit", 2.0)) == 0
    assert duplicates(buy, (0, 1.0, "buy", 3.0)) == 0


def test_a_missing_value_equals_a_missing_value_alone() -> None:
    assert duplicates((0, 1, "buy", nan), (0, 1, "buy", nan)) == 1
    assert duplicates((0, 1, "buy", nan), (0, 1, "buy", 0.0)) == 0


def test_equal_events_need_not_be_neighbours() -> None:
    one, other = (0, 1.0, "buy", 2.0), (0, 1.0, "visit", 2.0)
    assert duplicates(one, other, one, other, one) == 3


def test_every_attribute_counts_and_a_missing_one_is_a_value() -> None:
    codes = np.array([0, 0, 1, -1, -1])
    log = EventLog(
        np.array([0, 5]),
        np.full(5, DAY),
        {},
        {"type": texts_of(codes * 0, ("a",)), "shop": texts_of(codes, ("x", "y"))},
    )
    assert duplicate_events(log) == 2


def quiet(days: Sequence[float], zone: str = "UTC", since: str = "2024-01-01") -> list[dict[str, Any]]:
    start = parse_time(since, zone=zone)
    return quiet_times(log_of([Event(0, start + round(day * DAY), "buy", 1.0) for day in days]), zone)


def test_a_shop_that_was_closed_for_ten_days_is_told() -> None:
    open_days = [*range(20), *range(30, 60)]
    assert quiet(open_days) == [{"after": "2024-01-20", "before": "2024-01-31", "days": 10}]


@pytest.mark.parametrize(
    "days",
    [
        range(100),
        range(0, 700, 7),  # a weekly log
        range(0, 3000, 30),
        [day for day in range(100) if day % 7 < 5],  # closed at weekends
        [*range(20), *range(23, 60)],  # a long weekend
        [3.5],
        [3.5, 3.6],
    ],
)
def test_a_sparse_log_has_no_gap(days: Sequence[float]) -> None:
    assert quiet(days) == []


def test_a_weekly_log_has_a_gap_where_it_paused_for_months() -> None:
    weeks = [week for week in range(0, 80) if not 30 <= week < 40]
    assert [gap["days"] for gap in quiet([7 * week for week in weeks])] == [76]


def test_the_longest_gaps_are_told_in_order_of_time() -> None:
    days, day = [], 0
    for length in (9, 20, 5, 12, 30, 7, 15):
        days += list(range(day, day + 20))
        day += 20 + length
    gaps = quiet([*days, *range(day, day + 20)])
    assert [gap["days"] for gap in gaps] == [9, 20, 12, 30, 15]
    assert len(gaps) == SHOWN


def test_days_are_those_of_the_zone() -> None:
    """Events from 8 to 20 o'clock in New Zealand lie on two days of UTC."""
    days = [day + hour / 24 for day in [*range(20), *range(30, 60)] for hour in (8, 20)]
    assert quiet(days, "Pacific/Auckland") == [{"after": "2024-01-20", "before": "2024-01-31", "days": 10}]


def test_a_day_of_23_or_25_hours_is_one_day() -> None:
    assert quiet([*range(20), *range(31, 60)], "Europe/Berlin", "2024-03-10") == [
        {"after": "2024-03-29", "before": "2024-04-10", "days": 11}
    ]


def test_facts_of_a_log() -> None:
    spelt = ("2024-05-01T22:30:00", "2024-05-01T22:30:00", *(f"2024-05-{day:02d}" for day in (2, 3, 4, 14)))
    log = log_of([Event(0, parse_time(text), "buy", 1.0) for text in (*spelt, "2024-05-14T22:00:00")])
    assert log_facts(log, "Europe/Berlin") == {
        "events": 7,
        "first_event": "2024-05-02T00:30:00+02:00",
        "last_event": "2024-05-15",
        "duplicate_events": 1,
        "gaps": [{"after": "2024-05-04", "before": "2024-05-14", "days": 9}],
    }
