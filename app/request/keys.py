"""Fields that a large body should not have, found before pydantic holds them: a million would take 250 MB."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import GenericAlias
from typing import Any, Final, Self

import msgspec
from msgspec import UNSET, Raw

from app.errors import Fault, Problem
from app.request.faults import unknown_field
from app.request.schemas import RequestModel
from app.request.shapes import attribute
from model.values.rows import EVENTS

_UNKNOWN: Final = re.compile(
    r"Object contains unknown field `(?P<name>.*?)`"
    r"( - at `\$(?P<columns>\.columns)?(\..+\[(?P<event>\d+)\])?`)?",
    re.DOTALL,
)
_FAULTS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True)
class Keys:
    """The objects of a body with the names of their fields; the values are let through as they stand.

    Attributes:
        body: the compiled part, with each customer as it stands.
        customer: the same of one customer.
    """

    request: RequestModel
    body: "msgspec.json.Decoder[Any]"
    customer: "msgspec.json.Decoder[Any]"

    @classmethod
    def build(cls, request: RequestModel) -> Self:
        """Compile what a request may hold."""
        events = GenericAlias(list, (_object("Event", request.event_fields, {}),))
        columns = _object("Columns", request.customer_fields, {})
        customer = _object("Customer", request.customer_fields, {EVENTS: events})
        fields = [("as_of", Raw, UNSET), ("customers", list[Raw], UNSET), ("columns", columns, UNSET)]
        body = msgspec.defstruct("Body", fields, forbid_unknown_fields=True, gc=False)
        return cls(request, msgspec.json.Decoder(body), msgspec.json.Decoder(customer))

    def refuse_unknown(self, body: bytes) -> None:
        """Refuse a body for the first field that it should not have; leave all other faults to others.

        Raises:
            Problem: there is such a field.
        """
        fault = self._of_body(body)
        if fault:
            raise Problem(422, "invalid-request", str(fault), errors=[fault])

    def _of_body(self, body: bytes) -> Fault | None:
        request = self.request
        try:
            customers = self.body.decode(body).customers
        except _FAULTS as error:
            found = _UNKNOWN.fullmatch(str(error))
            allowed = request.customer_fields if found and found["columns"] else request.body_fields
            return unknown_field(found["name"], allowed) if found else None
        return None if customers is UNSET else self._of_customers(customers[: request.max_rows])

    def _of_customers(self, customers: Iterable[Raw]) -> Fault | None:
        for row, customer in enumerate(customers, start=1):
            try:
                self.customer.decode(customer)
            except _FAULTS as error:
                if found := _UNKNOWN.fullmatch(str(error)):
                    return self._of_customer(found, row)
        return None

    def _of_customer(self, found: re.Match[str], row: int) -> Fault:
        if found["event"] is None:
            return unknown_field(found["name"], self.request.customer_fields, row)
        return unknown_field(found["name"], self.request.event_fields, row, int(found["event"]) + 1)


def _object(name: str, fields: Iterable[str], types: Mapping[str, Any]) -> Any:
    """An object of these fields alone; values without a type may be anything."""
    described = [
        (attribute(position), types.get(field, Raw), msgspec.field(name=field, default=UNSET))
        for position, field in enumerate(fields)
    ]
    return msgspec.defstruct(name, described, forbid_unknown_fields=True, gc=False)
