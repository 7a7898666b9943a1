"""A body into rows, by a decoder that msgspec compiles from the checkpoint's schema.

It takes good bodies only. Whatever it does not take goes to `app.predict.careful`, which finds the words
for what is wrong, or else reads the body the slow way. So this may refuse too much, never too little.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any, Final, Self

import msgspec
import numpy as np
from msgspec import UNSET
from msgspec.structs import astuple

from app.predict import shapes
from model.errors import DataError
from model.rows import Cell, Rows, event_fields, id_field, instants, side_by_side
from model.schema import DateColumn, Schema

_MANY: Final = 4096  # bytes, from which on numpy is quicker
_FAULTS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, DataError)


class NotTaken(Exception):  # noqa: N818 - not a fault of ours, perhaps none at all
    """The decoder leaves this body to `careful`."""


@dataclass(frozen=True)
class Histories:
    """The events of N customers as `model.rows.Rows` has them, how many keys these had, and their times."""

    lengths: Sequence[int]
    times: Sequence[int]
    events: Sequence[Sequence[Cell]]
    keys: int
    texts: Sequence[str]


Decode = Callable[[bytes], Any]


@dataclass(frozen=True)
class Decoder:
    """Reads the bodies of one model.

    Attributes:
        bodies: the compiled part: what takes customers with every column alone, and what takes all.
        customers: the same for one customer, of whom a line of a file has one.
        history: the same for the events of one customer.
        dates: the positions of dates among the columns.
        countable: whether no field's name has a colon; see `_check_keys`.
    """

    schema: Schema
    bodies: tuple[Decode, Decode]
    customers: tuple[Decode, Decode]
    history: "msgspec.json.Decoder[Any]"
    dates: tuple[int, ...]
    countable: bool

    @classmethod
    def build(cls, schema: Schema, *, max_rows: int) -> Self:
        """Compile a schema's decoder."""
        bodies = [shapes.body(schema, max_rows, whole=whole) for whole in (True, False)]
        customers = [shapes.customer(schema, whole=whole) for whole in (True, False)]
        names = [id_field(schema), *schema.column_names]
        names += [schema.events.time, *event_fields(schema.events)] if schema.events else []
        return cls(
            schema,
            (msgspec.json.Decoder(bodies[0]).decode, msgspec.json.Decoder(bodies[1]).decode),
            (
                msgspec.json.Decoder(customers[0]).decode_lines,
                msgspec.json.Decoder(customers[1]).decode_lines,
            ),
            msgspec.json.Decoder(shapes.history(schema)),
            tuple(n for n, c in enumerate(schema.columns) if isinstance(c, DateColumn)),
            not any(":" in name for name in names),
        )

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
            return self._told(body, *_decoded(self.bodies, body), now)
        except _FAULTS as error:
            raise NotTaken from error

    def lines(self, lines: bytes, as_of: int) -> Rows:
        """Read one customer from each of some lines.

        Raises:
            NotTaken: as above.
        """
        if not self.countable:
            raise NotTaken
        try:
            told, whole = _decoded(self.customers, lines)
            cells = _flat(told)
            return self._rows(lines, len(cells), [], cells, as_of, whole=whole)
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
            read = self._histories(self.history.decode_lines(lines))
            _check_keys(lines, read.keys, read.texts, read.events)
        except _FAULTS as error:
            raise NotTaken from error
        return read

    def _told(self, body: bytes, told: Any, whole: bool, now: int) -> Rows:
        keys, texts = 1, []
        if told.as_of is not UNSET:
            keys += 1
            if told.as_of is not None:
                texts, now = [told.as_of], self._instants([told.as_of])[0]
        if told.columns is UNSET and told.customers is not UNSET:
            cells = _flat(told.customers)
            return self._rows(body, keys + len(cells), texts, cells, now, whole=whole)
        if told.columns is UNSET or told.customers is not UNSET:
            raise NotTaken
        columns = astuple(told.columns)
        keys += len(columns) - columns.count(UNSET)
        return self._rows(body, keys, texts, side_by_side(_even(columns)), now, whole=True)

    def _rows(
        self, body: bytes, keys: int, texts: Sequence[str], cells: list[Any], as_of: int, *, whole: bool
    ) -> Rows:
        """Rows from the ids, cells and histories of N customers, one after another.

        Args:
            keys: how many keys of the body were read, had every customer all fields.
            texts: what else was read.
            whole: whether every customer has all columns.
        """
        n_columns, events = len(self.schema.columns), self.schema.events
        histories = cells[1 + n_columns :: 2 + n_columns] if events else []
        if events:
            del cells[1 + n_columns :: 2 + n_columns]
        ids, no_id = _filled(cells[:: 1 + n_columns])
        del cells[:: 1 + n_columns]
        cells, no_cell = (cells, 0) if whole else _filled(cells)
        keys -= no_id + no_cell + histories.count(UNSET)
        for at in self.dates:
            self._instants(cells[at::n_columns])
        cutoffs = [as_of] * len(ids)
        if events is None:
            _check_keys(body, keys, texts, [ids, cells])
            return Rows(ids, cutoffs, cells)
        read = self._histories(histories)
        _check_keys(body, keys + read.keys, [*texts, *read.texts], [ids, cells, *read.events])
        return Rows(ids, cutoffs, cells, read.lengths, read.times, read.events)

    def _histories(self, histories: Sequence[Any]) -> Histories:
        assert self.schema.events
        told = [history or () for history in histories]
        events = list(chain.from_iterable(told))
        places = range(1 + len(event_fields(self.schema.events)))
        times, *fields = [list(map(attrgetter(shapes.attribute(place)), events)) for place in places]
        filled = list(map(_filled, fields))
        keys = len(times) * (1 + len(fields)) - sum(absent for _, absent in filled)
        return Histories(
            list(map(len, told)), self._instants(times), [field for field, _ in filled], keys, times
        )

    def _instants(self, texts: Sequence[str | None]) -> list[int]:
        return instants(texts, self.schema.time_zone, str)  # type: ignore[return-value]


