"""Steps of events and of wide columns, against numbers worked out by hand."""

import math

import numpy as np

from model.features.scaling import scale
from model.features.sequence import AGE, GAP, STEP_NUMBERS, event_steps, n_step_numbers, series_steps
from model.schema import EventCategory, EventSchema, EventValue, Series
from model.times import DAY, parse_time
from model.values.columns import column_of, texts_of
from model.values.history import EventLog
from tests.model.build import tiny_scaling

SCALING = tiny_scaling()
SCHEMA = EventSchema(
    id="id",
    time="date",
    time_format=None,
    type=EventCategory(name="kind", vocabulary=("buy", "visit")),
    values=(EventValue(name="amount", scaling=SCALING), EventValue(name="tax", scaling=SCALING)),
    attributes=(EventCategory(name="shop", vocabulary=("north",)),),
    features=(),
    max_events=8,
)


def log_at(*times: str) -> EventLog:
    n = len(times)
    return EventLog.build(
        np.zeros(n, dtype=np.int64),
        np.array([parse_time(t) for t in times], dtype=np.int64),
        n_customers=1,
        values={"amount": np.arange(n, dtype=np.float64), "tax": np.full(n, np.nan)},
        categories={
            "kind": texts_of(np.arange(n) - 1, ("visit", "call")),
            "shop": texts_of(np.zeros(n, dtype=np.int64), ("north",)),
        },
    )


def test_a_step_holds_gap_values_and_codes() -> None:
    numbers, codes = event_steps(log_at("2024-01-01", "2024-01-04", "2024-01-04T12:00"), SCHEMA)
    assert numbers.dtype == np.float32
    assert numbers.shape == (3, n_step_numbers(SCHEMA)) == (3, len(STEP_NUMBERS) + 2)
    assert numbers[:, AGE].tolist() == [0, 0, 0]
    np.testing.assert_allclose(numbers[:, GAP], [0, math.log1p(3), math.log1p(0.5)], rtol=1e-6)
    amounts = scale(np.array([0.0, 1.0, 2.0]), SCALING)
    assert numbers[:, len(STEP_NUMBERS)].tolist() == amounts.tolist()
    assert np.isnan(numbers[:, -1]).all()
    assert codes.dtype == np.int64
    assert codes.tolist() == [[0, 2], [3, 2], [1, 2]]


def test_the_weekday_and_the_hour_lie_on_circles() -> None:
    times = ("2024-01-01T06:00", "2024-01-01T18:00", "2024-01-04T18:00", "2024-01-08T06:00")
    numbers, _ = event_steps(log_at(*times), SCHEMA)
    week, day = numbers[:, 2:4], numbers[:, 4:6]
    np.testing.assert_allclose((week**2).sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose((day**2).sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(week[0], week[3], atol=1e-5)
    np.testing.assert_allclose(week[0], -week[2], atol=1e-5)  # half a week apart
    np.testing.assert_allclose(day[0], -day[1], atol=1e-5)  # half a day apart
    np.testing.assert_allclose(day[1], day[2], atol=1e-5)


def test_the_gap_to_another_customers_event_is_never_negative() -> None:
    log = EventLog.build(
        np.array([0, 1]),
        np.array([9 * DAY, DAY]),
        n_customers=2,
        values={},
        categories={"kind": texts_of(np.zeros(2, dtype=np.int64), ("buy",))},
    )
    bare = SCHEMA.model_copy(update={"values": (), "attributes": ()})
    assert event_steps(log, bare)[0][:, GAP].tolist() == [0, 0]


def test_a_log_without_events_or_fields_has_empty_steps() -> None:
    numbers, codes = event_steps(log_at(), SCHEMA)
    assert numbers.shape == (0, n_step_numbers(SCHEMA))
    assert codes.shape == (0, 2)
    bare = SCHEMA.model_copy(update={"type": None, "values": (), "attributes": ()})
    numbers, codes = event_steps(log_at("2024-01-01"), bare)
    assert numbers.shape == (1, n_step_numbers(bare)) == (1, len(STEP_NUMBERS))
    assert codes.shape == (1, 0)


def test_wide_columns_are_steps_and_shorter_series_start_later() -> None:
    long = Series(name="bill", columns=("b1", "b2", "b3"), scaling=SCALING)
    short = Series(name="data", columns=("d1", "d2"), scaling=tiny_scaling(center=2.0))
    columns = {
        "b1": column_of([1.0, None]),
        "b2": column_of(["2", "x"]),
        "b3": column_of([3, 30]),
        "d1": column_of([4.0, 40.0]),
        "d2": column_of([5.0, 50.0]),
    }
    steps = series_steps(columns, (long, short))
    assert steps.dtype == np.float32
    bills = np.array([1, 2, 3, np.nan, np.nan, 30.0])
    data = np.array([np.nan, 4, 5, np.nan, 40, 50.0])
    np.testing.assert_array_equal(steps[:, 0], scale(bills, long.scaling))
    np.testing.assert_array_equal(steps[:, 1], scale(data, short.scaling))
