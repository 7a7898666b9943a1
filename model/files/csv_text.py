"""Delimited text: CSV, TSV and columns of blanks, gzipped or not; every cell is a text."""

import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

import pyarrow as pa
from pyarrow import csv as pacsv

from model.errors import DataError
from model.files.batch import Batch
from model.files.names import check_unique, counted, listed
from model.files.text_stream import TextStream, squeeze_blanks
from model.values.columns import MISSING

_BLOCK: Final = 16 << 20  # bytes parsed at a time: bounds a reader's memory and the length of a row
_HEAD: Final = 1 << 20
_BLANK: Final = " "
_DELIMITERS: Final = ",;\t|"
_NULLS: Final = sorted({case(m) for m in MISSING for case in (str.lower, str.upper, str.title)} | {"NaN"})


@dataclass
class DelimitedFile:
    """A delimited file with a header, which is row 1.

    Attributes:
        delimiter: one of `,;|`, a tab, or a blank for runs of blanks.
        header_lines: lines up to the end of the header.
        is_empty: whether nothing follows the header.
    """

    path: Path
    names: tuple[str, ...]
    delimiter: str
    header_lines: int
    is_empty: bool
    notes: list[str] = field(default_factory=list)
    unreadable: ClassVar[Mapping[str, str]] = {}
    optional: ClassVar[bool] = False
    first_row: ClassVar[int] = 2

    @classmethod
    def open(cls, path: Path) -> "DelimitedFile":
        """Read the header.

        Raises:
            DataError: the file is empty, repeats a name or is not UTF-8.
        """
        with closing(TextStream(path)) as stream:
            text = stream.read(_HEAD).decode("utf-8", errors="ignore").lstrip("\ufeff")
        delimiter = _sniff(text)
        header, lines, is_empty = _header(text, delimiter, path.name)
        names = tuple(name or f"column {n}" for n, name in enumerate(header, 1))
        check_unique(names, path.name)
        unnamed = [new for new, old in zip(names, header, strict=True) if not old]
        calls = f"{path.name}: named {counted(len(unnamed), 'column')} without a name {listed(unnamed)}."
        return cls(path, names, delimiter, lines, is_empty, [calls] if unnamed else [])

    @property
    def hint(self) -> str:
        """What to do where many rows cannot be read."""
        return f"Put texts that hold the delimiter {self.delimiter!r} in quotes."

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """Yield all rows of some columns; a cell is null where its text is a common missing mark.

        Raises:
            DataError: not UTF-8, a damaged archive, or a quote that is never closed.
        """
        if self.is_empty:
            return
        misfits, last_cell = _Misfits(len(self.names), self.header_lines), ""
        with closing(TextStream(self.path, squeeze=self.delimiter == _BLANK)) as stream:
            try:
                for cells in self._reader(stream, columns, misfits):
                    if len(cells):
                        last_cell = cells[-1][-1].as_py() or ""
                        yield misfits.batch(cells.select(list(columns)))
            except pa.ArrowInvalid as error:
                raise _unparsed(self.path.name, error) from None
            if misfits.waiting:
                yield misfits.batch(pa.RecordBatch.from_pydict({name: pa.nulls(0) for name in columns}))
            if stream.has_open_quote and ("\n" in last_cell or misfits.end_in_lines):
                raise DataError(f'{self.path.name} has a quote (") that is never closed. Close or remove it.')

    def _reader(self, stream: TextStream, columns: Sequence[str], misfits: "_Misfits") -> Any:
        # A quote left open in the last column swallows the rest of the file, so its last cell is looked at.
        last = self.names[-1]
        return pacsv.open_csv(
            stream,
            read_options=pacsv.ReadOptions(
                column_names=self.names,
                skip_rows=self.header_lines,
                block_size=_BLOCK,
                use_threads=False,  # with threads a row has no number
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=misfits.add
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys([*columns, last], pa.string()),
                include_columns=[*(c for c in columns if c != last), last],
                strings_can_be_null=True,
                null_values=_NULLS,
                check_utf8=False,  # the stream does, and names the line
            ),
        )


@dataclass
class _Misfits:
    """Rows with too few or too many fields, merged into the batches of the others.

    Attributes:
        waiting: position, reason and lines of those that no batch has yet.
        n_rows: rows in the batches so far.
    """

    n_fields: int
    header_lines: int
    waiting: deque[tuple[int, str, int]] = field(default_factory=deque)
    n_rows: int = 0
    _last: tuple[int, int] = (-1, 0)

    def add(self, row: Any) -> str:
        """Take note of one; pyarrow's handler of invalid rows."""
        position, lines = row.number - self.header_lines - 1, 1 + row.text.rstrip().count("\n")
        over = f" over {lines:,} lines (close or remove its quote)" if lines > 1 else ""
        why = f"must have the header's {self.n_fields} fields, got {row.actual_columns}{over}"
        self.waiting.append((position, why, lines))
        self._last = position, lines
        return "skip"

    def batch(self, cells: Any) -> Batch:
        """A batch of the rows that fit, and of the misfits between and behind them."""
        start, end, lost, unread = self.n_rows, self.n_rows + len(cells), 0, {}
        while self.waiting and self.waiting[0][0] <= end:
            position, why, lines = self.waiting.popleft()
            unread[position - start] = why
            end, lost = end + 1, lost + lines
        self.n_rows = end
        return Batch(cells, end - start, unread, lost)

    @property
    def end_in_lines(self) -> bool:
        """Whether the last row of the file is a misfit of several lines."""
        position, lines = self._last
        return position == self.n_rows - 1 and lines > 1


def _sniff(text: str) -> str:
    """The delimiter, from the header line: the commonest of four, else runs of blanks."""
    lines = [line for line in re.sub(r'"[^"]*"', "q", text).splitlines() if line.strip()]
    if not lines:
        return ","
    header, first = lines[0], lines[1] if len(lines) > 1 else ""
    best = max(_DELIMITERS, key=header.count)
    if best in header:
        return best
    return _BLANK if len(header.split()) == len(first.split()) > 1 else ","


def _header(text: str, delimiter: str, owner: str) -> tuple[list[str], int, bool]:
    """The first row that is not blank, stripped, the number of lines up to its end, and whether it is all."""
    if delimiter == _BLANK:
        text = squeeze_blanks(text.encode()).decode()
    lines = io.StringIO(text, newline="")
    rows = csv.reader(lines, delimiter=delimiter)
    try:
        header = next((row for row in rows if any(cell.strip() for cell in row)), None)
    except csv.Error as error:
        raise DataError(f"{owner} must begin with a header row, got text that is none ({error})") from None
    if header is None:
        raise DataError(f"{owner} must hold a header and rows, got an empty file")
    is_empty = not lines.read().strip()
    if is_empty and len(text) >= _HEAD - len("\ufeff"):
        raise DataError(f"{owner} must have a header of at most {_HEAD >> 20} MiB, got a longer one")
    return [cell.strip() for cell in header], rows.line_num, is_empty


def _unparsed(owner: str, error: pa.ArrowInvalid) -> DataError:
    if "straddling" in str(error):
        return DataError(
            f"{owner} must have rows of at most {_BLOCK >> 20} MiB, got a longer one. "
            'Close the quote (") that may stand open in it.'
        )
    return DataError(f"{owner} cannot be parsed as delimited text: {error}")
