"""Columns, dates and steps are encoded by the schema; absent ones are named."""

from collections.abc import Mapping

import numpy as np
import pytest

from model.errors import SchemaError
from model.features.encode import encode
from model.features.scaling import scale
from model.schema import CategoricalColumn, DateColumn, HistoryFeature, Rates, Schema
from model.times import DAY, days, parse_time
from model.values.columns import Column, column_of
from model.values.customers import Examples
from model.values.history import EventLog
from tests.model.build import tiny_scaling
from tests.model.examples import COLUMNS, EVENTS, FEATURES, LOOKBACK, N_COLUMNS, SCALING, SCHEMA, batch_of
from tests.model.networks import SERIES, TABLE
from tests.strategies import Event, log_of

# --- the columns


def test_columns_come_before_history_features_rates_and_other_codes() -> None:
    batch = batch_of(log_of([]), [(c, days(30)) for c in range(4)])
    assert batch.numeric.shape == (4, N_COLUMNS + len(FEATURES) + 1)
    assert batch.categories.shape == (4, 3)
    assert batch.categories[:, 0].tolist() == [2, 3, 1, 0]
    assert batch.categories[:, 2].tolist() == [2, 0, 0, 3]  # repeated numbers of the tenure
    columns = np.array([[1.5, np.nan, np.nan, 1e300], [1, 0, np.nan, np.nan], [26, 10.75, np.nan, np.nan]])
    for position, values in enumerate(columns):
        np.testing.assert_array_equal(batch.numeric[:, position], scale(values, SCALING))
    rates = np.array([1.0, 7.5, 0.0, -3.0])  # of basic, 3, an unknown plan and none
    np.testing.assert_array_equal(batch.numeric[:, -1], scale(rates, SCALING))


def test_rates_stand_in_the_order_of_their_columns() -> None:
    columns = [
        CategoricalColumn(name=name, vocabulary=("x",), rates=rates)
        for name, rates in (("a", _rates(1.0)), ("b", None), ("c", _rates(2.0)))
    ]
    cells = {name: column_of(["x", None]) for name in "abc"}
    batch = batch_of(None, [(0, 0), (1, 0)], schema=Schema(id=None, columns=tuple(columns)), columns=cells)
    wanted = np.array([[1.0, 2.0], [-1.0, -2.0]])
    np.testing.assert_array_equal(batch.numeric, scale(wanted, SCALING))
    assert batch.categories.tolist() == [[2, 2, 2], [0, 0, 0]]


def _rates(known: float) -> Rates:
    return Rates(log_odds=(-known, 0.0, known), scaling=SCALING)


def since(text: object, cutoff: str, time_format: str | None = None) -> float:
    """The scaled age of a date column with the scaling asinh(age in days)."""
    plain = tiny_scaling(center=0.0, scale=1.0, mean=0.0, deviation=1.0, high=1e6)
    schema = Schema(id=None, columns=(DateColumn(name="since", time_format=time_format, scaling=plain),))
    pairs = [(0, parse_time(cutoff))]
    return float(batch_of(None, pairs, schema=schema, columns={"since": column_of([text])}).numeric[0, 0])


