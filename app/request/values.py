"""What was decoded, as rows; and whether a key may have stood twice, which msgspec does not tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any, Final, NamedTuple, Self

import numpy as np
from msgspec import UNSET

from app.request import shapes
from model.schema import DateColumn, Schema
from model.values.iso_times import parse_instants, parse_iso_time
from model.values.rows import Cell, RequestRows, event_fields

_MANY: Final = 4096  # bytes, from which on numpy is quicker
_SHORT: Final = 40  # letters of a time that is remembered
_instant: Final = lru_cache(maxsize=64)(parse_iso_time)


class NotTaken(Exception):  # noqa: N818 - not a fault of ours, perhaps none at all
    """The decoder leaves this body to `careful`."""


@dataclass(frozen=True)
class Histories:
    """The events of N customers as `RequestRows` has them, how many keys these had, and their times."""

    lengths: Sequence[int]
    times: Sequence[int]
    events: Sequence[Sequence[Cell]]
    keys: int
    texts: Sequence[str]


class Read(NamedTuple):
    """RequestRows, how many keys their customers had, and the texts of their times."""

    rows: RequestRows
    keys: int
    texts: Sequence[str]

    @property
    def values(self) -> list[Sequence[Any]]:
        """All that was read but the times."""
        return [self.rows.ids, self.rows.cells, *self.rows.events]


@dataclass(frozen=True)
class Values:
    """Makes rows of what one schema's decoder gives.

    Attributes:
        dates: the positions of dates among the columns.
        width: cells of a customer: the id, every column, the history if there is one.
    """

    schema: Schema
    dates: tuple[int, ...]
    width: int

    @classmethod
    def of(cls, schema: Schema) -> Self:
        """Of a schema."""
        dates = tuple(n for n, c in enumerate(schema.columns) if isinstance(c, DateColumn))
        return cls(schema, dates, 1 + len(schema.columns) + (schema.events is not None))

    def rows(self, cells: list[Any], cutoffs: Sequence[int], *, whole: bool) -> Read:
        """Rows from the ids, cells and histories of N customers, one after another.

        Args:
            whole: whether every customer has all columns.
        """
        width, keys = self.width, len(cells)
        histories = None
        if self.schema.events:
            histories = cells[width - 1 :: width]
            del cells[width - 1 :: width]
            width -= 1
        ids, no_id = _filled(cells[::width])
        del cells[::width]
        cells, no_cell = (cells, 0) if whole else _filled(cells)
        keys -= no_id + no_cell
        for at in self.dates:
            self.parse_instants(cells[at :: width - 1])
        if histories is None:
            return Read(RequestRows(ids, cutoffs, cells), keys, ())
        keys -= histories.count(UNSET)
        read = self.histories(histories)
        rows = RequestRows(ids, cutoffs, cells, read.lengths, read.times, read.events)
        return Read(rows, keys + read.keys, read.texts)

    def histories(self, histories: Sequence[Any]) -> Histories:
        """The events of N customers.

        Raises:
            DataError: a time cannot be read.
        """
        assert self.schema.events
        told = [history or () for history in histories]
        events = list(chain.from_iterable(told))
        places = range(1 + len(event_fields(self.schema.events)))
        times, *fields = [list(map(attrgetter(shapes.attribute(place)), events)) for place in places]
        filled = list(map(_filled, fields))
        keys = len(times) * (1 + len(fields)) - sum(absent for _, absent in filled)
        return Histories(
            list(map(len, told)), self.parse_instants(times), [field for field, _ in filled], keys, times
        )

    def instant(self, text: str) -> int:
        """One time, such as most requests have in common.

        Raises:
            DataError: it cannot be read.
        """
        read = _instant if len(text) <= _SHORT else parse_iso_time  # what a client sends may have any length
        return read(text, self.schema.time_zone)

    def parse_instants(self, texts: Sequence[str | None]) -> list[int]:
        """Times in ISO 8601.

        Raises:
            DataError: one cannot be read.
        """
        return parse_instants(texts, self.schema.time_zone, str)  # type: ignore[return-value]


def _filled(cells: list[Any]) -> tuple[list[Any], int]:
    """What is not there is missing; how many these are."""
    absent = cells.count(UNSET)
    return ([None if cell is UNSET else cell for cell in cells] if absent else cells), absent


def even(columns: Sequence[Any]) -> list[Sequence[Any]]:
    """Columns, which must have one length. One that is not there is missing in every row."""
    lengths = {len(column) for column in columns if column.__class__ is list}
    if len(lengths) != 1:
        raise NotTaken
    missing = [None] * lengths.pop()
    return [column if column.__class__ is list else missing for column in columns]


def check_keys(
    bodies: Sequence[bytes], keys: int, texts: Sequence[str], cells: Sequence[Sequence[Any]]
) -> None:
    """Leave bodies to `careful` if a key may stand twice: msgspec takes the last of the two in silence.

    Every key has a colon; all others stand in texts, as long as none of these is an escape of one.

    Args:
        keys: how many different ones were read.
        texts: those that are likely to have colons.
        cells: all other values.
    """
    colons = sum(map(_n_colons, bodies)) - keys
    if texts:
        colons -= "".join(texts).count(":")
    if colons:
        colons -= sum(cell.count(":") for part in cells for cell in part if cell.__class__ is str)
    if colons or any(b"\\" in body and b"\\u003a" in body.lower() for body in bodies):
        raise NotTaken


def _n_colons(body: bytes) -> int:
    if len(body) < _MANY:
        return body.count(b":")
    return int(np.count_nonzero(np.frombuffer(body, dtype=np.uint8) == ord(":")))
