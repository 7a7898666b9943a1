"""Unknown fields of a large body, found before it is read whole: a million of them would take 250 MB."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Self

import msgspec
from msgspec import Raw

from app.errors import Fault
from app.request.faults import refusal, unknown_field
from app.request.structs import AS_OF, COLUMNS, CUSTOMERS, RequestTypes, struct
from model.values.rows import EVENTS

_UNKNOWN: Final = re.compile(
    r"Object contains unknown field `(?P<name>.*?)`"
    r"( - at `\$(?P<columns>\.columns)?(\..+\[(?P<event>\d+)\])?`)?",
    re.DOTALL,
)  # msgspec's message; where it is another, the body is read whole
_FAULTS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True)
class UnknownFields:
    """Decodes the names of a body's fields and leaves their values raw.

    Attributes:
        body: the decoder of a body, with each customer raw.
        customer: the decoder of one customer.
    """

    types: RequestTypes
    body: "msgspec.json.Decoder[Any]"
    customer: "msgspec.json.Decoder[Any]"

    @classmethod
    def build(cls, types: RequestTypes) -> Self:
        """Compile the decoders."""
        raw = dict.fromkeys(types.customer_names, Raw)
        events = {EVENTS: list[struct("Event", dict.fromkeys(types.event, Raw))]} if types.event else {}  # type: ignore[misc]
        body = {AS_OF: Raw, CUSTOMERS: list[Raw] | None, COLUMNS: struct("Columns", raw) | None}
        decoders = (struct("Body", body), struct("Customer", raw | events))
        return cls(types, *map(msgspec.json.Decoder, decoders))

    def refuse(self, body: bytes) -> None:
        """Refuse a body for its first unknown field; leave all other faults to others.

        Raises:
            Problem: there is such a field.
        """
        if fault := self._of_body(body):
            raise refusal([fault])

    def _of_body(self, body: bytes) -> Fault | None:
        try:
            customers = self.body.decode(body).field_1
        except _FAULTS as error:
            found = _UNKNOWN.fullmatch(str(error))
            if not found:
                return None
            in_columns = found["columns"]
            return unknown_field(
                found["name"], self.types.customer_names if in_columns else (AS_OF, CUSTOMERS, COLUMNS)
            )
        return self._of_customers(customers[: self.types.max_rows]) if isinstance(customers, list) else None

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
            return unknown_field(found["name"], self.types.customer_names, row)
        return unknown_field(found["name"], self.types.event, row, int(found["event"]) + 1)
