"""What is wrong with a refused body: each fault with its row, its field and what was allowed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json

from app.errors import Fault, Problem
from app.request.schemas import RequestModel
from model.values.rows import EVENTS

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
    if first["type"] == "too_long" and first["loc"][0] in ("customers", "columns"):
        allowed = model.body_fields["customers"]
        return Problem(413, "too-many-rows", f"customers must be {allowed}; send several requests")
    return _refusal(_faults(error, body, model))


def problem_of_row(error: ValidationError, row: int, model: RequestModel) -> Problem:
    """The refusal of one customer that `model.customer` did not accept."""
    details = error.errors(include_url=False)
    if details[0]["type"] == "json_invalid":
        reason = details[0]["ctx"]["error"]
        return _refusal([Fault(row, got=f"something else ({reason})", allowed="a JSON object in UTF-8")])
    return _refusal(list(_of_customer(details, 0, row, model)))


def _refusal(faults: Sequence[Fault]) -> Problem:
    more = f"; the first {_LISTED} faults are listed" if len(faults) == _LISTED else ""
    return Problem(422, "invalid-request", f"{faults[0]}{more}", errors=faults)


def _faults(error: ValidationError, body: bytes, model: RequestModel) -> list[Fault]:
    """Up to `_LISTED` faults: of the body itself, then of its customers one by one."""
    details = error.errors(include_url=False)
    faults = [_of_body(d, model) for d in details if not _in_customer(d) and not _in_columns(d)]
    faults += _of_columns([d for d in details if _in_columns(d)], model)
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


def _in_columns(detail: ErrorDetails) -> bool:
    return detail["loc"][:1] == ("columns",) and len(detail["loc"]) > 1


def _of_body(detail: ErrorDetails, model: RequestModel) -> Fault:
    told = detail.get("ctx", {})
    match detail["type"]:
        case "no_customers":
            return Fault(None, None, "customers", "nothing", f"{model.body_fields['customers']}, or columns")
        case "two_forms":
            hint = "leave one of the two out"
            return Fault(None, None, "columns", "both", "given in place of customers", hint)
        case "no_columns":
            allowed = f"an object with a list for one field at least of {_names(model.customer_fields)}"
            return Fault(None, None, "columns", "an object without a list", allowed)
        case "uneven_columns":
            allowed = f"a list of {told['most']} values, as others are"
            return Fault(None, None, told["field"], f"one of {told['length']}", allowed)
        case "unknown_field" if detail["loc"] == ("columns",):
            return unknown_field(told["field"], model.customer_fields)
        case _:
            return _fault(detail, detail["loc"], model.body_fields)


def _of_columns(details: Iterable[ErrorDetails], model: RequestModel) -> Iterable[Fault]:
    """Faults of columns; the validator stopped at the first of each."""
    faults: dict[tuple[int | None, int | None, str | None], Fault] = {}
    for detail in details:
        _, name, *rest = detail["loc"]
        if rest:
            fault = _in_row(detail, (name, *rest[1:]), int(rest[0]) + 1, model)
        else:
            allowed = f"a list of 1 to {model.max_rows} values, or null"
            fault = Fault(None, None, str(name), _got(detail), allowed)
        if (fault.row, fault.event, fault.field) not in faults or detail["type"] in _TYPES:
            faults[fault.row, fault.event, fault.field] = fault
    return faults.values()


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
        return unknown_field(detail["ctx"]["field"], allowed, row, event)
    if not loc:
        return Fault(row, event, None, _got(detail), f"an object with the fields {_names(allowed)}")
    field = str(loc[0])
    return Fault(row, event, field, _got(detail), allowed[field])


def unknown_field(
    name: str, allowed: Collection[str], row: int | None = None, event: int | None = None
) -> Fault:
    """A field that should not be there, with the nearest that may."""
    nearest = get_close_matches(name[:64], allowed, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else "leave it out"
    return Fault(row, event, name[:64], "an unknown field", f"one of {_names(allowed)}", hint)


def _names(allowed: Collection[str]) -> str:
    return ", ".join(list(allowed)[:_NAMED]) + (", ..." if len(allowed) > _NAMED else "")


def _got(detail: ErrorDetails) -> str:
    return _TYPES.get(detail["type"]) or _KINDS.get(type(detail["input"]), "a number")
