"""What was read of each column: the table that `audit`, `train` and the report show."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.files.dates import DateFormat
from model.times import MISSING_TIME, format_instant
from model.values.columns import (
    Column,
    Texts,
    absent,
    as_booleans,
    as_categories,
    as_dates,
    as_numbers,
    format_number,
)
from model.values.history import EventLog
from model.values.numbers import describe_spelling, plain_numbers
from training.schema.fit_schema import vocabulary_of
from training.schema.kinds import Kinds

_COMMON: Final = 3  # categories that are named
_LETTERS: Final = 40  # of a value
_DATE: Final = len("2024-05-14")


@dataclass(frozen=True)
class ColumnFacts:
    """A column of the table, or a field of the log, as it was read.

    Attributes:
        kind: a `training.schema.kinds.Kind`, the use of the column, such as "id", or "left out".
        read_as: how its numbers or dates are spelt; empty where they are plain.
        missing_share: of all customers, or of all events; None where nothing can be missing.
        values: the range of numbers and dates, or how many distinct values there are and the most common.
        example: the first number, date or boolean, as the file has it; of texts, `values` has some.
        unread: cells with a value that is none of this kind; for the model they are missing.
        unread_example: the first of these.
        left_out: why the model does not read the column; empty where it does.
    """

    name: str
    kind: str
    read_as: str
    missing_share: float | None
    values: str
    example: str = ""
    unread: int = 0
    unread_example: str = ""
    left_out: str = ""


def table_facts(
    columns: Mapping[str, Column],
    kinds: Kinds,
    uses: Mapping[str, str],
    dates: Mapping[str, DateFormat],
    zone: str,
) -> tuple[ColumnFacts, ...]:
    """Return the facts of each column of a table.

    Args:
        columns: as the file has them.
        uses: of the columns that are no inputs, such as "id" and "label".
        dates: the format of each column of dates, inputs or not.
    """
    read = {**uses, **kinds.kinds}
    return tuple(
        _facts(
            name,
            read.get(name, "left out"),
            column,
            dates[name] if name in dates and read.get(name) in _DATED else None,
            zone,
            spelling=kinds.spellings.get(name),
            left_out=kinds.left_out.get(name, ""),
        )
        for name, column in columns.items()
    )


def event_facts(log: EventLog, spellings: Mapping[str, str]) -> tuple[ColumnFacts, ...]:
    """Return the facts of the values and categories of a log's events.

    Args:
        spellings: of values that were no plain numbers in the file.
    """
    values = [
        replace(_facts(name, "event value", column), read_as=describe_spelling(spellings.get(name)))
        for name, column in log.values.items()
    ]
    texts = log.categories.items()
    return *values, *(_facts(name, "event category", column, owners=log.owners) for name, column in texts)


_DATED: Final = ("date", "end", "time")
_NUMERIC: Final = ("numeric", "series", "event value")


def _facts(
    name: str,
    kind: str,
    column: Column,
    date: DateFormat | None = None,
    zone: str = "UTC",
    *,
    spelling: str | None = None,
    left_out: str = "",
    owners: NDArray[np.integer] | None = None,
) -> ColumnFacts:
    known = ~absent(column)
    read, values, read_as, example = known, "", "", known
    plain = plain_numbers(column, spelling) if spelling else column
    if date:
        instants = as_dates(column, date.time_format, zone)
        read, read_as = instants != MISSING_TIME, date.time_format or "ISO 8601"
        values = " to ".join(format_instant(int(end), zone)[:_DATE] for end in _ends(instants[read]))
    elif kind in _NUMERIC:
        numbers = as_numbers(plain)
        read, read_as = ~np.isnan(numbers), describe_spelling(spelling)
        values = " to ".join(_short(end) for end in _ends(numbers[read]))
    elif kind == "boolean":
        flags = as_booleans(plain)
        read = ~np.isnan(flags)
        values = f"yes in {flags[read].mean():.1%}" if read.any() else ""
    else:  # a text that one customer alone has is not shown
        example = np.zeros_like(known)
        values = "" if left_out else _categories(column, owners)
    lost = known & ~read
    return ColumnFacts(
        name,
        kind,
        read_as,
        float((~known).mean()) if len(known) else 0.0,
        values,
        next(_shown(column, example & read), ""),
        int(lost.sum()),
        next(_shown(column, lost), ""),
        left_out,
    )


def _ends(values: NDArray[np.generic]) -> list[float]:
    return [values.min().item(), values.max().item()] if len(values) else []


def _categories(column: Column, owners: NDArray[np.integer] | None) -> str:
    """How many categories there are, and the most common of those that several customers have."""
    texts, rows = as_categories(column), np.arange(len(column))
    customers = rows if owners is None else owners
    common = [text[:_LETTERS] for text in vocabulary_of(texts, rows, customers, most=_COMMON)]
    distinct = len(np.unique(texts.codes[texts.codes >= 0]))
    return ": ".join(filter(None, [f"{distinct:,} distinct", ", ".join(common)]))


def _shown(column: Column, rows: NDArray[np.bool_]) -> Iterator[str]:
    """The first of some rows that are not missing, as the file has it; none where there are no such rows."""
    for row in np.flatnonzero(rows)[:1]:
        if isinstance(column, Texts):
            yield column.values[column.codes[row]][:_LETTERS]
        else:
            yield format_number(float(column[row]))


def _short(number: float) -> str:
    return f"{number:,.6g}"
