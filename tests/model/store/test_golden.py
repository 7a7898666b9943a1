"""Golden customers can be scored, and have nothing but what a schema declares."""

import json
from typing import Any

import numpy as np
import pytest

from model.schema import CategoricalColumn, DateColumn, EventSchema, NumericColumn, Schema
from model.store.golden import N_CUSTOMERS, synthetic_rows
from model.times import DAY, parse_time
from model.values.columns import as_codes, as_dates, as_instants, as_numbers
from model.values.rows import customers_from_rows
from tests.model.build import tiny_scaling
from tests.model.networks import AS_OF, LOG, SCHEMAS, TABLE

UNSEEN = "never seen in training"
CALENDAR_DAYS = (AS_OF - parse_time("0001-01-01")) / DAY


def dated(high: float) -> Schema:
    """A table of one date column with ages up to `high` days."""
    scaling = tiny_scaling(low=0.0, high=high, median=9.0)
    return Schema(id=None, columns=(DateColumn(name="since", time_format="%Y-%m-%d", scaling=scaling),))


EMPTY = Schema(id=None, columns=(CategoricalColumn(name="plan", vocabulary=()),))
assert LOG.events
UNTYPED = LOG.model_copy(
    update={"events": LOG.events.model_copy(update={"type": None, "attributes": (), "values": ()})}
)
ALL = {**SCHEMAS, "ancient": dated(CALENDAR_DAYS), "empty": EMPTY, "untyped": UNTYPED}
MOMENTS = [AS_OF, AS_OF + DAY * 3 // 4, AS_OF + 1]

every_schema = pytest.mark.parametrize("schema", ALL.values(), ids=ALL.keys())
every_moment = pytest.mark.parametrize("as_of", MOMENTS, ids=["midnight", "evening", "microsecond"])


@every_schema
@every_moment
def test_they_are_valid_requests(schema: Schema, as_of: int) -> None:
    rows = synthetic_rows(schema, as_of)
    assert json.loads(json.dumps(rows, allow_nan=False)) == list(rows)
    customers = customers_from_rows(rows, schema, as_of)
    assert len(customers) == N_CUSTOMERS
    assert len(set(customers.ids)) == N_CUSTOMERS
    for row in rows:
        fields = {
            *schema.column_names,
            *([schema.id] if schema.id else []),
            *(["events"] * bool(schema.events)),
        }
        assert row.keys() == fields


@every_schema
@every_moment
def test_they_hold_what_the_schema_declares_and_nothing_else(schema: Schema, as_of: int) -> None:
    for row in synthetic_rows(schema, as_of):
        for column in schema.columns:
            cell = row[column.name]
            if isinstance(column, CategoricalColumn):
                assert cell in (*column.vocabulary, UNSEEN, None)
            elif isinstance(column, DateColumn):
                age = None if cell is None else (as_of - parse_time(cell)) / DAY
                assert age is None or column.scaling.low - 1 <= age <= column.scaling.high + 1
                assert age is None or age >= 0
            elif column.kind == "boolean":
                assert cell in (True, False, None)
            else:
                assert isinstance(column, NumericColumn)
                scaling = column.scaling
                assert cell in (scaling.low, scaling.median, scaling.high, None, *column.values)
        for event in row.get("events", ()):
            assert schema.events
            _check_event(event, schema.events, as_of)


def _check_event(event: dict[str, Any], schema: EventSchema, as_of: int) -> None:
    fields = {schema.time, *(v.name for v in schema.values), *(c.name for c in schema.categories)}
    assert event.keys() == fields
    assert 0 <= as_of - parse_time(event[schema.time]) <= 150 * DAY
    for value in schema.values:
        scaling = value.scaling
        assert event[value.name] in (scaling.low, scaling.median, scaling.high, None)
    for category in schema.categories:
        assert event[category.name] in (*category.vocabulary, UNSEEN, None)


@every_schema
def test_they_are_always_the_same(schema: Schema) -> None:
    assert synthetic_rows(schema, AS_OF) == synthetic_rows(schema.model_copy(deep=True), AS_OF)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_between_them_they_try_everything(kind: str) -> None:
    schema = SCHEMAS[kind]
    customers = customers_from_rows(synthetic_rows(schema, AS_OF), schema, AS_OF)
    for column in schema.columns:
        cells = customers.columns[column.name]
        if isinstance(column, CategoricalColumn):
            assert set(as_codes(cells, column.vocabulary).tolist()) == {0, 1, 2, 3}
        elif column.kind == "numeric":
            known = as_numbers(cells)
            assert np.isnan(known).any()
            assert {column.scaling.low, column.scaling.high, column.scaling.median} <= set(known.tolist())


@pytest.mark.parametrize("values", [(4.25,), (3.5, 4.25), (-3.5, 4.25, 99.0)])
@pytest.mark.parametrize("before", range(6))
def test_a_repeated_number_is_tried_wherever_its_column_stands(
    values: tuple[float, ...], before: int
) -> None:
    plain = [NumericColumn(name=f"x{number}", scaling=tiny_scaling()) for number in range(before)]
    rate = NumericColumn(name="rate", scaling=tiny_scaling(), values=values)
    cells = [row["rate"] for row in synthetic_rows(Schema(id=None, columns=(*plain, rate)), AS_OF)]
    assert set(cells) == {0.0, 5.0, 10.0, None, 4.25}
    assert cells[0] == 5.0


def test_the_first_is_typical() -> None:
    first = synthetic_rows(TABLE, AS_OF)[0]
    assert first == {
        "customer_id": "1",
        "Total Charges": 5.0,
        "plan": "basic",
        "senior": True,
        "since": "1997-03-06",
    }


def test_histories_grow_and_are_told_oldest_first() -> None:
    rows = synthetic_rows(LOG, AS_OF)
    assert [len(row["events"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    for row in rows:
        times = [event["date"] for event in row["events"]]
        assert times == sorted(set(times))
        assert times[-1] == "1997-12-31"


def test_a_date_as_old_as_the_calendar_is_a_date() -> None:
    schema, as_of = dated(CALENDAR_DAYS + 0.75), AS_OF + DAY * 3 // 4
    rows = synthetic_rows(schema, as_of)
    assert rows[2] == {"since": "0001-01-01"}
    read = as_dates(customers_from_rows(rows, schema, as_of).columns["since"], "%Y-%m-%d", "UTC")
    assert read[2] == parse_time("0001-01-01")


@every_schema
@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/Havana", "Pacific/Apia"])
def test_dates_are_those_of_the_zone_and_never_in_the_future(schema: Schema, zone: str) -> None:
    schema = schema.model_copy(update={"time_zone": zone})
    for as_of in MOMENTS:
        customers = customers_from_rows(synthetic_rows(schema, as_of), schema, as_of)
        if customers.log:
            assert as_of - DAY <= customers.log.times.max() <= as_of
        for column in schema.columns:
            if isinstance(column, DateColumn):
                times = as_instants(customers.columns[column.name], column.time_format, zone)
                assert times.max() <= as_of


def test_as_many_as_are_wanted() -> None:
    assert len(synthetic_rows(TABLE, AS_OF, n=2)) == 2
    assert synthetic_rows(TABLE, AS_OF, n=2) == synthetic_rows(TABLE, AS_OF)[:2]
