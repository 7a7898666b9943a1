"""What msgspec is told of the JSON of a checkpoint's schema: the types of a body, a customer, a history."""

from collections.abc import Collection, Sequence
from types import GenericAlias
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.request.schemas import FLOAT32_MAX, MAX_ID_LENGTH, TEXT_NUMBER
from model.schema import BooleanColumn, CategoricalColumn, DateColumn, EventSchema, Schema, TableColumn
from model.values.rows import EVENTS, id_field

_Number = Annotated[float, Meta(ge=-FLOAT32_MAX, le=FLOAT32_MAX)]
_Flag = bool | Annotated[int, Meta(ge=0, le=1)]
_Category = (
    str
    | bool
    | Annotated[int, Meta(gt=-TEXT_NUMBER, lt=TEXT_NUMBER)]
    | Annotated[float, Meta(gt=-TEXT_NUMBER, lt=TEXT_NUMBER)]
)
_Id = (
    Annotated[str, Meta(min_length=1, max_length=MAX_ID_LENGTH)]
    | Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
)


def body(schema: Schema, max_rows: int, customer: Any) -> Any:
    """A whole body: `customers`, or else `columns`, and perhaps `as_of`. What is not there is UNSET.

    Args:
        customer: as below.
    """
    columns = _struct("Columns", [(n, _list_of(type_, max_rows) | None) for n, type_ in _fields(schema)])
    fields: list[tuple[str, Any, Any]] = [
        ("customers", _list_of(customer, max_rows) | UnsetType, UNSET),
        ("columns", columns | UnsetType, UNSET),
        ("as_of", str | None | UnsetType, UNSET),
    ]
    return msgspec.defstruct("Body", fields, forbid_unknown_fields=True, gc=False)


def customer(schema: Schema, *, whole: bool) -> Any:
    """One customer: the id, every column in the schema's order, the events.

    Args:
        whole: whether the customer must have every column.
    """
    return _struct("Customer", _fields(schema), required=schema.column_names if whole else ())


def history(schema: Schema) -> Any:
    """The events of one customer."""
    return GenericAlias(list, (_event(schema.events),)) | None if schema.events else None


def _fields(schema: Schema) -> list[tuple[str, Any]]:
    fields: list[tuple[str, Any]] = [(id_field(schema), _Id | None)]
    fields += [(column.name, _type_of(column) | None) for column in schema.columns]
    return [*fields, (EVENTS, history(schema))] if schema.events else fields


def _list_of(type_: Any, max_rows: int) -> Any:
    return Annotated[GenericAlias(list, (type_,)), Meta(min_length=1, max_length=max_rows)]


def attribute(position: int) -> str:
    """What Python calls a field: its own name may be no word of Python's."""
    return f"field_{position}"


def _struct(name: str, fields: Sequence[tuple[str, Any]], required: Collection[str] = ()) -> Any:
    """An object of exactly these fields, each but the required ones optional."""
    described = [
        (attribute(position), type_, msgspec.field(name=field))
        if field in required
        else (attribute(position), type_ | UnsetType, msgspec.field(name=field, default=UNSET))
        for position, (field, type_) in enumerate(fields)
    ]
    return msgspec.defstruct(name, described, forbid_unknown_fields=True, gc=False, kw_only=True)


def _event(schema: EventSchema) -> Any:
    fields: list[tuple[str, Any]] = [(schema.time, str)]
    fields += [(value.name, _Number | None) for value in schema.values]
    fields += [(category.name, _Category | None) for category in schema.categories]
    return _struct("Event", fields, required=(schema.time,))


def _type_of(column: TableColumn) -> Any:
    match column:
        case CategoricalColumn():
            return _Category
        case BooleanColumn():
            return _Flag
        case DateColumn():
            return str
        case _:
            return _Number
