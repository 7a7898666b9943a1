"""Event logs: one array a field; events without a customer or a time are counted and left out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from model.errors import DataError
from model.files.cells import column_from, instants_from, joined, read_column, texts_from
from model.files.dates import DateFormat, date_formats, mixed_formats
from model.files.names import agreed, check_names, some_of
from model.files.source import StrictRows, open_source
from model.files.table import unreadable, unreadable_note
from model.times import MISSING_TIME, Instants, describe_format
from model.values.columns import Column, Numbers, Texts, absent, as_categories, as_numbers
from model.values.numbers import column_spelling, plain_numbers

MAX_UNREADABLE_SHARE: Final = 0.2
MAX_LOST_SHARE: Final = 0.5  # of the values of a column
_SHOWN: Final = 3
_SAMPLE: Final = 10_000
_DAYS_1950: Final = 18_264  # as spreadsheets count
_DAYS_2100: Final = 73_051

Place = Callable[[int], str]


@dataclass(frozen=True)
class EventColumns:
    """The columns of a log to read.

    Attributes:
        time_format: a strptime format, a unit such as "unix_ms", or None for ISO 8601.
        any_format: whether the format is found by the times, in place of `time_format`.
        spellings: of values that are no plain numbers, see `model.values.numbers`; None: found by the values.
    """

    id: str
    time: str
    time_format: str | None = None
    type: str | None = None
    values: Sequence[str] = ()
    attributes: Sequence[str] = ()
    any_format: bool = False
    spellings: Mapping[str, str] | None = None


@dataclass(frozen=True)
class RawEvents:
    """E events in the order of their files.

    Attributes:
        ids: (E,) the customers, none missing.
        times: (E,) int64 instants, none missing.
        type, attributes: (E,) categories; values: (E,) float64, NaN where missing.
        notes: sentences for the report: what was counted, repaired, left out.
        time_format: of the times; None is ISO 8601.
        spellings: of the values that are no plain numbers.
    """

    ids: Texts
    times: Instants
    type: Texts | None
    values: dict[str, Numbers]
    attributes: dict[str, Texts]
    notes: tuple[str, ...]
    time_format: str | None
    spellings: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.times)


def read_events(path: Path, columns: EventColumns, *, time_zone: str = "UTC") -> RawEvents:
    """Read a log, only the named columns.

    Args:
        path: a file, a folder of files or a glob.
        time_zone: whose clock the times without an offset were read from.

    Raises:
        DataError: a file or column is missing, most times cannot be read, or no event is left.
    """
    id, time, type = columns.id, columns.time, columns.type
    named = [id, time, *([type] if type else []), *columns.values, *columns.attributes]
    arrays, rows = _read(path, list(dict.fromkeys(named)))
    place, notes = rows.row_name, rows.notes
    form = _found(arrays[time], time) if columns.any_format else DateFormat(columns.time_format)
    notes += [form.note] if form.note else []
    ids, times = texts_from(arrays[id]), instants_from(arrays[time], form.time_format, time_zone)
    notes += _missing_ids(ids, id, place)
    notes += _missing_times(times, arrays[time], time, form.time_format, place)
    whole = (ids.codes >= 0) & (times != MISSING_TIME)
    kept = slice(None) if whole.all() else np.flatnonzero(whole)  # a slice copies nothing
    if not whole.any():
        raise DataError(f"an event must have {id!r} and {time!r}, got none that has both")
    numbers, spellings, guessed = _numbers(arrays, columns)
    notes += guessed
    notes += [note for name, column in numbers.items() if (note := _value_note(name, column))]
    events = RawEvents(
        ids=ids.take(kept),
        times=times[kept],
        type=_categories(arrays[type]).take(kept) if type else None,
        values={name: as_numbers(column)[kept] for name, column in numbers.items()},
        attributes={name: _categories(arrays[name]).take(kept) for name in columns.attributes},
        notes=tuple(notes),
        time_format=form.time_format,
        spellings=spellings,
    )
    del arrays, numbers
    pa.default_memory_pool().release_unused()  # the room of the file's texts, which the sort needs next
    return events


def _sampled(array: Any) -> Texts:
    """Some of the values, evenly spread."""
    rows = np.unique(np.linspace(0, len(array) - 1, _SAMPLE).astype(np.int64))
    return texts_from(array.take(pa.array(rows)))


def _found(array: Any, name: str) -> DateFormat:
    """The format of most of the times; that of ISO 8601 where there is none."""
    formats = date_formats({name: _sampled(array)}, key="data.events.time_format: {form}")
    return formats.get(name, DateFormat(None))


def _suggestion(array: Any, time_format: str | None) -> str:
    """What to do about times that cannot be read, as the next step of a message."""
    texts = _sampled(array)
    if found := date_formats({"": texts}).get(""):
        form = found.time_format
        if form != time_format:
            return f'set time_format: "{form}"' if form else "leave time_format out: the times are ISO 8601"
    if mixed := mixed_formats(texts):
        return mixed.rstrip(".")
    numbers = as_numbers(texts)
    if np.mean((numbers > _DAYS_1950) & (numbers < _DAYS_2100)) > MAX_LOST_SHARE:
        return "they may be days since 1899-12-30, as spreadsheets count: write them as dates"
    return "set time_format to the strptime format of the times"


def _numbers(
    arrays: Mapping[str, Any], columns: EventColumns
) -> tuple[dict[str, Column], dict[str, str], list[str]]:
    """The values as columns of plain numbers, the spellings that they had, and notes on those guessed."""
    stated = columns.spellings
    if stated is not None:
        read = {n: read_column(arrays[n], exact=False, spelling=stated.get(n)) for n in columns.values}
        return read, dict(stated), []
    numbers = {name: column_from(arrays[name]) for name in columns.values}
    spellings, notes = {}, []
    for name, column in numbers.items():
        found = column_spelling(name, column, share=0) if isinstance(column, Texts) else None
        if found and found[0]:
            spellings[name] = found[0]
            numbers[name] = plain_numbers(column, found[0])
            notes += [found[1]] if found[1] else []
    return numbers, spellings, notes


def _value_note(name: str, column: Column) -> str:
    """What was read as missing; a refusal where that is most of what is there."""
    count, first = unreadable(column)
    blank = int(absent(column).sum())
    if blank == len(column):
        return f"{name!r} is blank in all {len(column):,} events."
    if count > MAX_LOST_SHARE * (len(column) - blank):
        raise DataError(
            f"{name!r} must hold numbers in the events, got {some_of(count, len(column) - blank, 'value')} "
            f"that {agreed(count, 'is', 'are')} none, such as {first!r}. Write them in one unit, with "
            "a decimal point, or list the column under data.events.attributes if its values are categories."
        )
    return unreadable_note(name, column)


def _categories(array: Any) -> Texts:
    """Exact texts, so that a code too long for a float keeps its digits; 3, 3.0 and "3" are one."""
    return as_categories(texts_from(array))


def _read(path: Path, names: list[str]) -> tuple[dict[str, Any], StrictRows]:
    """The named columns, and the rows that they are from."""
    rows = StrictRows(open_source(path))
    if not rows.source.optional:
        check_names(names, rows.source.names, path.name)
    cells = [batch.cells for batch in rows.batches(names) if len(batch.cells)]
    if not cells:
        raise DataError(f"a log must hold events that can be read, got none in {path.name}")
    return {name: joined([batch[name] for batch in cells]) for name in names}, rows


def _missing_ids(ids: Texts, name: str, place: Place) -> list[str]:
    rows = np.flatnonzero(ids.codes < 0)
    where = [place(row) for row in rows[:_SHOWN]]
    return _left_out(len(rows), len(ids), f"without {name!r}", where)


def _missing_times(
    times: Instants, array: Any, name: str, time_format: str | None, place: Place
) -> list[str]:
    """Notes on the blank and the unreadable times; a refusal where the latter are many."""
    rows = np.flatnonzero(times == MISSING_TIME)
    if not len(rows):
        return []
    texts = texts_from(array.take(pa.array(rows)))
    unread = texts.codes >= 0
    first = zip(rows[unread][:_SHOWN], texts.codes[unread][:_SHOWN], strict=True)
    where = [f"{place(row)}: {texts.values[code]!r}" for row, code in first]
    n_unread, n_blank = int(unread.sum()), int((~unread).sum())
    if n_unread > MAX_UNREADABLE_SHARE * (len(times) - n_blank):
        raise DataError(
            f"{name!r} must hold times in {describe_format(time_format)}, got {n_unread:,} of "
            f"{len(times):,} that cannot be read ({', '.join(where)}); {_suggestion(array, time_format)}"
        )
    blank = [place(row) for row in rows[~unread][:_SHOWN]]
    return [
        *_left_out(n_blank, len(times), f"without {name!r}", blank),
        *_left_out(n_unread, len(times), f"whose {name!r} is not in {describe_format(time_format)}", where),
    ]


def _left_out(count: int, total: int, what: str, where: Sequence[str]) -> list[str]:
    if not count:
        return []
    more = ", ..." if count > len(where) else ""
    return [f"left out {some_of(count, total, 'event')} {what} ({', '.join(where)}{more})."]