@pytest.mark.parametrize(
    ("text", "time_format", "age_days"),
    [
        ("2024-03-10", None, 0.0),
        ("2024-03-01", None, 9.0),
        ("2024-02-28", None, 11.0),
        ("2024-03-09T18:00", None, 0.25),
        ("2024-03-10T01:00+02:00", None, 1 / 24),
        ("1924-03-10", None, 36525.0),
        ("01.03.2024", "%d.%m.%Y", 9.0),
        (20240301, "%Y%m%d", 9.0),
        (parse_time("2024-03-01") // 1_000_000, "unix", 9.0),
        ("0001-01-01", "%Y-%m-%d", 738954.0),
    ],
)
def test_a_date_is_read_as_its_age_in_days(text: object, time_format: str | None, age_days: float) -> None:
    assert since(text, "2024-03-10", time_format) == pytest.approx(np.arcsinh(age_days), rel=1e-6)


@pytest.mark.parametrize("text", ["2024-03-10T00:00:00.000001", "2024-03-11", "9999-12-31", "", None, "soon"])
def test_a_date_after_the_cutoff_is_missing(text: object) -> None:
    assert np.isnan(since(text, "2024-03-10"))


def test_a_date_is_known_from_its_own_instant_on() -> None:
    ages = [since("2024-03-10T12:00", cutoff) for cutoff in ("2024-03-10T11:59:59", "2024-03-10T12:00")]
    assert np.isnan(ages[0])
    assert ages[1] == 0.0


def test_one_customer_asked_about_twice_has_two_ages() -> None:
    batch = batch_of(log_of([]), [(0, days(4)), (0, days(10))])
    assert batch.numeric[:, 2].tolist() == scale(np.array([0.0, 6.0]), SCALING).tolist()
    assert batch_of(log_of([]), [(0, days(3))]).numeric[0, 2].isnan()


# --- which steps


def test_a_table_has_no_steps_and_a_head_that_reads_none_gets_none() -> None:
    columns = {c: column_of([None]) for c in TABLE.column_names}
    examples = Examples(np.array([0]), np.array([0]))
    inputs = encode(TABLE, columns, None, examples, lookback_days=LOOKBACK, with_steps=True)
    assert inputs.steps is None
    unread = batch_of(log_of([Event(0, DAY, "buy", 1.0)]), [(0, DAY)], with_steps=False)
    assert unread.steps.shape == (1, 0, 0)
    assert unread.lengths.tolist() == [0]


def test_declared_series_are_steps_of_equal_length() -> None:
    columns = {"plan": column_of(["basic", None]), "bill_1": column_of([1, 2]), "bill_2": column_of([3, 4])}
    columns |= {"bill_3": column_of([5, None]), "data_1": column_of([6, 7]), "data_2": column_of([8, 9])}
    batch = batch_of(None, [(1, 0), (0, 0)], schema=SERIES, columns=columns)
    bills, data = SERIES.series
    wanted = np.stack(
        [
            scale(np.array([2, 4, np.nan, 1, 3, 5]), bills.scaling),
            scale(np.array([np.nan, 7, 9, np.nan, 6, 8]), data.scaling),
        ],
        axis=1,
    )
    np.testing.assert_array_equal(batch.steps.reshape(6, 2), wanted)
    assert batch.lengths.tolist() == [3, 3]
    assert batch.numeric.shape == (2, 5)


# --- refusals


def refused(schema: Schema, columns: Mapping[str, Column], log: EventLog | None) -> str:
    with pytest.raises(SchemaError) as error:
        batch_of(log, [(0, 0)], schema=schema, columns=columns)
    return str(error.value)


def test_absent_columns_are_named_beside_those_that_are_there() -> None:
    assert refused(SCHEMA, {"tenure": COLUMNS["tenure"], "age": COLUMNS["tenure"]}, log_of([])) == (
        "the data must have the columns ['plan', 'senior', 'since'] of the model, got ['age', 'tenure']"
    )


def test_an_absent_log_is_named() -> None:
    assert refused(SCHEMA, COLUMNS, None) == "the model reads an event log, got none. Name it with --events."


def test_absent_event_fields_are_named() -> None:
    log = log_of([])
    bare = EventLog(log.offsets, log.times, {}, {})
    swapped = EventLog(
        log.offsets, log.times, {"type": log.values["amount"]}, {"amount": log.categories["type"]}
    )
    for lacking in (bare, swapped):
        assert refused(SCHEMA, COLUMNS, lacking) == (
            "the log must have the event fields ['amount', 'type'] of the model"
        )


def test_a_history_feature_that_is_no_longer_made_is_named() -> None:
    old = EVENTS.model_copy(update={"features": (HistoryFeature(name="novelty", scaling=SCALING),)})
    assert refused(SCHEMA.model_copy(update={"events": old}), COLUMNS, log_of([])) == (
        "this Propense must compute the history features ['novelty']. Train the model again."
    )
