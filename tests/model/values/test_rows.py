"""Request rows become customers: cells, dates and events, or an error with its place."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import DataError
from model.schema import CategoricalColumn, DateColumn, NumericColumn, Schema, Series
from model.times import DAY, format_instant, parse_time
from model.values.columns import as_codes, as_dates, as_numbers
from model.values.iso_times import parse_iso_time
from model.values.rows import (
    RequestRows,
    cells_by_row,
    customers_from_rows,
    id_field,
    rows_from_json,
)
from tests.model.build import tiny_scaling, tiny_schema

AS_OF = parse_time("1998-01-01")


def table(*, id_: str | None = None, time_format: str | None = None) -> Schema:
    return Schema(
        id=id_,
        columns=(
            NumericColumn(name="Total Charges", scaling=tiny_scaling()),
            CategoricalColumn(name="plan", vocabulary=("basic", "3")),
            DateColumn(name="since", time_format=time_format, scaling=tiny_scaling()),
            NumericColumn(name="bill_1", scaling=tiny_scaling()),
        ),
        series=(Series(name="bill", columns=("bill_1",), scaling=tiny_scaling()),),
    )


def test_columns_have_the_schemas_names_and_the_rows_values() -> None:
    rows: list[dict[str, Any]] = [
        {"Total Charges": 12.5, "plan": "basic", "since": "1997-03-01", "bill_1": 1},
        {"Total Charges": 3, "plan": 3, "bill_1": None},
    ]
    customers = customers_from_rows(rows, table(), AS_OF)
    columns = customers.columns
    assert list(columns) == ["Total Charges", "plan", "since", "bill_1"]
    assert as_numbers(columns["Total Charges"]).tolist() == [12.5, 3.0]
    assert as_codes(columns["plan"], ("basic", "3")).tolist() == [2, 3]
    assert as_dates(columns["since"], None, "UTC")[0] == parse_time("1997-03-01")
    assert customers.cutoffs.tolist() == [AS_OF, AS_OF]
    assert customers.log is None


def test_an_absent_field_is_a_null_field() -> None:
    null = customers_from_rows([{"Total Charges": None, "plan": None, "since": None}], table(), AS_OF)
    absent = customers_from_rows([{}], table(), AS_OF)
    for customers in (null, absent):
        assert np.isnan(as_numbers(customers.columns["Total Charges"])).all()
        assert as_codes(customers.columns["plan"], ("basic",)).tolist() == [0]
        assert as_dates(customers.columns["since"], None, "UTC")[0] == np.iinfo(np.int64).min


def test_ids_are_texts_and_row_numbers_where_there_are_none() -> None:
    rows: list[dict[str, Any]] = [{"who": "a"}, {"who": 17}, {"who": None}, {}]
    assert customers_from_rows(rows, table(id_="who"), AS_OF).ids == ["a", "17", "3", "4"]


def test_the_id_field_is_the_tables_then_the_logs_then_customer_id() -> None:
    log = tiny_schema()
    assert log.events
    assert id_field(table(id_="who")) == "who"
    renamed = log.events.model_copy(update={"id": "user"})
    assert id_field(log.model_copy(update={"id": None, "events": renamed})) == "user"
    assert id_field(table()) == "customer_id"


@pytest.mark.parametrize("time_format", [None, "%d.%m.%Y", "%Y%m%d", "unix"])
def test_dates_are_iso_8601_whatever_format_the_files_have(time_format: str | None) -> None:
    rows: list[dict[str, Any]] = [{"since": "1997-03-01"}, {}, {"since": "2004-02-29"}]
    column = customers_from_rows(rows, table(time_format=time_format), AS_OF).columns["since"]
    missing = np.iinfo(np.int64).min
    assert as_dates(column, time_format, "UTC").tolist() == [
        parse_time("1997-03-01"),
        missing,
        parse_time("2004-02-29"),
    ]


@pytest.mark.parametrize("time_format", [None, "%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S %z", "unix"])
@pytest.mark.parametrize("shown", ["2021-03-28T02:30:00", "2021-10-31T02:30:00", "2021-07-01"])
def test_times_without_an_offset_are_those_of_the_schemas_zone(time_format: str | None, shown: str) -> None:
    schema = table(time_format=time_format).model_copy(update={"time_zone": "Europe/Berlin"})
    instant = parse_time(shown, zone="Europe/Berlin")
    for text in (shown, format_instant(instant), format_instant(instant, "Asia/Kathmandu")):
        offset_less = text == shown
        assert parse_iso_time(text, "Europe/Berlin" if offset_less else "America/Havana") == instant
        column = customers_from_rows([{"since": text}], schema, AS_OF).columns["since"]
        assert as_dates(column, time_format, "Europe/Berlin").tolist() == [instant]


def test_events_are_read_in_the_schemas_zone() -> None:
    schema = tiny_schema().model_copy(update={"time_zone": "Europe/Berlin"})
    events = [{"date": "2021-07-01"}, {"date": "2021-07-01T00:00Z"}]
    log = customers_from_rows([{"events": events}], schema, AS_OF).log
    assert log
    assert log.times.tolist() == [parse_time("2021-06-30T22:00Z"), parse_time("2021-07-01T00:00Z")]


def test_a_date_keeps_its_offset_and_its_microseconds() -> None:
    column = customers_from_rows(
        [{"since": "1997-03-01T10:00:00.000007+02:00"}], table(time_format="unix"), AS_OF
    ).columns["since"]
    assert as_dates(column, "unix", "UTC").tolist() == [parse_time("1997-03-01T08:00:00") + 7]


def test_events_are_sorted_per_customer_and_later_ones_are_kept() -> None:
    rows: list[dict[str, Any]] = [
        {"events": [{"date": "2001-01-01", "amount": 3}, {"date": "1997-01-01", "kind": "buy"}]},
        {"events": None},
        {"events": []},
        {"events": [{"date": "1996-01-01", "amount": 1.5, "kind": "new"}]},
    ]
    log = customers_from_rows(rows, tiny_schema(), AS_OF).log
    assert log
    assert log.offsets.tolist() == [0, 2, 2, 2, 3]
    assert log.times.tolist() == [parse_time(f"{year}-01-01") for year in (1997, 2001, 1996)]
    np.testing.assert_array_equal(log.values["amount"], [np.nan, 3.0, 1.5])
    assert as_codes(log.categories["kind"], ("buy", "visit")).tolist() == [2, 0, 1]


def test_no_customer_has_an_event() -> None:
    log = customers_from_rows([{}, {"events": []}], tiny_schema(), AS_OF).log
    assert log
    assert log.offsets.tolist() == [0, 0, 0]
    assert len(log.times) == len(log.values["amount"]) == len(log.categories["kind"]) == 0


@pytest.mark.parametrize(
    ("since", "reason"),
    [
        ("01.03.1997", "row 2: since: a time must have ISO 8601 such as 1997-03-01, got '01.03.1997'"),
        ("", "row 2: since: a time must have ISO 8601 such as 1997-03-01, got ''"),
        (19970301, "row 2: since must be text in ISO 8601, got int"),
        (["1997"], "row 2: since must be text in ISO 8601, got list"),
    ],
)
def test_an_unreadable_date_names_its_row_and_field(since: object, reason: str) -> None:
    with pytest.raises(DataError) as error:
        customers_from_rows([{}, {"since": since}], table(), AS_OF)
    assert str(error.value) == reason


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"date": "soon"}, "event 2: date: a time must have ISO 8601 such as 1997-03-01, got 'soon'"),
        ({"amount": 1.0}, "event 2: date is required, as a time in ISO 8601"),
        ({"date": None}, "event 2: date is required, as a time in ISO 8601"),
        ({"date": 852076800}, "event 2: date must be text in ISO 8601, got int"),
    ],
)
def test_an_unreadable_event_time_names_its_row_and_event(event: dict[str, Any], reason: str) -> None:
    good = {"date": "1997-01-01"}
    with pytest.raises(DataError) as error:
        customers_from_rows([{"events": [good]}, {"events": [good, event]}], tiny_schema(), AS_OF)
    assert str(error.value) == f"row 2: {reason}"


histories = st.lists(st.lists(st.integers(0, 400), max_size=6), min_size=1, max_size=6)


@given(histories)
def test_each_customers_log_is_their_own_events_in_order(histories: list[list[int]]) -> None:
    first = date(1997, 1, 1)
    rows = [
        {"events": [{"date": str(first + timedelta(days=day)), "amount": float(day)} for day in history]}
        for history in histories
    ]
    log = customers_from_rows(rows, tiny_schema(), AS_OF).log
    assert log
    for customer, history in enumerate(histories):
        own = slice(log.offsets[customer], log.offsets[customer + 1])
        assert log.values["amount"][own].tolist() == sorted(history)
        assert ((log.times[own] - parse_time("1997-01-01")) // DAY).tolist() == sorted(history)


@pytest.mark.parametrize("n", [1, 3])
def test_cells_are_seen_by_row_and_by_column(n: int) -> None:
    names = ("plan", "city")
    sent = [{name: f"{name} {number}" for name in names} for number in range(n)]
    columns_of_words = tuple(CategoricalColumn(name=name, vocabulary=()) for name in names)
    read = rows_from_json(sent, Schema(id=None, columns=columns_of_words), 0)
    assert [list(read.row(at)) for at in range(n)] == [list(row.values()) for row in sent]
    columns = read.columns()
    assert [list(column) for column in columns] == [[row[name] for row in sent] for name in names]
    assert cells_by_row(columns) == list(read.cells)
    twice = RequestRows.joined([read, read])
    assert list(twice.row(n)) == list(read.row(0))
    assert [list(column) for column in twice.columns()] == [list(column) * 2 for column in columns]
