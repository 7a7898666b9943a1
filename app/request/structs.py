"""The msgspec types of a request to one model, and of its response; the API document describes them."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from types import GenericAlias
from typing import Annotated, Any, Final, Self

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.request.fields import Field, as_of_field, customer_fields, event_fields
from model.schema import Schema
from model.values.rows import EVENTS

AS_OF: Final = "as_of"
CUSTOMERS: Final = "customers"
COLUMNS: Final = "columns"
_HISTORY: Final = "every event up to `as_of`, in any order; a shorter history counts as a shorter life"
_ONE_OF_THE_TWO: Final = [
    {
        "required": [given],
        "properties": {given: {"not": {"type": "null"}}, absent: {"type": "null"}},
    }
    for given, absent in ((CUSTOMERS, COLUMNS), (COLUMNS, CUSTOMERS))
]
_ONE_LIST_AT_LEAST: Final = {"additionalProperties": {"type": "null"}}


@dataclass(frozen=True)
class RequestTypes:
    """What a request to one model may hold.

    Attributes:
        as_of: the field of a body.
        customer: the fields of a customer, by name, but for its `events`.
        dates: the last of these: dates of the contract that are no columns of the schema.
        event: the fields of an event, by name; empty for a schema without events.
        time: the field of an event that is required.
        max_rows: customers in one body.
        body: any body.
        whole_body: a body whose customers have every column and their events every field, which is quicker
            to decode.
    """

    as_of: Field
    customer: Mapping[str, Field]
    dates: tuple[str, ...]
    event: Mapping[str, Field]
    time: str | None
    max_rows: int
    body: Any
    whole_body: Any

    @classmethod
    def build(cls, schema: Schema, *, max_rows: int, contract: Iterable[str] = ()) -> Self:
        """Build the types of a schema. An absent or null field is missing; no other field may be there.

        Args:
            contract: the columns that hold dates of the task.
        """
        dates = tuple(name for name in contract if name not in schema.column_names)
        as_of, customer, event, time = as_of_field(schema), customer_fields(schema, dates), {}, None
        if schema.events:
            event, time = event_fields(schema, schema.events), schema.events.time

        def body(*, whole: bool) -> Any:
            types = {name: field.type for name, field in customer.items()}
            if event:
                needed = {name for name in event if whole or name == time}
                one = struct("Event", {name: field.type for name, field in event.items()}, needed)
                history = GenericAlias(list, (one,)) | None
                types[EVENTS] = Annotated[history, Meta(description=_HISTORY)]
            columns = struct("Columns", {n: _list_of(type_, max_rows) | None for n, type_ in types.items()})
            required = set(schema.column_names) if whole else set()
            customers = _list_of(struct("Customer", types, required), max_rows)
            described = Meta(description="in place of customers: for each field a list with a value of each")
            fields = {
                AS_OF: as_of.type,
                CUSTOMERS: customers | None,
                COLUMNS: Annotated[columns | None, described],
            }
            return struct("Request", fields)

        return cls(as_of, customer, dates, event, time, max_rows, body(whole=False), body(whole=True))

    @property
    def customer_names(self) -> list[str]:
        """The fields that a customer may have."""
        return [*self.customer, *([EVENTS] if self.event else [])]

    def json_schema(self, ref_template: str = "#/$defs/{name}") -> dict[str, Any]:
        """Return the JSON Schema of a body, with its definitions under `$defs`."""
        _, parts = msgspec.json.schema_components([self.body], ref_template=ref_template)
        parts["Columns"]["not"] = _ONE_LIST_AT_LEAST
        return {**parts.pop("Request"), "oneOf": _ONE_OF_THE_TWO, "$defs": parts}


class Reason(msgspec.Struct, gc=False):
    """The share of a group of inputs in a prediction, against a typical customer."""

    group: str
    logit: Annotated[float, Meta(description="Of all groups they sum to the difference of the logits.")]
    points: Annotated[
        float, Meta(description="The same in percentage points, which sum to that of the probabilities.")
    ]
    input: Annotated[str, Meta(description="The input of the group that does most of it.")]
    has: Annotated[str, Meta(description="What that is for this customer.")]
    usual: Annotated[str, Meta(description="What it is for the typical one.")]
    text: Annotated[str, Meta(description="All of it as a sentence.")]


class Prediction(msgspec.Struct, gc=False, omit_defaults=True):
    """One customer's prediction."""

    customer_id: Annotated[
        str | int, Meta(description="As in the request; the row's number, from 1, if absent there.")
    ]
    probability: Annotated[float, Meta(ge=0, le=1, description="By the longest horizon.")]
    horizons: (
        Annotated[dict[str, float], Meta(description="By each horizon in days; models of an event log only.")]
        | UnsetType
    ) = UNSET
    eligible: (
        Annotated[
            bool,
            Meta(description="Whether the study predicts this customer; absent if its label is a column."),
        ]
        | UnsetType
    ) = UNSET
    not_eligible_because: (
        Annotated[str, Meta(description="The rule by which it is not eligible.")] | UnsetType
    ) = UNSET
    warnings: (
        Annotated[list[str], Meta(description="What training never saw; with `warnings=true` only.")]
        | UnsetType
    ) = UNSET
    reasons: (
        Annotated[list[Reason], Meta(description="The largest first; with `reasons=N` only.")] | UnsetType
    ) = UNSET


class Predictions(msgspec.Struct, gc=False):
    """The predictions of one request, in the order of its customers."""

    model: str
    version: int
    as_of: Annotated[str, Meta(description="The instant of the prediction.")]
    predictions: list[Prediction]


def struct(name: str, types: Mapping[str, Any], required: Set[str] = frozenset()) -> Any:
    """Define an object of exactly these fields, each but the required ones optional.

    Its attributes are called `field_0`, `field_1`, ..., since a field's own name may be no Python name.
    """
    fields = [
        (f"field_{at}", type_, msgspec.field(name=field))
        if field in required
        else (f"field_{at}", type_ | UnsetType, msgspec.field(name=field, default=UNSET))
        for at, (field, type_) in enumerate(types.items())
    ]
    return msgspec.defstruct(name, fields, forbid_unknown_fields=True, gc=False, kw_only=True)


def _list_of(type_: Any, max_rows: int) -> Any:
    return Annotated[GenericAlias(list, (type_,)), Meta(min_length=1, max_length=max_rows)]
