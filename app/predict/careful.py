"""A body that the decoder did not take: what is wrong with it in words, or else its rows."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from app.errors import Fault, Problem
from app.faults import problem_of
from app.schemas import RequestModel
from model.rows import EVENTS, Rows, read_time, rows_of
from model.schema import Schema


def read(body: bytes, model: RequestModel, schema: Schema, now: int) -> Rows:
    """Read a body with pydantic, which takes its time and remembers where a fault was.

    Args:
        now: the instant of the question where the body names none.

    Raises:
        Problem: the body is not what the model expects.
    """
    try:
        asked = model.body.validate_json(body)
    except ValidationError as error:
        raise problem_of(error, body, model) from None
    _refuse_twins(body)
    as_of = asked.get("as_of")
    cutoff = read_time(as_of, schema.time_zone) if as_of else now
    return rows_of(asked["customers"], schema, cutoff)


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
    for row, customer in enumerate(asked["customers"], start=1):
        _refuse(customer, row)
        for number, event in enumerate(customer.get(EVENTS) or (), start=1):
            _refuse(event, row, number)


def _refuse(read: dict[str, Any], row: int | None = None, event: int | None = None) -> None:
    if isinstance(read, _Twins):
        fault = Fault(row, event, read.key[:64], "the field twice", "given once", "leave one of the two out")
        raise Problem(422, "invalid-request", str(fault), errors=[fault])
