"""Customer tables: files of every form into raw columns."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from model.errors import DataError
from model.files.cells import joined, read_column
from model.files.names import check_names, counted, listed
from model.files.source import Source, StrictRows, open_source
from model.values.columns import Column, Texts, absent, as_numbers


@dataclass(frozen=True)
class RawTable:
    """The rows of a table.

    Attributes:
        columns: by name, in the file's order, each of length `n_rows`.
        notes: sentences for the report: what was counted, repaired, left out.
        unread: why further rows of the file could not be read, by their position in it.
    """

    columns: dict[str, Column]
    n_rows: int
    notes: tuple[str, ...]
    unread: Mapping[int, str] = field(default_factory=dict)


def read_table(
    path: Path,
    *,
    exclude: Collection[str] = (),
    only: Collection[str] | None = None,
    texts: Collection[str] = (),
    spellings: Mapping[str, str] | None = None,
) -> RawTable:
    """Read a table at once.

    Args:
        exclude: columns that are not read.
        only: the columns to read; None for all.
        spellings: of columns of numbers that are not plain, see `model.values.numbers`.
        texts: columns that stay exact texts, such as ids and codes, even where they look like numbers.

    Raises:
        DataError: the file cannot be used, or has no such column; see `open_source`.
    """
    source = open_source(path)
    names = _selected(source, exclude, only, texts)
    rows = StrictRows(source)
    cells, spelt = [batch.cells for batch in rows.batches(names)], spellings or {}
    columns = {
        name: read_column(joined([b[name] for b in cells]), exact=name in texts, spelling=spelt.get(name))
        for name in names
    }
    notes = rows.notes
    if source.unreadable and only is None:
        notes.append(f"{path.name}: left out columns that are nested or binary: {listed(source.unreadable)}.")
    for name, column in columns.items():
        if not isinstance(column, Texts) and (note := unreadable_note(name, column)):
            notes.append(note)
            columns[name] = as_numbers(column)
    return RawTable(columns, sum(map(len, cells)), tuple(notes), rows.unread)


def unreadable(column: Column) -> tuple[int, str]:
    """How many known cells are no finite number, and the first of them."""
    known = ~absent(column)
    rows = np.flatnonzero(known & np.isnan(as_numbers(column)))
    if not len(rows):
        return 0, ""
    first = column.values[column.codes[rows[0]]] if isinstance(column, Texts) else str(column[rows[0]])
    return len(rows), first.removeprefix("'")  # of a code, see `model.values.numbers.plain_numbers`


def unreadable_note(name: str, column: Column) -> str:
    """A sentence on the cells of a number column that are no finite number; empty where all are."""
    count, first = unreadable(column)
    if not count:
        return ""
    return f"{name!r}: read {counted(count, 'cell')} without a finite number, such as {first!r}, as missing."


def _selected(
    source: Source, exclude: Collection[str], only: Collection[str] | None, texts: Collection[str]
) -> Sequence[str]:
    if source.optional and only is not None:
        return list(dict.fromkeys(only))
    if not source.names:
        raise DataError(f"{source.path.name} must have a column to read, got none. {source.hint}")
    check_names([*exclude, *(only or ()), *texts], source.names, source.path.name)
    if lost := sorted(set(exclude) & set(texts)):
        raise DataError(f"{source.path.name} must have a column read or excluded, got {listed(lost)} as both")
    wanted = source.names if only is None else only
    names = [name for name in source.names if name in wanted and name not in exclude]
    if not names:
        raise DataError(f"{source.path.name} must have a column to read; all are excluded")
    return names
