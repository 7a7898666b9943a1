"""A body that the decoder did not take: the rows after all, or what is wrong with it."""

import json
from collections.abc import Sequence
from itertools import islice
from typing import Any

from pydantic_core import from_json

from app.errors import Fault, Problem
from app.request.faults import LISTED, faults_of, refusal, whole
from app.request.structs import AS_OF, COLUMNS, CUSTOMERS, RequestTypes
from model.schema import Schema
from model.values.iso_times import parse_iso_time
from model.values.rows import EVENTS, RequestRows, rows_from_json


def read(body: bytes, types: RequestTypes, schema: Schema, now: int) -> RequestRows:
    """Read a body slowly, value by value.

    Args:
        now: the instant of the prediction if the body names none.

    Raises:
        Problem: the body is not what the model expects.
    """
    try:
        asked = from_json(body)
    except ValueError as error:
        raise _no_json(str(error)) from None
    if faults := list(islice(faults_of(asked, types), LISTED)):
        raise refusal(faults)
    columns = {name: values for name, values in (asked.get(COLUMNS) or {}).items() if values is not None}
    if len(asked.get(CUSTOMERS) or next(iter(columns.values()))) > types.max_rows:
        allowed = f"a list of 1 to {types.max_rows} customers"
        raise Problem(413, "too-many-rows", f"customers must be {allowed}; send several requests")
    _refuse_doubled_keys(body)
    customers = asked.get(CUSTOMERS) or _transposed(columns)
    for name in [name for name, field in types.customer.items() if field.kind.is_whole]:
        for customer in customers:
            if name in customer:
                customer[name] = whole(customer[name])
    as_of = asked.get(AS_OF)
    cutoff = parse_iso_time(as_of, schema.time_zone) if as_of else now
    return rows_from_json(customers, schema, cutoff, types.dates)


def _no_json(reason: str) -> Problem:
    return Problem(400, "invalid-json", f"the body must be JSON in UTF-8: {reason}")


def _transposed(columns: dict[str, Sequence[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


class _Doubled(dict[str, Any]):
    """An object with a key that stands twice."""

    key: str


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) == len(pairs):
        return read
    seen: set[str] = set()
    doubled = _Doubled(read)
    doubled.key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return doubled


def _refuse_doubled_keys(body: bytes) -> None:
    """Refuse a key that stands twice in one object: which of the two counts would be a guess."""
    asked = json.loads(body, object_pairs_hook=_object)
    _refuse_doubled(asked)
    columns = asked.get(COLUMNS) or {}
    _refuse_doubled(columns)
    customers = asked.get(CUSTOMERS) or [{EVENTS: history} for history in columns.get(EVENTS) or ()]
    for row, customer in enumerate(customers, start=1):
        _refuse_doubled(customer, row)
        for number, event in enumerate(customer.get(EVENTS) or (), start=1):
            _refuse_doubled(event, row, number)


def _refuse_doubled(read: dict[str, Any], row: int | None = None, event: int | None = None) -> None:
    if isinstance(read, _Doubled):
        raise refusal(
            [Fault(row, event, read.key[:64], "the field twice", "given once", "leave one of the two out")]
        )
