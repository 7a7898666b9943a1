"""Customers' files of every form: opened, read in batches, and refused where too many rows are unreadable."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from model.errors import DataError
from model.files.arrow_files import ArrowFile
from model.files.batch import Batch
from model.files.csv_text import DelimitedFile
from model.files.json_lines import JsonLines
from model.files.names import counted

Source = DelimitedFile | ArrowFile | JsonLines

MAX_UNREAD_SHARE: Final = 0.05
_ENOUGH: Final = 1000  # unread rows before a hopeless file is refused early
_SHOWN: Final = 5
_ARROW: Final = (".parquet", ".pq", ".arrows", ".arrow")
_JSON: Final = (".ndjson", ".jsonl")


def open_source(path: Path) -> Source:
    """Open a table by its suffix: Parquet, an Arrow stream or JSON lines; else delimited text.

    A folder is a table in Parquet parts.

    Raises:
        DataError: there is no such file, it repeats a column or it is damaged.
    """
    if path.is_dir():
        return ArrowFile.open(path, resolve(path))
    if not path.is_file():
        raise DataError(f"{path} must be a file, got a path where there is none")
    suffix = path.suffix.lower()
    if suffix in _ARROW:
        return ArrowFile.open(path, [path])
    return JsonLines(path) if suffix in _JSON else DelimitedFile.open(path)


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
        raise DataError(f"{path} must be a file, a folder of Parquet files or a glob; no file matches")
    return files


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
            raise DataError(f"{self.source.path.name} must hold rows, got none")

    @property
    def notes(self) -> list[str]:
        """What was repaired or left out, as sentences."""
        left_out = counted(len(self.unread), "row")
        name = self.source.path.name
        return [
            *self.source.notes,
            *([f"{name}: left out {left_out} of {self._n_rows:,}: {self._shown()}."] if self.unread else []),
        ]

    def number(self, index: int) -> int:
        """The number in the file of the row that was read as the `index`th, from 0."""
        for position in self.unread:
            if position > index:
                break
            index += 1
        return index + self.source.first_row

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
