"""The request model of a checkpoint, made from its own schema: what a body may hold, and how that is said."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from types import GenericAlias, MappingProxyType
from typing import Annotated, Any, Final, Literal, NamedTuple, Required, assert_never

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    TypeAdapter,
    WithJsonSchema,
    with_config,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from model.errors import DataError
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
from model.values.iso_times import parse_iso_time
from model.values.rows import EVENTS, id_field

FLOAT32_MAX: Final = 3.4028234663852886e38
TEXT_NUMBER: Final = 10**15  # from here on, the text of a number depends on how it was written
MAX_ID_LENGTH: Final = 256
_SHOWN: Final = 50  # categories listed in the API document
_MISSING: Final = "null counts as missing"
_ECHOED: Final = "for the answer only; without it the row's number"
_EITHER: Final = {"oneOf": [{"required": ["customers"]}, {"required": ["columns"]}]}
_A_LIST: Final = {"not": {"additionalProperties": {"type": "null"}}}  # one at least
_TIME: Final = "a time in ISO 8601 such as 1997-03-01"


def _check_time(text: str) -> str:
    try:
        parse_iso_time(text)
    except DataError:
        raise PydanticCustomError("not_a_time", "not a time") from None
    return text


def _whole(number: Any) -> Any:
    """17.0 is a whole number in JSON, and what becomes of 17 on the way through a table with gaps."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


_Number = Annotated[float, Strict(), Field(ge=-FLOAT32_MAX, le=FLOAT32_MAX, allow_inf_nan=False)]
_Boolean = Annotated[bool, Strict()] | Literal[0, 1]
_Time = Annotated[
    str,
    AfterValidator(_check_time),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}),
]
_Category = (
    str | Annotated[bool, Strict()] | Annotated[float, Strict(), Field(gt=-TEXT_NUMBER, lt=TEXT_NUMBER)]
)
_Id = (
    Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)]
    | Annotated[int, Strict(), Field(ge=-(2**63), lt=2**63), BeforeValidator(_whole)]
)


class _Field(NamedTuple):
    """A field of a record: its annotation, and the same in words."""

    type: Any
    allowed: str


@dataclass(frozen=True)
class RequestModel:
    """What a request to one model may hold.

    Attributes:
        body: the whole body; stops at the first customer with a fault, so that its cost is bounded.
        customer: one customer, for telling the faults of each.
        max_rows: customers in one body.
        body_fields, customer_fields, event_fields: what is allowed, in words, by field.
    """

    body: TypeAdapter[dict[str, Any]]
    customer: TypeAdapter[dict[str, Any]]
    max_rows: int
    body_fields: Mapping[str, str]
    customer_fields: Mapping[str, str]
    event_fields: Mapping[str, str]


def request_model(schema: Schema, *, max_rows: int) -> RequestModel:
    """The request model of a schema. An absent or null field is missing; a further field is refused."""
    events = _event_fields(schema.events, schema.time_zone) if schema.events else {}
    customers = _customer_fields(schema, events)
    customer = _record("Customer", customers)
    zone = _zone_note(schema.time_zone)
    body = {
        "as_of": _optional(_Time, _TIME, f"the instant of the question; now if absent; {zone}", "1997-12-31"),
        "customers": _Field(
            Annotated[_list_of(customer), Field(min_length=1, max_length=max_rows)],
            f"a list of 1 to {max_rows} customers",
        ),
        "columns": _columns(customers, max_rows),
    }
    request: Any = Annotated[_record("Request", body, extra=_EITHER), AfterValidator(_one_form)]
    return RequestModel(
        TypeAdapter(request),
        TypeAdapter(customer),
        max_rows,
        *({name: field.allowed for name, field in fields.items()} for fields in (body, customers, events)),
    )


def _customer_fields(schema: Schema, events: Mapping[str, _Field]) -> dict[str, _Field]:
    fields = {
        id_field(schema): _optional(_Id, "a text of 1 to 256 characters or a whole number", _ECHOED, "17")
    }
    fields |= {column.name: _column(column, schema.time_zone) for column in schema.columns}
    if schema.events:
        event = _record("Event", events, required={schema.events.time})
        said = Field(description="the history, in any order")
        fields[EVENTS] = _Field(Annotated[_list_of(event) | None, said], "a list of events or null")
    return fields


