"""What is wrong with a body: each fault with its row, its field, what came and what is allowed."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import chain, islice
from typing import Any, Final

import msgspec

from app.errors import Fault, Problem
from app.request.fields import Field, Kind
from app.request.structs import AS_OF, COLUMNS, CUSTOMERS, RequestTypes
from model.errors import DataError
from model.values.iso_times import parse_iso_time
from model.values.rows import EVENTS

LISTED: Final = 100  # faults in one response
_NAMED: Final = 20  # fields named in one fault
_HISTORY: Final = "a list of events or null"


def refusal(faults: Sequence[Fault]) -> Problem:
    """Return the problem whose detail is the first fault."""
    more = f"; the first {LISTED} faults are listed" if len(faults) == LISTED else ""
    return Problem(422, "invalid-request", f"{faults[0]}{more}", errors=faults)


def unknown_field(
    name: str, allowed: Collection[str], row: int | None = None, event: int | None = None
) -> Fault:
    """Return the fault of a field that is not allowed, with the nearest one that is."""
    nearest = get_close_matches(name[:64], allowed, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else "leave it out"
    return Fault(row, event, name[:64], "an unknown field", f"one of {_names(allowed)}", hint)


def faults_of(body: Any, types: RequestTypes) -> Iterator[Fault]:
    """Yield the faults of a JSON value as a body, in the order of its customers."""
    fields = (AS_OF, CUSTOMERS, COLUMNS)
    if not isinstance(body, dict):
        yield Fault(None, None, None, _got(body), f"an object with the fields {_names(fields)}")
        return
    faults = chain(
        _of_value(body.get(AS_OF), AS_OF, types.as_of),
        _of_customers(body.get(CUSTOMERS), types),
        _of_columns(body.get(COLUMNS), types),
    )
    if first := next(faults, None):
        yield first
        yield from faults
    elif (unknown := _first_unknown(body, fields)) is not None:
        yield unknown_field(unknown, fields)
    else:
        given = [name for name in (CUSTOMERS, COLUMNS) if body.get(name) is not None]
        if not given:
            allowed = f"a list of 1 to {types.max_rows} customers, or columns"
            yield Fault(None, None, CUSTOMERS, "nothing", allowed)
        elif len(given) == 2:
            allowed = "given in place of customers"
            yield Fault(None, None, COLUMNS, "both", allowed, "leave one of the two out")


def _of_customers(customers: Any, types: RequestTypes) -> Iterator[Fault]:
    if customers is None:
        return
    if not isinstance(customers, list) or not customers:
        yield Fault(None, None, CUSTOMERS, _got_list(customers), f"a list of 1 to {types.max_rows} customers")
        return
    for row, customer in enumerate(customers[: types.max_rows], start=1):
        faults = list(_of_fields(customer, types.customer, row))
        if isinstance(customer, dict):
            if types.event:
                faults += _of_history(customer.get(EVENTS), types, row)
            if not faults and (unknown := _first_unknown(customer, types.customer_names)) is not None:
                faults = [unknown_field(unknown, types.customer_names, row)]
        yield from faults


def _of_fields(
    record: Any,
    fields: Mapping[str, Field],
    row: int,
    event: int | None = None,
    required: str | None = None,
) -> Iterator[Fault]:
    if not isinstance(record, dict):
        yield Fault(row, event, None, _got(record), f"an object with the fields {_names(fields)}")
        return
    for name, field in fields.items():
        if name in record:
            yield from _of_value(record[name], name, field, row, event)
        elif name == required:
            yield Fault(row, event, name, "nothing", field.allowed)


def _of_history(history: Any, types: RequestTypes, row: int) -> Iterator[Fault]:
    """Yield the faults of the first event that has any."""
    if history is None:
        return
    if not isinstance(history, list):
        yield Fault(row, None, EVENTS, _got(history), _HISTORY)
        return
    for number, event in enumerate(history, start=1):
        if faults := list(_of_fields(event, types.event, row, number, types.time)):
            yield from faults
            return
        if (unknown := _first_unknown(event, types.event)) is not None:
            yield unknown_field(unknown, types.event, row, number)
            return


def _of_columns(columns: Any, types: RequestTypes) -> Iterator[Fault]:
    if columns is None:
        return
    if not isinstance(columns, dict):
        yield Fault(None, None, COLUMNS, _got(columns), "an object with a list of values for each field")
        return
    names = types.customer_names
    faults = (fault for name in names for fault in islice(_of_column(columns.get(name), name, types), 1))
    if first := next(faults, None):
        yield first
        yield from faults
    elif (unknown := _first_unknown(columns, names)) is not None:
        yield unknown_field(unknown, names)
    else:
        yield from _of_lengths(
            {name: len(values) for name, values in columns.items() if values is not None}, names
        )


def _of_column(values: Any, name: str, types: RequestTypes) -> Iterator[Fault]:
    if values is None:
        return
    if not isinstance(values, list) or not values:
        yield Fault(None, None, name, _got_list(values), f"a list of 1 to {types.max_rows} values, or null")
        return
    for row, value in enumerate(values[: types.max_rows], start=1):
        if name in types.customer:
            yield from _of_value(value, name, types.customer[name], row)
        else:
            yield from _of_history(value, types, row)


def _of_lengths(lengths: Mapping[str, int], names: Collection[str]) -> Iterator[Fault]:
    if not lengths:
        allowed = f"an object with a list for one field at least of {_names(names)}"
        yield Fault(None, None, COLUMNS, "an object without a list", allowed)
        return
    most = max(lengths.values())
    for name, length in lengths.items():
        if length != most:
            yield Fault(None, None, name, f"one of {length}", f"a list of {most} values, as others are")
            return


def _of_value(
    value: Any, name: str, field: Field, row: int | None = None, event: int | None = None
) -> Iterator[Fault]:
    try:
        checked = msgspec.convert(whole(value) if field.kind.is_whole else value, field.type)
        if field.kind.is_time and checked is not None:
            parse_iso_time(checked)
    except (msgspec.ValidationError, DataError):
        yield Fault(row, event, name, _got(value, field.kind), field.allowed)


def _got(value: Any, kind: Kind | None = None) -> str:
    """Name a refused value by its kind; the value itself may be secret."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return _got_text(value, kind)
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return _got_number(value, kind.bound if kind else None)


def _got_list(value: Any) -> str:
    return "an empty list" if value == [] else _got(value)


def _got_text(text: str, kind: Kind | None) -> str:
    if kind and kind.is_time:
        return "a text that is no such time"
    if kind and kind.max_length:
        return "a text that is too long" if text else "an empty text"
    return "a text"


def _got_number(number: int | float, bound: float | None) -> str:
    try:
        finite = math.isfinite(number)
    except OverflowError:
        finite = False
    if not finite:
        return "a number that is not finite or too large"
    if bound is None or abs(number) < bound:
        return "a number"
    return f"a number that is too {'large' if number > 0 else 'small'}"


def whole(value: Any) -> Any:
    """Return 17 for 17.0, and any other value as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _names(allowed: Collection[str]) -> str:
    return ", ".join(list(allowed)[:_NAMED]) + (", ..." if len(allowed) > _NAMED else "")


def _first_unknown(record: Mapping[str, Any], allowed: Collection[str]) -> str | None:
    return next((name for name in record if name not in allowed), None)
