"""A body into rows, by a decoder that msgspec compiles from the checkpoint's schema.

It takes good bodies only. Whatever it does not take goes to `app.predict.careful`, which finds the words
for what is wrong, or else reads the body the slow way. So this may refuse too much, never too little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from types import GenericAlias
from typing import Annotated, Any, Final, Self

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import astuple

from app.schemas import FLOAT32_MAX, MAX_ID_LENGTH, TEXT_NUMBER
from model.errors import DataError
from model.rows import EVENTS, Rows, event_fields, id_field, instants
from model.schema import BooleanColumn, CategoricalColumn, DateColumn, EventSchema, Schema, TableColumn

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
_ID: Final = 0  # the position of a row's id; its cells follow, then its events


class NotTaken(Exception):  # noqa: N818 - not a fault of ours, perhaps none at all
    """The decoder leaves this body to `careful`."""


@dataclass(frozen=True)
class Decoder:
    """Reads the bodies of one model.

    Attributes:
        body: the compiled part.
        dates: the positions of dates in a row.
        countable: whether no field's name has a colon; see `_check_keys`.
    """

    schema: Schema
    body: "msgspec.json.Decoder[Any]"
    dates: tuple[int, ...]
    countable: bool

    @classmethod
    def build(cls, schema: Schema, *, max_rows: int) -> Self:
        """Compile a schema's decoder."""
        fields: list[tuple[str, Any]] = [(id_field(schema), _Id)]
        fields += [(c.name, _type_of(c)) for c in schema.columns]
        if schema.events:
            fields.append((EVENTS, GenericAlias(list, (_event(schema.events),))))
        customers: Any = Annotated[
            GenericAlias(list, (_struct("Customer", fields),)), Meta(min_length=1, max_length=max_rows)
        ]
        body = msgspec.defstruct(
            "Body",
            [("customers", customers), ("as_of", str | None | UnsetType, UNSET)],
            forbid_unknown_fields=True,
            gc=False,
        )
        dates = tuple(n for n, c in enumerate(schema.columns, start=1) if isinstance(c, DateColumn))
        names = [*(name for name, _ in fields), *(event_fields(schema.events) if schema.events else ())]
        return cls(schema, msgspec.json.Decoder(body), dates, not any(":" in name for name in names))

    def __call__(self, body: bytes, now: int) -> Rows:
        """Read a body.

        Args:
            now: the instant of the question where the body names none.

        Raises:
            NotTaken: it holds a fault, or something that only looks like one.
        """
        if not self.countable:
            raise NotTaken
        try:
            return self._rows(body, self.body.decode(body), now)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, DataError) as error:
            raise NotTaken from error

    def _rows(self, body: bytes, told: Any, now: int) -> Rows:
        rows = list(map(astuple, told.customers))
        texts: list[str] = []
        keys = 1 + len(rows) * len(rows[0]) - sum(row.count(UNSET) for row in rows)
        if told.as_of is not UNSET:
            keys += 1
            if told.as_of is not None:
                texts, now = [told.as_of], self._instants([told.as_of])[0]
        rows = [_filled(row) for row in rows]
        for at in self.dates:
            self._instants([row[at] for row in rows])
        ids, cutoffs = [row[_ID] for row in rows], [now] * len(rows)
        if self.schema.events is None:
            _check_keys(body, keys, texts, rows)
            return Rows(ids, cutoffs, [row[1:] for row in rows])
        histories = [row[-1] or () for row in rows]
        events = map(astuple, chain.from_iterable(histories))
        none = [()] * (1 + len(event_fields(self.schema.events)))
        times, *fields = list(zip(*events, strict=True)) or none
        keys += len(times) * (1 + len(fields)) - sum(field.count(UNSET) for field in fields)
        _check_keys(body, keys, [*texts, *times], [*rows, *fields])
        return Rows(
            ids,
            cutoffs,
            [row[1:-1] for row in rows],
            [len(history) for history in histories],
            self._instants(times),
            [_filled(field) for field in fields],
        )

    def _instants(self, texts: Sequence[str | None]) -> list[int]:
        return instants(texts, self.schema.time_zone, str)  # type: ignore[return-value]


def _filled(cells: tuple[Any, ...]) -> tuple[Any, ...]:
    """What is not there is missing."""
    return tuple(None if cell is UNSET else cell for cell in cells) if UNSET in cells else cells


def _check_keys(body: bytes, keys: int, texts: Sequence[str], cells: Sequence[Sequence[Any]]) -> None:
    """Leave a body to `careful` if a key in it may stand twice: msgspec takes the last of the two in silence.

    Every key has a colon; all others stand in texts.

    Args:
        keys: how many different ones were read.
        texts: those that are likely to have colons.
        cells: all other values.
    """
    colons = body.count(b":") - keys - sum(text.count(":") for text in texts)
    if colons:
        colons -= sum(cell.count(":") for row in cells for cell in row if cell.__class__ is str)
    if colons:
        raise NotTaken


def _struct(name: str, fields: Sequence[tuple[str, Any]], required: str | None = None) -> Any:
    """An object of exactly these fields, each but the required one optional and nullable."""
    described = [
        (
            f"field_{position}",
            type_ if field == required else type_ | None | UnsetType,
            msgspec.field(name=field) if field == required else msgspec.field(name=field, default=UNSET),
        )
        for position, (field, type_) in enumerate(fields)
    ]
    return msgspec.defstruct(name, described, forbid_unknown_fields=True, gc=False)


def _event(schema: EventSchema) -> Any:
    fields: list[tuple[str, Any]] = [(schema.time, str)]
    fields += [(value.name, _Number) for value in schema.values]
    fields += [(category.name, _Category) for category in schema.categories]
    return _struct("Event", fields, required=schema.time)


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
