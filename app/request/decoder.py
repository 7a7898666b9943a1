"""The quick way from bodies to rows: a decoder that msgspec compiles from a schema's types.

It takes good bodies only. Any other is left to `app.request.explain`, which says what is wrong, or else reads
it slowly. So the decoder may refuse too much, never too little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any, Final, NamedTuple, Self

import msgspec
import numpy as np
from msgspec import UNSET
from msgspec.structs import astuple

from app.request.structs import RequestTypes
from model.errors import DataError
from model.schema import Schema
from model.values.iso_times import parse_instants, parse_iso_time
from model.values.rows import Cell, RequestRows, cells_by_row

_FAULTS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, DataError)
_MANY: Final = 4096  # bytes, from which on numpy counts faster


class NotDecoded(Exception):  # noqa: N818 - perhaps nothing is wrong
    """The decoder leaves this body to `app.request.explain`."""


class _Events(NamedTuple):
    """The events of N customers as in `RequestRows`, the number of their keys, the texts of their times."""

    lengths: Sequence[int] = ()
    times: Sequence[int] = ()
    fields: Sequence[Sequence[Cell]] = ()
    n_keys: int = 0
    texts: Sequence[str] = ()


@dataclass(frozen=True)
class Decoder:
    """Reads the bodies of one model.

    Attributes:
        any_body, whole_body: compiled decoders; the second takes only customers with every column, and events
            with every field.
        dates: the position among the columns, and the name, of each date.
        contract: the dates of the contract that are no columns.
        width: values of a customer: the id, every column, these dates, the history if there is one.
        event_values: of an event, its values one by one.
        countable: whether no field's name has a colon, so that the keys of a body can be counted.
    """

    schema: Schema
    any_body: "msgspec.json.Decoder[Any]"
    whole_body: "msgspec.json.Decoder[Any]"
    dates: tuple[tuple[int, str], ...]
    contract: tuple[str, ...]
    width: int
    event_values: "tuple[attrgetter[Any], ...]"
    countable: bool

    @classmethod
    def build(cls, schema: Schema, types: RequestTypes) -> Self:
        """Compile the decoder of a schema."""
        return cls(
            schema,
            any_body=msgspec.json.Decoder(types.body),
            whole_body=msgspec.json.Decoder(types.whole_body),
            dates=tuple((schema.column_names.index(name), name) for name in schema.date_formats),
            contract=types.dates,
            width=len(types.customer_names),
            event_values=tuple(attrgetter(f"field_{at}") for at in range(len(types.event))),
            countable=not any(":" in name for name in [*types.customer_names, *types.event]),
        )

    def __call__(self, bodies: Sequence[bytes], now: int) -> tuple[RequestRows, list[int]]:
        """Read bodies: the rows of all of them, and the number of rows of each.

        Args:
            now: the instant of the prediction where a body names none.

        Raises:
            NotDecoded: one has a fault, or may have one.
        """
        if not self.countable:
            raise NotDecoded
        try:
            return self._read(bodies, now)
        except _FAULTS as error:
            raise NotDecoded from error

    def _read(self, bodies: Sequence[bytes], now: int) -> tuple[RequestRows, list[int]]:
        cells: list[Any] = []
        cutoffs: list[int] = []
        counts: list[int] = []
        texts: list[str] = []
        n_keys, all_whole = 0, True
        for body in bodies:
            read, whole = self._decoded(body)
            as_of, customers, columns = astuple(read)
            before = len(cells)
            if customers and not columns:
                cells += chain.from_iterable(map(astuple, customers))
            elif columns and not customers:
                lists = astuple(columns)
                cells += cells_by_row(_even(lists))
                n_keys += len(lists) - lists.count(UNSET) - (len(cells) - before)
            else:
                raise NotDecoded
            cutoff = now
            if as_of.__class__ is str:
                texts.append(as_of)
                cutoff = parse_iso_time(as_of, self.schema.time_zone)
            counts.append((len(cells) - before) // self.width)
            cutoffs += [cutoff] * counts[-1]
            n_keys += 3 - (as_of, customers, columns).count(UNSET)
            all_whole = all_whole and whole
        return self._rows(bodies, cells, cutoffs, n_keys, texts, whole=all_whole), counts

    def _decoded(self, body: bytes) -> tuple[Any, bool]:
        """The body, and whether all in it is whole."""
        try:
            return self.whole_body.decode(body), True
        except msgspec.ValidationError:
            return self.any_body.decode(body), False

    def _rows(
        self,
        bodies: Sequence[bytes],
        cells: list[Any],
        cutoffs: Sequence[int],
        n_keys: int,
        texts: Sequence[str],
        *,
        whole: bool,
    ) -> RequestRows:
        """Rows from the values of N customers, one after another, if no key stands twice."""
        width, n_keys = self.width, n_keys + len(cells)
        events = _Events()
        if self.schema.events:
            events = self._events(cells[width - 1 :: width], whole=whole)
            del cells[width - 1 :: width]
            width -= 1
        texts_of: dict[str, list[Any]] = {}
        n_absent = 0
        for name in reversed(self.contract):
            texts_of[name], n = _filled(cells[width - 1 :: width])
            n_absent += n
            del cells[width - 1 :: width]
            width -= 1
        ids, n = _filled(cells[::width])
        del cells[::width]
        cells, n_missing = (cells, 0) if whole else _filled(cells)
        n_keys += events.n_keys - n_absent - n - n_missing
        _check_keys(bodies, n_keys, [*texts, *events.texts], [ids, cells, *events.fields, *texts_of.values()])
        texts_of |= {name: cells[at :: width - 1] for at, name in self.dates}
        dates = {name: parse_instants(t, self.schema.time_zone, str) for name, t in texts_of.items()}
        return RequestRows(ids, cutoffs, cells, events.lengths, events.times, events.fields, dates)

    def _events(self, histories: Sequence[Any], *, whole: bool) -> _Events:
        given = [history or () for history in histories]
        events = list(chain.from_iterable(given))
        times, *fields = [list(map(values, events)) for values in self.event_values]
        filled = [(field, 0) if whole else _filled(field) for field in fields]
        n_keys = len(events) * len(self.event_values) - sum(n_absent for _, n_absent in filled)
        instants = parse_instants(times, self.schema.time_zone, str)
        return _Events(
            list(map(len, given)),
            instants,  # type: ignore[arg-type] # a time is required
            [field for field, _ in filled],
            n_keys - histories.count(UNSET),
            times,
        )


def _filled(cells: list[Any]) -> tuple[list[Any], int]:
    """The cells with None for absent ones, and the number of these."""
    n_absent = cells.count(UNSET)
    return ([None if cell is UNSET else cell for cell in cells] if n_absent else cells), n_absent


def _even(columns: Sequence[Any]) -> list[Sequence[Any]]:
    """Columns of one length; one that is absent or null is missing in every row."""
    lengths = {len(column) for column in columns if column.__class__ is list}
    if len(lengths) != 1:
        raise NotDecoded
    missing = [None] * lengths.pop()
    return [column if column.__class__ is list else missing for column in columns]


def _check_keys(
    bodies: Sequence[bytes], n_keys: int, times: Sequence[str], values: Sequence[Sequence[Any]]
) -> None:
    """Leave bodies to the slow way if a key may stand twice: msgspec silently takes the last.

    Each key has a colon behind it; all other colons stand in texts, unless one of these is an escape
    sequence.

    Args:
        n_keys: the number of keys that were read.
        times: texts that are likely to have colons.
        values: all other values.
    """
    n_colons = sum(map(_n_colons, bodies)) - n_keys
    if times:
        n_colons -= "".join(times).count(":")
    if n_colons:
        n_colons -= sum(cell.count(":") for part in values for cell in part if cell.__class__ is str)
    if n_colons or any(b"\\" in body and b"\\u003a" in body.lower() for body in bodies):
        raise NotDecoded


def _n_colons(body: bytes) -> int:
    if len(body) < _MANY:
        return body.count(b":")
    return int(np.count_nonzero(np.frombuffer(body, dtype=np.uint8) == ord(":")))
