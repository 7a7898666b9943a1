"""A body into rows, by a decoder that msgspec compiles from the checkpoint's schema.

It takes good bodies only. Whatever it does not take goes to `app.predict.careful`, which finds the words
for what is wrong, or else reads the body the slow way. So this may refuse too much, never too little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any, Final, Self

import msgspec
from msgspec import UNSET
from msgspec.structs import astuple

from app.predict import shapes
from model.errors import DataError
from model.rows import Cell, Rows, event_fields, id_field, instants
from model.schema import DateColumn, Schema

_ID: Final = 0  # the position of a row's id; its cells follow, then its events
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


@dataclass(frozen=True)
class Decoder:
    """Reads the bodies of one model.

    Attributes:
        body: the compiled part.
        line: the same for one customer, of whom a line of a file has one.
        history: the same for the events of one customer.
        dates: the positions of dates in a row.
        countable: whether no field's name has a colon; see `_check_keys`.
    """

    schema: Schema
    body: "msgspec.json.Decoder[Any]"
    line: "msgspec.json.Decoder[Any]"
    history: "msgspec.json.Decoder[Any]"
    dates: tuple[int, ...]
    countable: bool

    @classmethod
    def build(cls, schema: Schema, *, max_rows: int) -> Self:
        """Compile a schema's decoder."""
        dates = tuple(n for n, c in enumerate(schema.columns, start=1) if isinstance(c, DateColumn))
        names = [id_field(schema), *schema.column_names]
        names += [schema.events.time, *event_fields(schema.events)] if schema.events else []
        return cls(
            schema,
            msgspec.json.Decoder(shapes.body(schema, max_rows)),
            msgspec.json.Decoder(shapes.customer(schema)),
            msgspec.json.Decoder(shapes.history(schema)),
            dates,
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
            return self._told(body, self.body.decode(body), now)
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
            rows = list(map(astuple, self.line.decode_lines(lines)))
            return self._rows(lines, _n_keys(rows), [], list(map(_filled, rows)), as_of)
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

    def _told(self, body: bytes, told: Any, now: int) -> Rows:
        keys, texts = 1, []
        if told.as_of is not UNSET:
            keys += 1
            if told.as_of is not None:
                texts, now = [told.as_of], self._instants([told.as_of])[0]
        if told.columns is UNSET and told.customers is not UNSET:
            rows = list(map(astuple, told.customers))
            return self._rows(body, keys + _n_keys(rows), texts, list(map(_filled, rows)), now)
        if told.columns is UNSET or told.customers is not UNSET:
            raise NotTaken
        columns = astuple(told.columns)
        keys += len(columns) - columns.count(UNSET)
        return self._rows(body, keys, texts, _transposed(columns), now)

    def _rows(
        self, body: bytes, keys: int, texts: Sequence[str], rows: Sequence[Sequence[Any]], as_of: int
    ) -> Rows:
        """Rows from N tuples.

        Args:
            keys: how many keys of the body were read.
            texts: what else was read.
        """
        for at in self.dates:
            self._instants([row[at] for row in rows])
        ids, cutoffs = [row[_ID] for row in rows], [as_of] * len(rows)
        if self.schema.events is None:
            _check_keys(body, keys, texts, rows)
            return Rows(ids, cutoffs, [row[1:] for row in rows])
        read = self._histories([row[-1] for row in rows])
        _check_keys(body, keys + read.keys, [*texts, *read.texts], [*rows, *read.events])
        cells = [row[1:-1] for row in rows]
        return Rows(ids, cutoffs, cells, read.lengths, read.times, read.events)

    def _histories(self, histories: Sequence[Any]) -> Histories:
        assert self.schema.events
        told = [history or () for history in histories]
        events = list(chain.from_iterable(told))
        places = range(1 + len(event_fields(self.schema.events)))
        times, *fields = [list(map(attrgetter(shapes.attribute(place)), events)) for place in places]
        keys = len(times) * (1 + len(fields)) - sum(field.count(UNSET) for field in fields)
        return Histories(list(map(len, told)), self._instants(times), list(map(_filled, fields)), keys, times)

    def _instants(self, texts: Sequence[str | None]) -> list[int]:
        return instants(texts, self.schema.time_zone, str)  # type: ignore[return-value]


def _n_keys(rows: Sequence[tuple[Any, ...]]) -> int:
    return len(rows) * len(rows[0]) - sum(row.count(UNSET) for row in rows) if rows else 0


def _filled(cells: Sequence[Any]) -> Sequence[Any]:
    """What is not there is missing."""
    return tuple(None if cell is UNSET else cell for cell in cells) if UNSET in cells else cells


def _transposed(columns: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Rows from columns, which must have one length. A column that is not there is missing in every row."""
    lengths = {len(column) for column in columns if column.__class__ is list}
    if len(lengths) != 1:
        raise NotTaken
    missing = [None] * lengths.pop()
    return list(zip(*(c if c.__class__ is list else missing for c in columns), strict=True))


def _check_keys(body: bytes, keys: int, texts: Sequence[str], cells: Sequence[Sequence[Any]]) -> None:
    """Leave a body to `careful` if a key in it may stand twice: msgspec takes the last of the two in silence.

    Every key has a colon; all others stand in texts.

    Args:
        keys: how many different ones were read.
        texts: those that are likely to have colons.
        cells: all other values.
    """
    colons = body.count(b":") - keys - "".join(texts).count(":")
    if colons:
        colons -= sum(cell.count(":") for row in cells for cell in row if cell.__class__ is str)
    if colons:
        raise NotTaken
