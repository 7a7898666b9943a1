"""What is wrong with a refused body: each fault with its row, its field and what was allowed."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json

from app.errors import Fault, Problem
from app.schemas import RequestModel
from model.rows import EVENTS

_Loc = tuple[int | str, ...]

_LISTED: Final = 100  # faults in one answer
_NAMED: Final = 20  # fields named in one fault
_KINDS: Final = {str: "a text", bool: "a boolean", list: "a list", dict: "an object", type(None): "null"}
_TYPES: Final = {
    "missing": "nothing",
    "finite_number": "a number that is not finite or too large",
    "less_than": "a number that is too large",
    "less_than_equal": "a number that is too large",
    "greater_than": "a number that is too small",
    "greater_than_equal": "a number that is too small",
    "not_a_time": "a text that is no such time",
    "string_too_short": "an empty text",
    "string_too_long": "a text that is too long",
    "too_short": "an empty list",
}


def problem_of(error: ValidationError, body: bytes, model: RequestModel) -> Problem:
    """The refusal of a body that `model.body` did not accept."""
    first = error.errors(include_url=False)[0]
    if first["type"] == "json_invalid":
        return Problem(400, "invalid-json", f"the body must be JSON in UTF-8: {first['ctx']['error']}")
    if first["type"] == "too_long" and first["loc"] == ("customers",):
        return Problem(
            413, "too-many-rows", f"customers must be {model.body_fields['customers']}; send several requests"
        )
    faults = _faults(error, body, model)
    more = f"; the first {_LISTED} faults are listed" if len(faults) == _LISTED else ""
    return Problem(422, "invalid-request", f"{faults[0]}{more}", errors=faults)


def _faults(error: ValidationError, body: bytes, model: RequestModel) -> list[Fault]:
    """Up to `_LISTED` faults: of the body itself, then of its customers one by one."""
    details = error.errors(include_url=False)
    faults = [_fault(d, d["loc"], model.body_fields) for d in details if not _in_customer(d)]
    inside = [d for d in details if _in_customer(d)]
    if inside:
        first = int(inside[0]["loc"][1])  # the validator stopped there
        faults += _of_customer(inside, 2, first + 1, model)
        later = from_json(body)["customers"][first + 1 : model.max_rows]
        for row, customer in enumerate(later, start=first + 2):
            if len(faults) >= _LISTED:
                break
            faults += _of_customer(_details(customer, model), 0, row, model)
    return faults[:_LISTED]


def _in_customer(detail: ErrorDetails) -> bool:
    return detail["loc"][:1] == ("customers",) and len(detail["loc"]) > 1


def _details(customer: Any, model: RequestModel) -> list[ErrorDetails]:
    try:
        model.customer.validate_python(customer)
    except ValidationError as error:
        return error.errors(include_url=False)
    return []


def _of_customer(
    details: Iterable[ErrorDetails], depth: int, row: int, model: RequestModel
) -> Iterable[Fault]:
    """Faults of one customer; its errors have the customer's place at `depth` of their own."""
    faults: dict[tuple[int | None, str | None], Fault] = {}
    for detail in details:  # a union gives one for each of its members
        fault = _in_row(detail, detail["loc"][depth:], row, model)
        if (fault.event, fault.field) not in faults or detail["type"] in _TYPES:
            faults[fault.event, fault.field] = fault
    return faults.values()


def _in_row(detail: ErrorDetails, loc: _Loc, row: int, model: RequestModel) -> Fault:
    if len(loc) > 1 and loc[0] == EVENTS and isinstance(loc[1], int):
        return _fault(detail, loc[2:], model.event_fields, row=row, event=loc[1] + 1)
    return _fault(detail, loc, model.customer_fields, row=row)


def _fault(
    detail: ErrorDetails,
    loc: _Loc,
    allowed: Mapping[str, str],
    *,
    row: int | None = None,
    event: int | None = None,
) -> Fault:
    if detail["type"] == "unknown_field":
        return _unknown_field(detail["ctx"]["field"], allowed, row, event)
    if not loc:
        return Fault(row, event, None, _got(detail), f"an object with the fields {_names(allowed)}")
    field = str(loc[0])
    return Fault(row, event, field, _got(detail), allowed[field])


def _unknown_field(name: str, allowed: Mapping[str, str], row: int | None, event: int | None) -> Fault:
    nearest = get_close_matches(name[:64], allowed, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else "leave it out"
    return Fault(row, event, name[:64], "an unknown field", f"one of {_names(allowed)}", hint)


def _names(allowed: Mapping[str, str]) -> str:
    return ", ".join(list(allowed)[:_NAMED]) + (", ..." if len(allowed) > _NAMED else "")


def _got(detail: ErrorDetails) -> str:
    return _TYPES.get(detail["type"]) or _KINDS.get(type(detail["input"]), "a number")