def _decoded(decoders: tuple[Decode, Decode], data: bytes) -> tuple[Any, bool]:
    """What the first makes of it, else the second; whether it was the first."""
    try:
        return decoders[0](data), True
    except msgspec.ValidationError:
        return decoders[1](data), False


def _flat(customers: Sequence[Any]) -> list[Any]:
    return list(chain.from_iterable(map(astuple, customers)))


def _filled(cells: list[Any]) -> tuple[list[Any], int]:
    """What is not there is missing; how many these are."""
    absent = cells.count(UNSET)
    return ([None if cell is UNSET else cell for cell in cells] if absent else cells), absent


def _even(columns: Sequence[Any]) -> list[Sequence[Any]]:
    """Columns, which must have one length. One that is not there is missing in every row."""
    lengths = {len(column) for column in columns if column.__class__ is list}
    if len(lengths) != 1:
        raise NotTaken
    missing = [None] * lengths.pop()
    return [column if column.__class__ is list else missing for column in columns]


def _check_keys(body: bytes, keys: int, texts: Sequence[str], cells: Sequence[Sequence[Any]]) -> None:
    """Leave a body to `careful` if a key in it may stand twice: msgspec takes the last of the two in silence.

    Every key has a colon; all others stand in texts.

    Args:
        keys: how many different ones were read.
        texts: those that are likely to have colons.
        cells: all other values.
    """
    colons = _n_colons(body) - keys - "".join(texts).count(":")
    if colons:
        colons -= sum(cell.count(":") for part in cells for cell in part if cell.__class__ is str)
    if colons:
        raise NotTaken


def _n_colons(body: bytes) -> int:
    if len(body) < _MANY:
        return body.count(b":")
    return int(np.count_nonzero(np.frombuffer(body, dtype=np.uint8) == ord(":")))
