"""The fields of a request to one model: of each its rule in words and its type, in one place.

msgspec turns the types into the decoder and the API document. `app.request.explain` holds single values to
them.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Final, NamedTuple, assert_never

from msgspec import Meta

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
from model.values.rows import id_field

_FLOAT32_MAX: Final = 3.4028234663852886e38
_TEXT_NUMBER: Final = 10**15  # from here on, the text of a number depends on how it was written
_ID_LENGTH: Final = 256
_LISTED: Final = 50  # categories in the API document


class Kind(NamedTuple):
    """What a value may be.

    Attributes:
        rule: in words.
        type: for msgspec.
        bound: of numbers: the largest and, negated, the smallest; None: numbers have none, or are refused.
        max_length: of texts; None: texts have none, or are refused.
        is_time: whether a text must be a time.
        is_whole: whether numbers must be whole; 17.0 counts as 17.
    """

    rule: str
    type: Any
    bound: float | None = None
    max_length: int | None = None
    is_time: bool = False
    is_whole: bool = False


NUMBER: Final = Kind(
    "a finite number", Annotated[float, Meta(ge=-_FLOAT32_MAX, le=_FLOAT32_MAX)], bound=_FLOAT32_MAX
)
FLAG: Final = Kind("true, false, 1 or 0", bool | Annotated[int, Meta(ge=0, le=1)], is_whole=True)
TIME: Final = Kind(
    "a time in ISO 8601 such as 1997-03-01",
    Annotated[str, Meta(extra_json_schema={"anyOf": [{"format": "date"}, {"format": "date-time"}]})],
    is_time=True,
)
CATEGORY: Final = Kind(
    "a text, a number below 10^15, true or false",
    str
    | bool
    | Annotated[int, Meta(gt=-_TEXT_NUMBER, lt=_TEXT_NUMBER)]
    | Annotated[float, Meta(gt=-_TEXT_NUMBER, lt=_TEXT_NUMBER)],
    bound=_TEXT_NUMBER,
)
ID: Final = Kind(
    f"a text of 1 to {_ID_LENGTH} characters or a whole number",
    Annotated[str, Meta(min_length=1, max_length=_ID_LENGTH)]
    | Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)],
    bound=2**63,
    max_length=_ID_LENGTH,
    is_whole=True,
)


class Field(NamedTuple):
    """A field of a request.

    Attributes:
        kind: of its values.
        allowed: the rule in words, with null where it may be null.
        type: for msgspec, with what the API document says.
    """

    kind: Kind
    allowed: str
    type: Any


def as_of_field(schema: Schema) -> Field:
    """Return the field of a body that holds the instant of the prediction."""
    return _optional(TIME, f"the instant of the prediction; now if absent; {_zone(schema)}", "1997-12-31")


def customer_fields(schema: Schema, dates: Iterable[str] = ()) -> dict[str, Field]:
    """Return the fields of a customer but for its events: the id, every column in the schema's order, dates.

    Args:
        dates: of the contract, which are no columns of the schema.
    """
    id_ = _optional(ID, "for the response only; the row's number if absent", "17")
    columns = {column.name: _of_column(column, schema) for column in schema.columns}
    date = _optional(TIME, f"of the contract, for `eligible` only; {_zone(schema)}", "1997-03-01")
    return {id_field(schema): id_} | columns | dict.fromkeys(dates, date)


def event_fields(schema: Schema, events: EventSchema) -> dict[str, Field]:
    """Return the fields of an event: the time, which is required, the numbers, the categories."""
    said = Meta(description=f"{TIME.rule}; {_zone(schema)}", examples=["1997-03-01"])
    return {
        events.time: Field(TIME, TIME.rule, Annotated[TIME.type, said]),
        **{value.name: _number(value.scaling) for value in events.values},
        **{category.name: _category(category.vocabulary) for category in events.categories},
    }


def _of_column(column: TableColumn, schema: Schema) -> Field:
    match column:
        case NumericColumn():
            return _number(column.scaling)
        case BooleanColumn():
            return _optional(FLAG, "null counts as missing", column.scaling.median >= 0.5)
        case DateColumn():
            return _optional(TIME, f"a date after as_of counts as missing; {_zone(schema)}", "1997-03-01")
        case CategoricalColumn():
            return _category(column.vocabulary)
        case _:
            assert_never(column)


def _zone(schema: Schema) -> str:
    return f"without an offset it is a time of {schema.time_zone}"


def _number(scaling: Scaling) -> Field:
    note = f"from {scaling.low:.6g} to {scaling.high:.6g} in training"
    return _optional(NUMBER, note, scaling.median)


def _category(vocabulary: tuple[str, ...]) -> Field:
    note = "a category that training never saw counts as unknown"
    known = {"x-known-categories": list(vocabulary[:_LISTED])}
    return _optional(CATEGORY, note, vocabulary[0] if vocabulary else None, known)


def _optional(kind: Kind, note: str, example: Any, extra: dict[str, Any] | None = None) -> Field:
    """A field that may be null."""
    allowed = f"{kind.rule}, or null"
    examples = None if example is None else [example]
    said = Meta(description=f"{allowed}; {note}", examples=examples, extra_json_schema=extra)
    return Field(kind, allowed, Annotated[kind.type | None, said])
