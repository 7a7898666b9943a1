"""A body into rows, by a decoder that msgspec compiles from the checkpoint's schema.

It takes good bodies only. Whatever it does not take goes to `app.request.explain`, which finds the words
for what is wrong, or else reads the body the slow way. So this may refuse too much, never too little.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from types import GenericAlias
from typing import Any, Final, Self

import msgspec
from msgspec import UNSET
from msgspec.structs import astuple

from app.request import shapes
from app.request.pieces import Cut, cut
from app.request.values import Histories, NotTaken, Values, check_keys, even
from model.errors import DataError
from model.schema import Schema
from model.values.rows import RequestRows, cells_by_row, event_fields, id_field

_SLICE: Final = 512  # rows of a piece, where a body has columns
_FAULTS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, DataError)

Decode = Callable[[bytes], Any]


@dataclass(frozen=True)
class Decoder:
    """Reads the bodies of one model.

    Attributes:
        bodies: the compiled part: what takes customers with every column alone, and what takes all.
        lists: the same for an array of customers.
        customers: the same for one customer, of whom a line of a file has one.
        history: the same for the events of one customer.
        values: makes rows of what they give.
        max_rows: customers in one body.
        countable: whether no field's name has a colon; see `values.check_keys`.
    """

    bodies: tuple[Decode, Decode]
    lists: tuple[Decode, Decode]
    customers: tuple[Decode, Decode]
    history: "msgspec.json.Decoder[Any]"
    values: Values
    max_rows: int
    countable: bool

    @classmethod
    def build(cls, schema: Schema, *, max_rows: int) -> Self:
        """Compile a schema's decoder."""
        customers = [shapes.customer(schema, whole=whole) for whole in (True, False)]
        names = [id_field(schema), *schema.column_names]
        names += [schema.events.time, *event_fields(schema.events)] if schema.events else []
        return cls(
            bodies=_both(shapes.body(schema, max_rows, customer) for customer in customers),
            lists=_both(GenericAlias(list, (customer,)) for customer in customers),
            customers=_both(customers, lines=True),
            history=msgspec.json.Decoder(shapes.history(schema)),
            values=Values.of(schema),
            max_rows=max_rows,
            countable=not any(":" in name for name in names),
        )

    def __call__(self, bodies: Sequence[bytes], now: int) -> tuple[RequestRows, list[int]]:
        """Read bodies: the rows of all of them, and how many each has.

        Args:
            now: the instant of the question where a body names none.

        Raises:
            NotTaken: one holds a fault, or something that only looks like one.
        """
        if not self.countable:
            raise NotTaken
        try:
            return self._told(bodies, now)
        except _FAULTS as error:
            raise NotTaken from error

    def pieces(self, body: bytes, now: int) -> Iterator[RequestRows]:
        """Read a large body about customers of a table, some rows at a time.

        What comes last may show that none should have been taken.

        Raises:
            NotTaken: as above, or it cannot be cut.
        """
        if not self.countable:
            raise NotTaken
        try:
            parts = cut(body)
            yield from self._slices(body, now) if parts is None else self._parts(parts, now)
        except _FAULTS as error:
            raise NotTaken from error

    def lines(self, lines: bytes, as_of: int) -> RequestRows:
        """Read one customer from each of some lines.

        Raises:
            NotTaken: as above.
        """
        if not self.countable:
            raise NotTaken
        try:
            return self._customers(self.customers, lines, as_of)
        except _FAULTS as error:
            raise NotTaken from error

    def histories(self, lines: bytes) -> Histories:
        """Read the events of one customer from each of some lines.

        Raises:
            NotTaken: as above.
        """
        if not self.countable:
            raise NotTaken
        try:
            read = self.values.histories(self.history.decode_lines(lines))
            check_keys([lines], read.keys, read.texts, read.events)
        except _FAULTS as error:
            raise NotTaken from error
        return read

    def _customers(self, decoders: tuple[Decode, Decode], data: bytes, as_of: int) -> RequestRows:
        """The customers of some lines, or of an array."""
        told, whole = _decoded(decoders, data)
        read = self.values.rows(_flat(told), [as_of] * len(told), whole=whole)
        check_keys([data], read.keys, read.texts, read.values)
        return read.rows

    def _told(self, bodies: Sequence[bytes], now: int) -> tuple[RequestRows, list[int]]:
        """The customers of some bodies, one after another, and how many each has."""
        cells: list[Any] = []
        cutoffs: list[int] = []
        counts: list[int] = []
        texts: list[str] = []
        keys, every = 0, True
        for body in bodies:
            told, whole = _decoded(self.bodies, body)
            before = len(cells)
            if told.columns is UNSET and told.customers is not UNSET:
                cells += _flat(told.customers)
            elif told.columns is not UNSET and told.customers is UNSET:
                columns = astuple(told.columns)
                cells += cells_by_row(even(columns))
                keys += len(columns) - columns.count(UNSET) - (len(cells) - before)
            else:
                raise NotTaken
            counts.append((len(cells) - before) // self.values.width)
            cutoffs += [self._as_of(told, now, texts)] * counts[-1]
            keys += 1 + (told.as_of is not UNSET)
            every = every and whole
        read = self.values.rows(cells, cutoffs, whole=every)
        check_keys(bodies, keys + read.keys, [*texts, *read.texts], read.values)
        return read.rows, counts

    def _parts(self, parts: Cut, now: int) -> Iterator[RequestRows]:
        _, n_first = self._told([parts.start], now)
        rows, (n_rows,) = self._told([parts.outer], now)
        if n_first != [1]:
            raise NotTaken
        yield rows.part(0, 1)
        for piece in parts.middle:
            more = self._customers(self.lists, piece, rows.cutoffs[0])
            n_rows += len(more)
            if n_rows > self.max_rows:
                raise NotTaken
            yield more
        yield rows.part(1, len(rows))

    def _slices(self, body: bytes, now: int) -> Iterator[RequestRows]:
        """The customers that came by columns."""
        told, _ = _decoded(self.bodies, body)
        if told.columns is UNSET or told.customers is not UNSET:
            raise NotTaken
        texts: list[str] = []
        as_of, columns = self._as_of(told, now, texts), astuple(told.columns)
        level = even(columns)
        keys = 1 + (told.as_of is not UNSET) + len(columns) - columns.count(UNSET)
        check_keys([body], keys, texts, level)
        for start in range(0, len(level[0]), _SLICE):
            part = [column[start : start + _SLICE] for column in level]
            yield self.values.rows(cells_by_row(part), [as_of] * len(part[0]), whole=True).rows

    def _as_of(self, told: Any, now: int, texts: list[str]) -> int:
        """The instant of a body's question; its text, if it has one, is noted."""
        if told.as_of is UNSET or told.as_of is None:
            return now
        texts.append(told.as_of)
        return self.values.instant(told.as_of)


def _both(kinds: Iterable[Any], *, lines: bool = False) -> tuple[Decode, Decode]:
    """What decodes the one kind, and the other."""
    first, second = map(msgspec.json.Decoder, kinds)
    return (first.decode_lines, second.decode_lines) if lines else (first.decode, second.decode)


def _decoded(decoders: tuple[Decode, Decode], data: bytes) -> tuple[Any, bool]:
    """What the first makes of it, else the second; whether it was the first."""
    try:
        return decoders[0](data), True
    except msgspec.ValidationError:
        return decoders[1](data), False


def _flat(customers: Sequence[Any]) -> list[Any]:
    return list(chain.from_iterable(map(astuple, customers)))
