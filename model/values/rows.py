"""Request rows, JSON objects with the study's own names, and the Customers made of them.

A time in a row is ISO 8601, in any study; without an offset it is in the schema's time zone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Final

import numpy as np

from model.errors import DataError
from model.schema import EventSchema, Schema
from model.times import format_instant
from model.values.columns import Column, as_numbers, as_texts, column_of
from model.values.customers import Customers
from model.values.history import EventLog
from model.values.iso_times import Place, parse_instants

EVENTS: Final = "events"
_DEFAULT_ID: Final = "customer_id"

Row = Mapping[str, Any]
Cell = str | float | bool | None  # None: missing


@dataclass(frozen=True, slots=True)
class RequestRows:
    """N customers of one request or of several.

    Attributes:
        ids: N ids as sent; None where absent.
        cutoffs: N instants.
        cells: N * C values as sent: the C columns of the schema, one customer after another.
        lengths: N numbers of events; empty for a schema without events.
        times: E instants of the events, one customer after another.
        events: the E values of each numeric field of an event, then of each category, as in the schema.
        dates: N instants, None missing, of each date by name: columns of the schema, and those of the
            contract that are none.
    """

    ids: Sequence[str | int | None]
    cutoffs: Sequence[int]
    cells: Sequence[Cell]
    lengths: Sequence[int] = ()
    times: Sequence[int] = ()
    events: Sequence[Sequence[Cell]] = ()
    dates: Mapping[str, Sequence[int | None]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def joined(cls, parts: "Sequence[RequestRows]") -> "RequestRows":
        """Concatenate rows."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            [id_ for part in parts for id_ in part.ids],
            [cutoff for part in parts for cutoff in part.cutoffs],
            list(chain.from_iterable([part.cells for part in parts])),
            [length for part in parts for length in part.lengths],
            [time for part in parts for time in part.times],
            [
                list(chain.from_iterable(field))
                for field in zip(*(part.events for part in parts), strict=True)
            ],
            {name: list(chain.from_iterable(part.dates[name] for part in parts)) for name in parts[0].dates},
        )

    def part(self, start: int, stop: int) -> "RequestRows":
        """Select the customers start to stop."""
        width = len(self.cells) // len(self)
        cells = self.cells[start * width : stop * width]
        lengths = self.lengths[start:stop]
        first = sum(self.lengths[:start])
        events = slice(first, first + sum(lengths))
        fields = [field[events] for field in self.events]
        dates = {name: times[start:stop] for name, times in self.dates.items()}
        return RequestRows(
            self.ids[start:stop], self.cutoffs[start:stop], cells, lengths, self.times[events], fields, dates
        )

    def row(self, at: int) -> Sequence[Cell]:
        """Return the C cells of one customer."""
        width = len(self.cells) // len(self)
        return self.cells[at * width : (at + 1) * width]

    def columns(self) -> list[Sequence[Cell]]:
        """Return the N cells of each column, N > 0."""
        if len(self) == 1:
            return list(zip(self.cells, strict=True))
        width = len(self.cells) // len(self)
        return [self.cells[at::width] for at in range(width)]

    def customers(self, schema: Schema, names: Collection[str] | None = None) -> Customers:
        """Return the customers as columns and a log. The id of a row without one is its number, from 1.

        Dates become texts in ISO 8601, which files may have too, whatever the study's format.

        Args:
            names: the columns to return; None for those of the schema, and the dates of the contract.
        """
        listed = self.columns() if len(self) else ((),) * len(schema.columns)
        cells, dates = dict(zip(schema.column_names, listed, strict=True)), self.dates
        wanted = [name for name in {**cells, **dates} if names is None or name in names]
        return Customers(
            ids=[str(number if id_ is None else id_) for number, id_ in enumerate(self.ids, start=1)],
            cutoffs=np.array(self.cutoffs, dtype=np.int64),
            columns={
                name: _column_of_times(dates[name], schema.time_zone)
                if name in dates
                else column_of(cells[name])
                for name in wanted
            },
            log=self._log(schema.events) if schema.events else None,
        )

    def _log(self, schema: EventSchema) -> EventLog:
        columns = dict(zip(event_fields(schema), map(column_of, self.events), strict=True))
        return EventLog.build(
            np.repeat(np.arange(len(self)), np.array(self.lengths, dtype=np.int64)),
            np.array(self.times, dtype=np.int64),
            n_customers=len(self),
            values={v.name: as_numbers(columns[v.name]) for v in schema.values},
            categories={c.name: as_texts(columns[c.name]) for c in schema.categories},
        )


def cells_by_row(columns: Sequence[Sequence[Cell]]) -> list[Cell]:
    """Return the cells of columns row by row."""
    cells: list[Cell] = [None] * sum(map(len, columns))
    for at, column in enumerate(columns):
        cells[at :: len(columns)] = column
    return cells


def id_field(schema: Schema) -> str:
    """Return the field of a row with the customer's id: the study's own, else `customer_id`."""
    return schema.id or (schema.events.id if schema.events else _DEFAULT_ID)


def event_fields(schema: EventSchema) -> tuple[str, ...]:
    """Return the names of an event's numeric fields, then of its categories."""
    return (*(v.name for v in schema.values), *(c.name for c in schema.categories))


def customers_from_rows(rows: Sequence[Row], schema: Schema, as_of: int) -> Customers:
    """Return the customers of JSON objects with one cutoff. See `rows_from_json`."""
    return rows_from_json(rows, schema, as_of).customers(schema)


def rows_from_json(rows: Sequence[Row], schema: Schema, as_of: int, dates: Sequence[str] = ()) -> RequestRows:
    """Return the rows of N JSON objects: columns by name, and under `events` the history in any order.

    An absent or null field is missing.

    Args:
        as_of: the cutoff, an instant.
        dates: the names of the dates of the contract that are no columns of the schema.

    Raises:
        DataError: a time cannot be parsed, or an event has none.
    """
    id_, names = id_field(schema), schema.column_names
    read = RequestRows(
        [row.get(id_) for row in rows],
        [as_of] * len(rows),
        [row.get(name) for row in rows for name in names],
        dates={
            name: parse_instants([row.get(name) for row in rows], schema.time_zone, _cell_of(name))
            for name in [*schema.date_formats, *dates]
        },
    )
    return read if schema.events is None else _with_events(read, rows, schema.events, schema.time_zone)


def _with_events(read: RequestRows, rows: Sequence[Row], schema: EventSchema, zone: str) -> RequestRows:
    histories = [row.get(EVENTS) or () for row in rows]
    events = list(chain.from_iterable(histories))
    lengths = [len(history) for history in histories]

    def place(position: int) -> str:
        ends = np.cumsum(lengths)
        owner = int(np.searchsorted(ends, position, side="right"))
        return f"row {owner + 1}: event {position - int(ends[owner]) + lengths[owner] + 1}: {schema.time}"

    times = parse_instants([event.get(schema.time) for event in events], zone, place)
    if None in times:
        raise DataError(f"{place(times.index(None))} is required, as a time in ISO 8601")
    known = [time for time in times if time is not None]
    fields = [[event.get(name) for event in events] for name in event_fields(schema)]
    return replace(read, lengths=lengths, times=known, events=fields)


def _column_of_times(times: Sequence[int | None], zone: str) -> Column:
    texts = {time: format_instant(time, zone) for time in set(times) if time is not None}
    return column_of(None if time is None else texts[time] for time in times)


def _cell_of(name: str) -> Place:
    return lambda position: f"row {position + 1}: {name}"
