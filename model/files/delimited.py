"""Delimited text on disk -> record batches in which every cell is still text.

The delimiter is sniffed and rows with the wrong number of fields are counted; what the texts mean
is decided in `model.files.cells`.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyarrow import csv as pacsv

from model.errors import DataError
from model.files.names import check_unique
from model.files.text_stream import TextStream, squeeze_blanks
from model.values.columns import MISSING

MAX_BAD_SHARE: Final = 0.05
_BLOCK: Final = 16 << 20  # bytes parsed at a time: bounds a reader's memory and the length of a row
_HEAD: Final = 1 << 20
_BLANK: Final = " "
_DELIMITERS: Final = ",;\t|"
_SHOWN: Final = 5
_ENOUGH: Final = 1000  # bad rows before a hopeless file is given up early
_NULLS: Final = sorted({case(m) for m in MISSING for case in (str.lower, str.upper, str.title)} | {"NaN"})


@dataclass
class DelimitedFile:
    """A CSV, TSV or blank-separated file with a header.

    Attributes:
        names: the columns, in order, stripped.
        header_lines: lines up to the end of the header.
        notes: sentences on what was repaired or left out, complete once `batches` is exhausted.
        bad_rows: numbers of the rows that were left out, likewise; the header is row 1.
    """

    path: Path
    names: tuple[str, ...]
    delimiter: str
    header_lines: int
    notes: list[str] = field(default_factory=list)
    bad_rows: list[int] = field(default_factory=list)

    @classmethod
    def open(cls, path: Path) -> "DelimitedFile":
        """Read the header.

        Raises:
            DataError: the file is empty, has no rows, repeats a name or is not UTF-8.
        """
        with closing(TextStream(path)) as stream:
            text = stream.read(_HEAD).decode("utf-8", errors="ignore").lstrip("\ufeff")
        delimiter = _sniff(text)
        header, lines = _header(text, delimiter, path.name)
        names = tuple(name or f"column {n}" for n, name in enumerate(header, 1))
        check_unique(names, path.name)
        unnamed = [new for new, old in zip(names, header, strict=True) if not old]
        notes = [f"{path.name}: a column without a name was called {name!r}." for name in unnamed]
        return cls(path, names, delimiter, lines, notes)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows of some columns, as texts; null where the text is a common missing mark.

        Raises:
            DataError: not UTF-8, a damaged archive, or too many rows with the wrong number of fields.
        """
        bad, n_rows, last_cell = _BadRows(self.header_lines), 0, ""
        with closing(TextStream(self.path, squeeze=self.delimiter == _BLANK)) as stream:
            try:
                for batch in self._reader(stream, columns, bad):
                    if len(batch):
                        n_rows += len(batch)
                        last_cell = batch[-1][-1].as_py() or ""
                        yield batch.select(list(columns))
            except pa.ArrowInvalid as error:
                if not bad.gave_up:
                    raise _unparsed(self.path.name, error) from None
            if stream.has_open_quote and "\n" in last_cell:
                raise DataError(f'{self.path.name} has a quote (") that is never closed; close or remove it')
        self._report(bad, n_rows)

    def row_number(self, index: int) -> int:
        """The number in the file of the row that was read as the `index`th, from 0."""
        number = index + 2
        for bad in self.bad_rows:
            if bad > number:
                break
            number += 1
        return number

    def _reader(self, stream: TextStream, columns: Sequence[str], bad: "_BadRows") -> Any:
        # A quote left open in the last column swallows the rest of the file, so its last cell is looked at.
        last = self.names[-1]
        return pacsv.open_csv(
            stream,
            read_options=pacsv.ReadOptions(
                column_names=self.names,
                skip_rows=self.header_lines,
                block_size=_BLOCK,
                use_threads=False,  # with threads a bad row has no number
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=bad.add
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(self.names, pa.string()),
                include_columns=[*(c for c in columns if c != last), last],
                strings_can_be_null=True,
                null_values=_NULLS,
                check_utf8=False,  # the stream does, and names the line
            ),
        )

    def _report(self, bad: "_BadRows", n_rows: int) -> None:
        rule = f"the header's {len(self.names)} fields"
        if bad.too_many(bad.lines + n_rows):
            raise DataError(
                f"{self.path.name} must have {rule} in every row, however {bad.summary()}; "
                f"put texts that hold the delimiter {self.delimiter!r} in quotes"
            )
        if not n_rows:
            raise _no_rows(self.path.name)
        if bad.rows:
            self.bad_rows[:] = bad.rows
            self.notes.append(f"{self.path.name}: left out rows without {rule}: {bad.summary()}.")


@dataclass
class _BadRows:
    """Rows with too few or too many fields."""

    header_lines: int
    rows: list[int] = field(default_factory=list)
    n_fields: list[int] = field(default_factory=list)
    lines: int = 0  # a row that a stray quote has stretched over many lines has lost them all
    gave_up: bool = False

    def add(self, row: Any) -> str:
        self.rows.append(row.number - self.header_lines + 1)
        self.n_fields.append(row.actual_columns)
        self.lines += 1 + row.text.rstrip().count("\n")
        self.gave_up = len(self.rows) > _ENOUGH and self.too_many(self.rows[-1])
        return "error" if self.gave_up else "skip"

    def too_many(self, n_rows: int) -> bool:
        return self.lines > MAX_BAD_SHARE * n_rows

    def summary(self) -> str:
        shown = [f"row {r} has {n}" for r, n in zip(self.rows[:_SHOWN], self.n_fields[:_SHOWN], strict=True)]
        more = f" and {len(self.rows) - _SHOWN:,} more" if len(self.rows) > _SHOWN else ""
        return ", ".join(shown) + more


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


def _header(text: str, delimiter: str, owner: str) -> tuple[list[str], int]:
    """The first row that is not blank, stripped, and the number of lines up to its end."""
    if delimiter == _BLANK:
        text = squeeze_blanks(text.encode()).decode()
    lines = io.StringIO(text, newline="")
    rows = csv.reader(lines, delimiter=delimiter)
    try:
        header = next((row for row in rows if any(cell.strip() for cell in row)), None)
    except csv.Error as error:
        raise DataError(
            f"{owner} must begin with a header row, however it cannot be parsed ({error})"
        ) from None
    if header is None:
        raise DataError(f"{owner} must hold a header and rows, however it is empty")
    if not lines.read().strip():
        raise _no_rows(owner)
    return [cell.strip() for cell in header], rows.line_num


def _no_rows(owner: str) -> DataError:
    return DataError(f"{owner} must hold rows below its header, however there are none")


def _unparsed(owner: str, error: pa.ArrowInvalid) -> DataError:
    if "straddling" in str(error):
        return DataError(
            f'{owner} has a row longer than {_BLOCK >> 20} MiB, perhaps from a quote (") that is never closed'
        )
    return DataError(f"{owner} cannot be parsed as delimited text: {error}")