def _columns(fields: Mapping[str, _Field], max_rows: int) -> _Field:
    """The same customers, each field a list of the values of all."""
    lists = {
        name: _Field(
            Annotated[_list_of(field.type), Field(min_length=1, max_length=max_rows)] | None, field.allowed
        )
        for name, field in fields.items()
    }
    said = "in place of customers: an object with a list of values for each field, all of one length"
    record: Any = Annotated[
        _record("Columns", lists, extra=_A_LIST), AfterValidator(_even), Field(description=said)
    ]
    return _Field(record, "an object of lists, which have a value for each customer")


def _event_fields(schema: EventSchema, zone: str) -> dict[str, _Field]:
    said = Field(description=f"{_TIME}; {_zone_note(zone)}", examples=["1997-03-01"])
    fields = {schema.time: _Field(Annotated[_Time, said], _TIME)}
    fields |= {value.name: _number(value.scaling) for value in schema.values}
    return fields | {c.name: _category(c.vocabulary) for c in schema.categories}


def _column(column: TableColumn, zone: str) -> _Field:
    match column:
        case NumericColumn():
            return _number(column.scaling)
        case BooleanColumn():
            return _optional(_Boolean, "true, false, 1 or 0", _MISSING, column.scaling.median >= 0.5)
        case DateColumn():
            note = f"a date after as_of counts as missing; {_zone_note(zone)}"
            return _optional(_Time, _TIME, note, "1997-03-01")
        case CategoricalColumn():
            return _category(column.vocabulary)
        case _:
            assert_never(column)


def _zone_note(zone: str) -> str:
    return f"without an offset it is a time of {zone}"


def _number(scaling: Scaling) -> _Field:
    note = f"from {scaling.low:.6g} to {scaling.high:.6g} in training"
    return _optional(_Number, "a finite number", note, scaling.median)


def _category(vocabulary: tuple[str, ...]) -> _Field:
    return _optional(
        _Category,
        "a text, a number below 10^15, true or false",
        "what training never saw counts as unknown",
        vocabulary[0] if vocabulary else None,
        {"x-known-categories": list(vocabulary[:_SHOWN])},
    )


def _optional(
    type_: Any, allowed: str, note: str, example: Any, extra: dict[str, Any] | None = None
) -> _Field:
    """A field that may be null."""
    allowed = f"{allowed}, or null"
    examples = None if example is None else [example]
    said = Field(description=f"{allowed}; {note}", examples=examples, json_schema_extra=extra)
    return _Field(Annotated[type_ | None, said], allowed)


def _list_of(record: Any) -> Any:
    return Annotated[GenericAlias(list, (record,)), Field(fail_fast=True)]


def _record(
    name: str,
    fields: Mapping[str, _Field],
    required: Set[str] = frozenset(),
    extra: Mapping[str, Any] = MappingProxyType({}),
) -> Any:
    """A JSON object of exactly these fields.

    Further fields are let in and refused afterwards, by one error for all of them: an error for each
    would let a body of a million fields cost a gigabyte.

    Args:
        extra: further keywords of its JSON Schema.
    """
    types = {n: Required[f.type] if n in required else f.type for n, f in fields.items()}
    record: Any = TypedDict(name, types, total=False)  # type: ignore[misc]
    with_config(ConfigDict(extra="allow", json_schema_extra={"additionalProperties": False, **extra}))(record)
    return Annotated[record, AfterValidator(_only(frozenset(fields)))]


def _one_form(body: dict[str, Any]) -> dict[str, Any]:
    if ("customers" in body) == ("columns" in body):
        kind = "two_forms" if "columns" in body else "no_customers"
        raise PydanticCustomError(kind, "customers, or else columns")
    return body


def _even(columns: dict[str, Any]) -> dict[str, Any]:
    lengths = {name: len(values) for name, values in columns.items() if values is not None}
    if not lengths:
        raise PydanticCustomError("no_columns", "no columns")
    most = max(lengths.values())
    for name, length in lengths.items():
        if length != most:
            told = {"field": name, "length": length, "most": most}
            raise PydanticCustomError("uneven_columns", "uneven columns", told)
    return columns


def _only(known: frozenset[str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def check(record: dict[str, Any]) -> dict[str, Any]:
        if not record.keys() <= known:
            name = next(key for key in record if key not in known)
            raise PydanticCustomError("unknown_field", "unknown field", {"field": name})
        return record

    return check
