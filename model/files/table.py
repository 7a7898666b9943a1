"""Customer tables on disk -> raw columns: CSV, CSV.gz, TSV, blank-separated text or Parquet."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from model.errors import DataError
from model.files.cells import column_from, texts_from
from model.files.delimited import DelimitedFile
from model.files.names import check_names
from model.files.numbers import unreadable_note
from model.files.parquet import ParquetFile
from model.values.columns import Column, Texts, as_numbers

Source = DelimitedFile | ParquetFile

_PARQUET: Final = frozenset({".parquet", ".pq"})


@dataclass(frozen=True)
class RawTable:
    """The rows of a table.

    Attributes:
        columns: by name, in the file's order, each of length `n_rows`.
        notes: sentences for the report: what was counted, repaired, left out.
    """

    columns: dict[str, Column]
    n_rows: int
    notes: tuple[str, ...]


def read_table(
    path: Path,
    *,
    exclude: Collection[str] = (),
    only: Collection[str] | None = None,
    texts: Collection[str] = (),
) -> RawTable:
    """Read a table at once.

    Args:
        exclude: columns that are not read.
        only: the columns to read; None for all.
        texts: columns that stay exact texts, such as ids and codes, even where they look like numbers.

    Raises:
        DataError: the file cannot be used, or has no such column; see `open_source`.
    """
    source = open_source(path)
    names = _selected(source, exclude, only, texts)
    table = pa.Table.from_batches(list(source.batches(names)))
    return _raw_table(table, texts, source)


def read_table_chunks(
    path: Path, *, chunk_rows: int, only: Collection[str] | None = None, texts: Collection[str] = ()
) -> Iterator[RawTable]:
    """Read a table `chunk_rows` rows at a time, in flat memory.

    A column may be numbers in one chunk and texts in the next. The last chunk's notes tell what was
    left out of the file.

    Raises:
        DataError: as `read_table`, though a fault far into the file is met only there.
    """
    if chunk_rows < 1:
        raise ValueError(f"chunk_rows must be positive, got {chunk_rows}")
    source = open_source(path)
    names = _selected(source, (), only, texts)
    for table in _rows_at_a_time(source.batches(names), chunk_rows):
        yield _raw_table(table, texts, source)


def open_source(path: Path) -> Source:
    """Open a file by its suffix: Parquet, else text.

    Raises:
        DataError: there is no such file, it has no rows, it repeats a column or it is damaged.
    """
    if not path.is_file():
        raise DataError(
            f"{path} must be a file, however {'it is a folder' if path.is_dir() else 'there is none'}"
        )
    return ParquetFile.open(path) if path.suffix.lower() in _PARQUET else DelimitedFile.open(path)


def resolve(path: Path) -> list[Path]:
    """The files that a path stands for: itself, a folder's Parquet files, or those a glob finds; sorted.

    Raises:
        DataError: there are none.
    """
    if path.is_file():
        return [path]
    root = path if path.is_dir() else Path(path.anchor)
    pattern = "**/*.parquet" if path.is_dir() else str(path.relative_to(path.anchor))
    files = sorted(file for file in root.glob(pattern) if file.is_file())
    if not files:
        raise DataError(
            f"{path} must be a file, a folder of Parquet files or a glob, however no file matches"
        )
    return files


def _selected(
    source: Source,
    exclude: Collection[str],
    only: Collection[str] | None,
    texts: Iterable[str],
) -> list[str]:
    check_names([*exclude, *(only or ()), *texts], source.names, source.path.name)
    if lost := sorted(set(exclude) & set(texts)):
        raise DataError(
            f"a column is read or left out, however {lost} of {source.path.name} are excluded and needed"
        )
    wanted = source.names if only is None else only
    names = [name for name in source.names if name in wanted and name not in exclude]
    if not names:
        raise DataError(f"{source.path.name} must have a column to read, however all are left out")
    return names


def _rows_at_a_time(batches: Iterable[Any], chunk_rows: int) -> Iterator[Any]:
    """Tables of `chunk_rows` rows; the last has 1 to `chunk_rows`, and comes when the batches have ended."""
    waiting = None
    for batch in batches:
        table = pa.Table.from_batches([batch])
        waiting = pa.concat_tables([waiting, table]) if waiting else table
        while len(waiting) > chunk_rows:
            yield waiting.slice(0, chunk_rows)
            waiting = waiting.slice(chunk_rows)
    if waiting:
        yield waiting


def _raw_table(table: Any, texts: Collection[str], source: Source) -> RawTable:
    notes = [*source.notes]
    source.notes.clear()
    columns: dict[str, Column] = {}
    for name in table.column_names:
        column = texts_from(table[name]) if name in texts else column_from(table[name])
        if not isinstance(column, Texts) and (note := unreadable_note(name, column)):
            notes.append(note)
            column = as_numbers(column)
        columns[name] = column
    return RawTable(columns=columns, n_rows=len(table), notes=tuple(notes))
