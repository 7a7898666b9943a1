"""Customers' files of every form: opened, read in batches, and refused where too many rows are unreadable."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from model.errors import DataError, EmptyFileError
from model.files.arrow_files import ArrowFile, is_arrow
from model.files.batch import Batch
from model.files.names import counted
from model.files.parts import ARROW, JSON, Parts, find_files, suffix_of
from model.files.text.csv_text import DelimitedFile
from model.files.text.json_lines import JsonLines

Source = DelimitedFile | ArrowFile | JsonLines | Parts

MAX_UNREAD_SHARE: Final = 0.05
_ENOUGH: Final = 1000  # unread rows before a hopeless file is refused early
_SHOWN: Final = 5


def open_source(path: Path) -> Source:
    """Open a table: a file, or the files of a folder or of a glob, of which empty ones are passed over.

    Parquet and Arrow are known by their first bytes, JSON lines by their suffix; all else is delimited text.

    Raises:
        DataError: there is no such file, it repeats a column or it is damaged.
    """
    if path.is_file():
        return _opened(path)
    if not path.is_dir() and not set("*?[") & set(path.name):
        raise DataError(f"{path} must be a file, got a path where there is none")
    found = find_files(path)
    sources, empty = [], []
    for file in found.files:
        try:
            sources.append(_opened(file))
        except EmptyFileError:
            if not sources and file == found.files[-1]:
                raise
            empty.append(file.name)
    return Parts(path, sources, found.notes, empty)


def _opened(path: Path) -> DelimitedFile | ArrowFile | JsonLines:
    suffix = suffix_of(path)
    if not path.stat().st_size:
        raise EmptyFileError(f"{path.name} must hold rows, got an empty file")
    if is_arrow(path) or suffix in ARROW:
        return ArrowFile.open(path)
    return JsonLines(path) if suffix in JSON else DelimitedFile.open(path)


def parts(batches: Iterator[Batch], rows: int) -> Iterator[Batch]:
    """Yield the same rows in batches of at most `rows` rows."""
    for batch in batches:
        for start in range(0, batch.n_rows, rows):
            yield batch.part(start, min(start + rows, batch.n_rows))


class StrictRows:
    """The rows of a source that holds few unread ones.

    Attributes:
        unread: why rows could not be read, by their position in the file; complete after the last batch.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.unread: dict[int, str] = {}
        self._n_rows = self._lost = 0

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """Yield all rows of some columns.

        Raises:
            DataError: the file is damaged, has no rows, or more than 5 % of them cannot be read.
        """
        for batch in self.source.batches(columns):
            self.unread |= {self._n_rows + place: why for place, why in batch.unread.items()}
            self._n_rows += batch.n_rows
            self._lost += batch.lost
            if len(self.unread) > _ENOUGH:
                self._check()
            yield batch
        self._check()
        if not self._n_rows:
            raise EmptyFileError(f"{self.source.path.name} must hold rows, got none")

    @property
    def notes(self) -> list[str]:
        """What was repaired or left out, as sentences."""
        left_out = counted(len(self.unread), "row")
        name = self.source.path.name
        return [
            *self.source.notes,
            *([f"{name}: left out {left_out} of {self._n_rows:,}: {self._shown()}."] if self.unread else []),
        ]

    def row_name(self, index: int) -> str:
        """The place in its file of the row that was read as the `index`th, from 0."""
        for position in self.unread:
            if position > index:
                break
            index += 1
        if isinstance(self.source, Parts):
            return self.source.row_name(index)
        return f"row {index + self.source.first_row}"

    def _check(self) -> None:
        lines = self._n_rows - len(self.unread) + self._lost
        if self._lost > MAX_UNREAD_SHARE * lines:
            raise DataError(
                f"{self.source.path.name} must hold rows that can be read, got {self._lost:,} of {lines:,} "
                f"lines that cannot: {self._shown()}. {self.source.hint}"
            )

    def _shown(self) -> str:
        first = list(self.unread.items())[:_SHOWN]
        shown = "; ".join(f"row {position + self.source.first_row} {why}" for position, why in first)
        more = len(self.unread) - len(first)
        return f"{shown}; and {more:,} more" if more else shown
