"""Golden customers: synthetic request rows of a schema's vocabularies and numbers, without customer data."""

from typing import Any, Final

from model.schema import (
    BooleanColumn,
    CategoricalColumn,
    DateColumn,
    EventSchema,
    NumericColumn,
    Scaling,
    Schema,
    TableColumn,
)
from model.times import days, format_instant

N_CUSTOMERS: Final = 6
_GAPS: Final = (0, 3, 9, 30, 31, 75)  # days between the events of a synthetic history


def synthetic_rows(schema: Schema, as_of: int, *, n: int = N_CUSTOMERS) -> tuple[dict[str, Any], ...]:
    """Return n request rows: the first typical in each field, the others low, high, unknown or missing."""
    return tuple(_row(schema, as_of, position) for position in range(n))


def _row(schema: Schema, as_of: int, position: int) -> dict[str, Any]:
    row: dict[str, Any] = {} if schema.id is None else {schema.id: str(position + 1)}
    for index, column in enumerate(schema.columns):
        row[column.name] = _cell(column, as_of, schema.time_zone, position + index if position else 0)
    if schema.events:
        row["events"] = [
            _event(schema.events, as_of, schema.time_zone, position, age)
            for age in reversed(range(position + 1))
        ]
    return row


def _cell(column: TableColumn, as_of: int, zone: str, turn: int) -> str | float | bool | None:
    if isinstance(column, CategoricalColumn):
        return _category(column.vocabulary, turn)
    values = column.values if isinstance(column, NumericColumn) else ()
    number = _number(column.scaling, turn, values)
    if number is None:
        return None
    if isinstance(column, BooleanColumn):
        return number >= 0.5
    if isinstance(column, DateColumn):
        return _date(as_of - days(int(number)), zone)  # rounded down, to stay in the calendar
    return number


def _event(events: EventSchema, as_of: int, zone: str, position: int, age: int) -> dict[str, Any]:
    turn = position + age if position else 0
    event: dict[str, Any] = {events.time: _date(as_of - days(sum(_GAPS[: age + 1])), zone)}
    event |= {v.name: _number(v.scaling, turn) for v in events.values}
    event |= {c.name: _category(c.vocabulary, turn) for c in events.categories}
    return event


def _date(instant: int, zone: str) -> str:
    return format_instant(instant, zone)[:10]


def _number(scaling: Scaling, turn: int, values: tuple[float, ...] = ()) -> float | None:
    """Return in turn median, low, high, missing, and a repeated number if there are any."""
    middle = len(values) // 2
    choices = (scaling.median, scaling.low, scaling.high, None, *values[middle : middle + 1])
    return choices[turn % len(choices)]


def _category(vocabulary: tuple[str, ...], turn: int) -> str | None:
    """Return in turn each known category, an unknown one, and missing."""
    choices = (*vocabulary[:6], "never seen in training", None)
    return choices[turn % len(choices)] if vocabulary else None
