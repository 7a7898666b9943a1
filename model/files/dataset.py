"""Customers and their events, read and joined: what a study trains and scores on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.files.batch import read_places
from model.files.dates import DateFormat, date_formats
from model.files.events import EventColumns, RawEvents, read_events
from model.files.ids import spelling_notes
from model.files.names import counted, listed, some_of
from model.files.table import read_table
from model.values.columns import Column, Texts, as_categories, as_texts, take
from model.values.history import EventLog, Positions

_SHOWN: Final = 3
_SAMPLE: Final = 1000


@dataclass(frozen=True)
class Dataset:
    """N customers: the rows of the table in order, then those seen in the log alone.

    Attributes:
        ids: N texts; row numbers where the table has no id.
        columns: table columns by name, the id among them, each of length N.
        log: the events of these customers, in order; None without a log.
        listed: customers that the table has, the first of the N; None for all.
        unread: why further rows of the table are no customer, by their position in it.
        first_event, data_end: the instants of the first and the last event; None without a log.
        notes: sentences for the report: what was counted, repaired, left out.
        stated_dates: the formats of columns of dates that the study names.
        time_format: of the times in the log, stated or found; None is ISO 8601.
        event_spellings: of values in the log that were no plain numbers.
    """

    ids: Sequence[str]
    columns: dict[str, Column]
    log: EventLog | None
    first_event: int | None
    data_end: int | None
    notes: tuple[str, ...]
    listed: int | None = None
    unread: Mapping[int, str] = field(default_factory=dict)
    stated_dates: Mapping[str, str] = field(default_factory=dict)
    time_format: str | None = None
    event_spellings: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def without(self, gone: NDArray[np.bool_], why: str) -> "Dataset":
        """Leave customers out, with a note.

        Args:
            gone: (N,) which.
            why: what they are, such as `erased`.
        """
        kept = np.flatnonzero(~gone)
        return replace(
            self,
            ids=[self.ids[at] for at in kept.tolist()],
            columns={name: take(column, kept) for name, column in self.columns.items()},
            log=self.log.of(kept) if self.log else None,
            listed=None if self.listed is None else int((~gone[: self.listed]).sum()),
            notes=(*self.notes, f"left out {some_of(len(gone) - len(kept), len(gone), 'customer')}: {why}."),
        )

    @cached_property
    def dates(self) -> dict[str, DateFormat]:
        """The format of each column of dates, decided for all of them at once."""
        return date_formats(self.columns, self.stated_dates)


def load_dataset(
    customers: Path | None,
    events: Path | None = None,
    *,
    customer_id: str | None = None,
    exclude: Collection[str] = (),
    only: Collection[str] | None = None,
    categorical: Collection[str] = (),
    spellings: Mapping[str, str] | None = None,
    event_columns: EventColumns | None = None,
    time_zone: str = "UTC",
) -> Dataset:
    """Read a customer table, an event log, or both.

    Args:
        customers: the table; None where the log is all there is.
        events: the log, a folder of parts or a glob; None where the table is all there is.
        customer_id: the table's id column; needed with a log.
        exclude: table columns that are not read.
        only: the table columns to read beside the id; None for all.
        categorical: table columns known to be categories: a long code keeps its digits.
        spellings: of columns of numbers that are not plain, see `model.values.numbers`.
        event_columns: needed with a log.
        time_zone: the zone of times without an offset.

    Raises:
        DataError: a file cannot be used, ids repeat in the table, or none is common to both files.
    """
    if customers is None and events is None:
        raise DataError("a data set needs customers or events, got neither")
    table = _Customers(_NO_CUSTOMERS, {}, (), {})
    if customers:
        table = _read_customers(customers, customer_id, exclude, only, categorical, spellings)
    if events is None:
        return _without_log(table)
    if event_columns is None or (customers and not customer_id):
        raise DataError("events need the names of their id and time columns, and customers beside them an id")
    raw = read_events(events, event_columns, time_zone=time_zone)
    return _join(_with_ids(table, customer_id), raw, event_columns.type)


@dataclass(frozen=True)
class _Customers:
    """The rows of a customer table; an id may be missing."""

    ids: Texts
    columns: dict[str, Column]
    notes: tuple[str, ...]
    unread: Mapping[int, str]


_NO_CUSTOMERS: Final = Texts(np.empty(0, dtype=np.int32), ())


def _join(table: _Customers, events: RawEvents, type: str | None) -> Dataset:
    index = {text: position for position, text in enumerate(_spelt(table.ids))}
    owners = _owners(events.ids, index)
    types = {type: events.type} if type and events.type else {}
    log = EventLog.build(
        owners[events.ids.codes],
        events.times,
        n_customers=len(index),
        values=events.values,
        categories={**types, **events.attributes},
    )
    return Dataset(
        ids=tuple(index),
        columns={name: _padded(column, len(index)) for name, column in table.columns.items()},
        log=log,
        first_event=int(events.times.min()),
        data_end=int(events.times.max()),
        notes=(*table.notes, *events.notes, *_overlap(table, events, log), *spelling_notes(list(index))),
        listed=len(table.ids),
        unread=table.unread,
        time_format=events.time_format,
        event_spellings=events.spellings,
    )


def _read_customers(
    path: Path,
    id: str | None,
    exclude: Collection[str],
    only: Collection[str] | None,
    categorical: Collection[str],
    spellings: Mapping[str, str] | None,
) -> _Customers:
    named = [id] if id else []
    table = read_table(
        path,
        exclude=exclude,
        only=None if only is None else [*only, *named],
        texts=[*named, *categorical],
        spellings=spellings,
    )
    ids = table.columns[id] if id else Texts(np.full(table.n_rows, -1, dtype=np.int32), ())
    categories = {name: as_categories(table.columns[name]) for name in categorical if name != id}
    return _Customers(as_texts(ids), {**table.columns, **categories}, table.notes, table.unread)


def _without_log(table: _Customers) -> Dataset:
    """Every row is kept; one without an id has its number in the file as its id."""
    rows = (_positions(table) + 1).astype(str).astype(object)
    lacking = table.ids.codes < 0
    ids = np.where(lacking, rows, _spelt(table.ids))
    some = len(table.ids.values) > 0 and int(lacking.sum())
    notes = [f"{counted(some, 'row')} without an id: the number of the row is the id."] if some else []
    table = replace(table, notes=(*table.notes, *notes, *spelling_notes(table.ids.values)))
    return Dataset(tuple(ids), table.columns, None, None, None, table.notes, unread=table.unread)


def _with_ids(table: _Customers, name: str | None) -> _Customers:
    """The rows that have an id.

    Raises:
        DataError: an id comes twice.
    """
    counts = np.bincount(table.ids.codes[table.ids.codes >= 0], minlength=len(table.ids.values))
    if repeated := [table.ids.values[code] for code in np.flatnonzero(counts > 1)]:
        raise DataError(
            f"{name!r} must name each customer once where there are events, got "
            f"{counted(len(repeated), 'id')} in several rows, such as {listed(repeated[:_SHOWN])}. "
            "Keep one row of each."
        )
    kept = np.flatnonzero(table.ids.codes >= 0)
    lost = _positions(table)[table.ids.codes < 0].tolist()
    if not lost:
        return table
    note = f"left out {some_of(len(lost), len(table.ids), 'customer')} without {name!r}."
    columns = {n: take(column, kept) for n, column in table.columns.items()}
    unread = {**table.unread, **dict.fromkeys(lost, f"must have an id in {name!r}, got nothing")}
    return _Customers(table.ids.take(kept), columns, (*table.notes, note), unread)


def _positions(table: _Customers) -> Positions:
    """(N,) where in the file each row stands."""
    return read_places(len(table.ids) + len(table.unread), table.unread)


def _owners(ids: Texts, index: dict[str, int]) -> Positions:
    """The customer of each distinct id; one that is not yet in the index is added to its end."""
    used = np.bincount(ids.codes, minlength=len(ids.values)) > 0
    owners = np.array([index.get(text, -1) for text in ids.values], dtype=np.int64)
    new = np.flatnonzero(used & (owners < 0))
    owners[new] = np.arange(len(index), len(index) + len(new))
    index.update(zip((ids.values[code] for code in new.tolist()), owners[new].tolist(), strict=True))
    return owners


def _overlap(table: _Customers, events: RawEvents, log: EventLog) -> list[str]:
    """Notes on customers that only one of the files has.

    Raises:
        DataError: no customer is in both.
    """
    n_table = len(table.ids)
    silent = int((np.diff(log.offsets[: n_table + 1]) == 0).sum())
    if n_table and silent == n_table:
        raise DataError(
            "the customers and the events must have ids in common, got none: customers such as "
            f"{_examples(table.ids)}, events of {_examples(events.ids)}. Ids are compared as exact texts."
            + " ".join(["", *spelling_notes(list(dict.fromkeys((*table.ids.values, *events.ids.values))))])
        )
    alone = log.n_customers - n_table if n_table else 0
    return [
        *(
            [f"added {counted(alone, 'customer')} from the events, whose columns are missing."]
            if alone
            else []
        ),
        *([f"found no event of {some_of(silent, n_table, 'customer')} in the table."] if silent else []),
    ]


def _examples(ids: Texts) -> str:
    return listed([ids.values[code] for code in dict.fromkeys(ids.codes[:_SAMPLE].tolist())][:_SHOWN])


def _spelt(texts: Texts) -> NDArray[np.object_]:
    """(N,) the text of each row; None where missing."""
    return np.array([*texts.values, None], dtype=object)[texts.codes]


def _padded(column: Column, length: int) -> Column:
    """The column with missing cells at its end."""
    more = (0, length - len(column))
    if isinstance(column, Texts):
        return Texts(np.pad(column.codes, more, constant_values=-1), column.values)
    return np.pad(column, more, constant_values=np.nan)
