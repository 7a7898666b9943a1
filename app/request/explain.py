"""A body that the decoder did not take: what is wrong with it in words, or else its rows."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from app.errors import Fault, Problem
from app.request.faults import problem_of, problem_of_row
from app.request.schemas import RequestModel
from model.schema import Schema
from model.values.iso_times import parse_iso_time
from model.values.rows import EVENTS, RequestRows, rows_from_json


def read(body: bytes, model: RequestModel, schema: Schema, now: int) -> RequestRows:
    """Read a body with pydantic, which takes its time and remembers where a fault was.

    Args:
        now: the instant of the question where the body names none.

    Raises:
        Problem: the body is not what the model expects.
    """
    problem = None
    try:
        asked = model.body.validate_json(body)
    except ValidationError as error:
        problem = problem_of(error, body, model)
    if problem:  # raised out here: the error is not its context, whose frames would hold the body for long
        raise problem
    _refuse_twins(body)
    as_of = asked.get("as_of")
    cutoff = parse_iso_time(as_of, schema.time_zone) if as_of else now
    return rows_from_json(asked.get("customers") or _transposed(asked["columns"]), schema, cutoff)


def read_row(line: bytes, row: int, model: RequestModel, schema: Schema, as_of: int) -> RequestRows:
    """The same for one customer, as a line of a file has it.

    Args:
        row: the customer's number, from 1.

    Raises:
        Problem: the line is not what the model expects.
    """
    try:
        customer = model.customer.validate_json(line)
    except ValidationError as error:
        raise problem_of_row(error, row, model) from None
    _refuse_twins_of(json.loads(line, object_pairs_hook=_object), row)
    return rows_from_json([customer], schema, as_of)


def read_history(text: bytes, row: int, model: RequestModel, schema: Schema) -> RequestRows:
    """The events of one customer, as a cell of a file has them.

    Raises:
        Problem: the text is not what the model expects.
    """
    try:
        json.loads(text)  # it is one value, which nothing can follow
    except (ValueError, RecursionError):
        fault = Fault(row, None, EVENTS, "a text that is no JSON", model.customer_fields[EVENTS])
        raise Problem(422, "invalid-request", str(fault), errors=[fault]) from None
    return read_row(b'{"%s": %s}' % (EVENTS.encode(), text), row, model, schema, 0)


def _transposed(columns: Mapping[str, Sequence[Any] | None]) -> list[dict[str, Any]]:
    lists = {name: values for name, values in columns.items() if values is not None}
    return [dict(zip(lists, cells, strict=True)) for cells in zip(*lists.values(), strict=True)]


class _Twins(dict[str, Any]):
    """An object in which a key stands twice."""

    key: str


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) == len(pairs):
        return read
    seen: set[str] = set()
    twins = _Twins(read)
    twins.key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return twins


def _refuse_twins(body: bytes) -> None:
    """Refuse the first key that stands twice in one object: which of the two counts is anybody's guess."""
    asked = json.loads(body, object_pairs_hook=_object)
    _refuse(asked)
    if "columns" in asked:
        _refuse(asked["columns"])
        customers = [{EVENTS: history} for history in asked["columns"].get(EVENTS) or ()]
    else:
        customers = asked["customers"]
    for row, customer in enumerate(customers, start=1):
        _refuse_twins_of(customer, row)


def _refuse_twins_of(customer: dict[str, Any], row: int) -> None:
    _refuse(customer, row)
    for number, event in enumerate(customer.get(EVENTS) or (), start=1):
        _refuse(event, row, number)


def _refuse(read: dict[str, Any], row: int | None = None, event: int | None = None) -> None:
    if isinstance(read, _Twins):
        fault = Fault(row, event, read.key[:64], "the field twice", "given once", "leave one of the two out")
        raise Problem(422, "invalid-request", str(fault), errors=[fault])
