"""Delimited text: CSV, TSV and columns of blanks, packed or not; every cell is a text."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import csv as pacsv

from model.errors import DataError
from model.files.batch import Batch
from model.files.text.head import BLANK, MAX_BYTES, Head, read_head
from model.files.text.stream import TextStream
from model.values.columns import MISSING

_BLOCK: Final = 16 << 20  # bytes parsed at a time: bounds a reader's memory and the length of a row
_NULLS: Final = sorted({case(m) for m in MISSING for case in (str.lower, str.upper, str.title)} | {"NaN"})


@dataclass
class DelimitedFile:
    """A delimited file with a header, which is row 1."""

    path: Path
    head: Head
    unreadable: ClassVar[Mapping[str, str]] = {}
    optional: ClassVar[bool] = False

    @classmethod
    def open(cls, path: Path) -> "DelimitedFile":
        """Read the head.

        Raises:
            DataError: the file is empty, repeats a name or is not UTF-8.
        """
        with closing(TextStream(path)) as stream:
            text = stream.read(MAX_BYTES).decode("utf-8", errors="ignore").lstrip("\ufeff")
        return cls(path, read_head(text, path.name))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        return self.head.names

    @property
    def first_row(self) -> int:
        """The number of the first row."""
        return self.head.first_row

    @property
    def notes(self) -> Sequence[str]:
        """What was passed over or named in the head."""
        return self.head.notes

    @property
    def hint(self) -> str:
        """What to do where many rows cannot be read."""
        return self.head.hint

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """Yield all rows of some columns; a cell is null where its text is a common missing mark.

        Raises:
            DataError: not UTF-8, a damaged archive, or a quote that is never closed.
        """
        if self.head.is_empty:
            return
        misfits, last_cell = _Misfits(len(self.head.fields), self.head.lines), ""
        with closing(TextStream(self.path, squeeze=self.head.delimiter == BLANK)) as stream:
            try:
                for cells in self._reader(stream, columns, misfits):
                    if len(cells):
                        last_cell = cells[-1][-1].as_py() or ""
                        yield _without_headers(misfits.batch(cells), columns)
            except pa.ArrowInvalid as error:
                raise _unparsed(self.path.name, error) from None
            if misfits.waiting:
                yield misfits.batch(pa.RecordBatch.from_pydict({name: pa.nulls(0) for name in columns}))
            if stream.has_open_quote and ("\n" in last_cell or misfits.end_in_lines):
                raise DataError(f'{self.path.name} has a quote (") that is never closed. Close or remove it.')

    def _reader(self, stream: TextStream, columns: Sequence[str], misfits: "_Misfits") -> Any:
        # A quote left open in the last column swallows the rest of the file, so its last cell is looked at.
        last = self.head.fields[-1]
        return pacsv.open_csv(
            stream,
            read_options=pacsv.ReadOptions(
                column_names=self.head.fields,
                skip_rows=self.head.lines,
                block_size=_BLOCK,
                use_threads=False,  # with threads a row has no number
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self.head.delimiter, newlines_in_values=True, invalid_row_handler=misfits.add
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


def _without_headers(batch: Batch, columns: Sequence[str]) -> Batch:
    """Some columns of the rows that do not repeat the header, as files that were joined do.

    Such a row is harmless, so that any number of them is no reason to refuse the file.
    """
    cells, again = batch.cells, np.ones(len(batch.cells), dtype=bool)
    names = [name for name in cells.schema.names if name != "\0"]  # the field behind a last delimiter
    for name in names if again.any() else ():
        again &= pc.equal(cells[name], name).fill_null(False).to_numpy(zero_copy_only=False)
    cells = cells.select(list(columns))
    if len(names) == 1 or not again.any():  # in a file of one column, its name may be a value
        return replace(batch, cells=cells)
    why = dict.fromkeys(batch.places[again].tolist(), "must hold values, got the header again")
    unread = dict(sorted({**batch.unread, **why}.items()))
    return replace(batch, cells=cells.filter(pa.array(~again)), unread=unread)


def _unparsed(owner: str, error: pa.ArrowInvalid) -> DataError:
    if "straddling" in str(error):
        return DataError(
            f"{owner} must have rows of at most {_BLOCK >> 20} MiB, got a longer one. "
            'Close the quote (") that may stand open in it.'
        )
    return DataError(f"{owner} cannot be parsed as delimited text: {error}")
