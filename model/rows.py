"""Request rows (JSON objects that use the study's own names) into Customers, for service and golden check.

Times in a row are ISO 8601, whatever format the study's files have; without an offset, in the schema's zone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from model.columns import Column, as_numbers, as_texts, column_of
from model.customers import Customers
from model.errors import DataError
from model.history import EventLog
from model.schema import DateColumn, EventSchema, Schema
from model.times import FIRST_TIME, LAST_TIME, SECOND, parse_time, to_local

EVENTS: Final = "events"
_DEFAULT_ID: Final = "customer_id"

Row = Mapping[str, Any]
Place = Callable[[int], str]


def id_field(schema: Schema) -> str:
    """The field of a row that holds the customer's id: the study's own, else `customer_id`."""
    return schema.id or (schema.events.id if schema.events else _DEFAULT_ID)


def customers_from_rows(rows: Sequence[Row], schema: Schema, as_of: int) -> Customers:
    """Customers as the rows describe them, all asked about at one instant.

    An absent or null field is missing; a row without an id is called by its number, from 1.

    Args:
        rows: N objects: columns by name, and under `events` the history in any order.
        as_of: the cutoff, an instant.

    Raises:
        DataError: a value is no scalar, a time cannot be read, or an event has no time.
    """
    ids = [row.get(id_field(schema)) for row in rows]
    dates = {c.name: c for c in schema.columns if isinstance(c, DateColumn)}
    return Customers(
        ids=[str(number if id_ is None else id_) for number, id_ in enumerate(ids, start=1)],
        cutoffs=np.full(len(rows), as_of, dtype=np.int64),
        columns={
            n: _column([row.get(n) for row in rows], n, dates.get(n), schema.time_zone)
            for n in schema.column_names
        },
        log=_log(rows, schema.events, schema.time_zone) if schema.events else None,
    )


def read_time(text: str, zone: str = "UTC") -> int:
    """An ISO 8601 time as an instant. Whether it can be read does not depend on the zone.

    Raises:
        DataError: the text is none, or the time is not in the years 1 to 9999 of UTC.
    """
    instant = parse_time(text, None, zone)
    if not FIRST_TIME <= instant <= LAST_TIME:
        raise DataError(f"a time must lie in the years 1 to 9999 of UTC, got {text!r}")
    return instant


def _column(values: list[Any], name: str, date: DateColumn | None, zone: str) -> Column:
    if date is None:
        return column_of(values)
    times = _times(values, zone, lambda position: f"row {position + 1}: {name}")
    spelt = {time: _spell(time, date.time_format, zone) for time in set(times) if time is not None}
    return column_of(None if time is None else spelt[time] for time in times)


def _log(rows: Sequence[Row], schema: EventSchema, zone: str) -> EventLog:
    histories = [row.get(EVENTS) or () for row in rows]
    events = [event for history in histories for event in history]
    owners = np.repeat(np.arange(len(rows)), np.array([len(h) for h in histories], dtype=np.int64))

    def place(position: int) -> str:
        number = position - int(np.searchsorted(owners, owners[position])) + 1
        return f"row {owners[position] + 1}: event {number}: {schema.time}"

    times = _times([event.get(schema.time) for event in events], zone, place)
    if None in times:
        raise DataError(f"{place(times.index(None))} is required, as a time in ISO 8601")
    return EventLog.build(
        owners,
        np.array(times, dtype=np.int64),
        n_customers=len(rows),
        values={v.name: as_numbers(column_of(e.get(v.name) for e in events)) for v in schema.values},
        categories={c.name: as_texts(column_of(e.get(c.name) for e in events)) for c in schema.categories},
    )


def _times(values: Sequence[Any], zone: str, place: Place) -> list[int | None]:
    """Instants, None where missing; each distinct text is parsed once."""
    known: dict[str, int] = {}
    for position, value in enumerate(values):
        if value is None:
            continue
        if not isinstance(value, str):
            raise DataError(f"{place(position)} must be text in ISO 8601, got {type(value).__name__}")
        if value not in known:
            known[value] = _time(value, zone, position, place)
    return [None if value is None else known[value] for value in values]


def _time(text: str, zone: str, position: int, place: Place) -> int:
    try:
        return read_time(text, zone)
    except DataError as error:
        raise DataError(f"{place(position)}: {error}") from None


def _spell(instant: int, time_format: str | None, zone: str) -> str:
    """An instant in the format of the study's files, which is how the schema reads the column."""
    if time_format == "unix":
        return repr(instant / SECOND)
    when = to_local(instant, zone)
    if time_format is None:
        return when.isoformat()
    return when.strftime(time_format.replace("%Y", f"{when.year:04}"))  # %Y alone leaves out zeros
