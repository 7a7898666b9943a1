"""CSV into blocks, as its bytes come in. A row with too few or too many cells is told and passed over."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from pyarrow import csv as pacsv

from app.errors import Fault, Problem
from app.score.block import Block, Flaws, parts
from app.score.buffers import take
from app.score.rows_of_text import End, ends
from app.score.table import Table
from app.versions.served import Served
from model.values.columns import MISSING
from model.values.rows import EVENTS, id_field

_BOM: Final = b"\xef\xbb\xbf"
_DELIMITERS: Final = ",;\t|"
_MAX_HEADER: Final = 1 << 20
_NULLS: Final = sorted({case(m) for m in MISSING for case in (str.lower, str.upper, str.title)} | {"NaN"})
_WORDS: Final = pa.dictionary(pa.int32(), pa.string())


@dataclass
class CsvReader:
    """Reads one file.

    Attributes:
        as_of: the instant of the question.
        max_row: bytes of one row.
    """

    served: Served
    as_of: int
    max_row: int
    _rest: bytearray = field(default_factory=bytearray)
    _body: "_Body | None" = None

    def feed(self, data: bytes) -> Iterator[Block]:
        """The blocks of the rows that further bytes of the file complete.

        Raises:
            Problem: the columns are not those of the model, or a row is too long.
        """
        self._rest += data
        if self._body is None and not self._read_head():
            return
        assert self._body
        yield from self._body.blocks(take(self._rest, self._body.last_end(self._rest)))
        if len(self._rest) > self.max_row:
            number = self._body.n_rows + 1
            raise Problem(413, "row-too-long", f"row {number} must have at most {self.max_row} bytes")

    def end(self) -> Iterator[Block]:
        """The blocks of the rows that are left when the file has ended.

        Raises:
            Problem: the columns are not those of the model.
        """
        self._rest += b"\n"
        if self._body is None and not self._read_head():
            detail = "a CSV file must begin with a row of the columns' names, got none"
            raise Problem(422, "invalid-columns", detail)
        assert self._body
        yield from self._body.blocks(take(self._rest, self._body.last_end(self._rest)))
        if self._rest:
            yield self._body.unclosed()

    def _read_head(self) -> bool:
        """Read the row of names, if it is there."""
        if self._rest.startswith(_BOM):
            del self._rest[: len(_BOM)]
        blank = len(self._rest) - len(self._rest.lstrip(b"\r\n"))
        del self._rest[:blank]
        delimiter = _delimiter(bytes(self._rest[:_MAX_HEADER]))
        first_end, last_end = ends(delimiter)
        end = first_end(self._rest)
        if not end:
            if len(self._rest) > _MAX_HEADER:
                raise Problem(413, "row-too-long", f"the row of names must have at most {_MAX_HEADER} bytes")
            return False
        names = _names(take(self._rest, end), delimiter)
        table = Table.of(self.served, names, self.as_of)
        self._body = _Body(table, delimiter, _types(table), last_end)
        return True


@dataclass
class _Body:
    """What comes below the row of names.

    Attributes:
        types: of the columns, as Arrow reads them where no cell is at fault.
        n_rows: how many have been read.
    """

    table: Table
    delimiter: str
    types: dict[str, Any]
    last_end: End
    n_rows: int = 0

    def blocks(self, text: bytes) -> Iterator[Block]:
        """The blocks of some whole rows."""
        if all(byte in b"\r\n" for byte in text):
            return
        batch, bad = self._parsed(text)
        n_rows, first = len(batch) + len(bad), self.n_rows + 1
        self.n_rows += n_rows
        wrong = {place - 1: self._wrong_width(n_cells) for place, n_cells in bad}
        places = np.delete(np.arange(n_rows), list(wrong)) if wrong else np.arange(n_rows)
        for row, fault in self._not_utf8(batch):
            wrong.setdefault(int(places[row]), fault)
        batch = self._decoded(batch)
        for part in parts(n_rows):
            start, stop = np.searchsorted(places, [part.start, part.stop]).tolist()
            flaws = Flaws(first + part.start)
            for place in wrong.keys() & set(range(part.start, part.stop)) if wrong else ():
                flaws.note(place - part.start, wrong[place])
            inside = places[start:stop] - part.start
            rows = batch.slice(start, stop - start)
            yield self.table.block(rows, inside, part.stop - part.start, flaws)

    def unclosed(self) -> Block:
        """A row that a quote has made swallow the rest of the file."""
        flaws = Flaws(self.n_rows + 1)
        flaws.note(0, Fault(got="a quote that is never closed", allowed="a row of whole cells"))
        none = pa.RecordBatch.from_pylist([], pa.schema(list(self.types.items())))
        return self.table.block(none, np.arange(0), 1, flaws)

    def _wrong_width(self, n_cells: int) -> Fault:
        allowed = f"a row of {len(self.types)} cells, as the first has"
        return Fault(got=f"one of {n_cells}", allowed=allowed, hint="put quotes around texts with delimiters")

    def _parsed(self, text: bytes) -> tuple[Any, list[tuple[int, int]]]:
        """A record batch; of each row with too few or too many cells, its number and that of the cells."""
        try:
            batch, bad = _read(text, self.delimiter, self.types)
        except pa.ArrowInvalid:  # a cell that is no number, or not UTF-8
            return _read(text, self.delimiter, dict.fromkeys(self.types, pa.binary()))
        numbers = (column for column in batch.columns if column.type == pa.float64())
        if all(int(np.isnan(n.to_numpy(zero_copy_only=False)).sum()) == n.null_count for n in numbers):
            return batch, bad
        return _read(
            text, self.delimiter, dict.fromkeys(self.types, pa.binary())
        )  # "-nan" is no number either

    def _not_utf8(self, batch: Any) -> Iterator[tuple[int, Fault]]:
        for name, array in zip(self.types, batch.columns, strict=True):
            if array.type == pa.binary() and not _is_utf8(array):
                fault = Fault(field=name, got="other bytes", allowed="a text in UTF-8")
                yield from ((row, fault) for row, cell in enumerate(array.to_pylist()) if not _decodes(cell))

    def _decoded(self, batch: Any) -> Any:
        """The same as texts; a cell that is none is missing."""
        if all(column.type != pa.binary() for column in batch.columns):
            return batch
        arrays = [
            array.cast(pa.string())
            if _is_utf8(array)
            else pa.array([cell.decode() if cell and _decodes(cell) else None for cell in array.to_pylist()])
            for array in batch.columns
        ]
        return pa.RecordBatch.from_arrays([a.cast(pa.string()) for a in arrays], names=batch.schema.names)


def _read(text: bytes, delimiter: str, columns: dict[str, Any]) -> tuple[Any, list[tuple[int, int]]]:
    bad: list[tuple[int, int]] = []

    def note(row: Any) -> str:
        bad.append((row.number, row.actual_columns))
        return "skip"

    table = pacsv.read_csv(
        pa.BufferReader(text),
        pacsv.ReadOptions(column_names=list(columns), use_threads=False, block_size=len(text) + 1),
        pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note),
        pacsv.ConvertOptions(column_types=columns, strings_can_be_null=True, null_values=_NULLS),
    )
    (batch,) = table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]
    return batch, bad


def _types(table: Table) -> dict[str, Any]:
    kinds = {column.name: column.kind for column in table.schema.columns}
    plain = (id_field(table.schema), EVENTS)
    return {
        name: pa.float64()
        if kinds.get(name) == "numeric"
        else pa.string()
        if name in plain and name not in kinds
        else _WORDS
        for name in table.names
    }


def _delimiter(head: bytes) -> str:
    """The commonest of four in the first line, outside quotes."""
    line = head.lstrip(b"\r\n").partition(b"\n")[0]
    if b'"' in line:  # which may be of more than one line
        line = re.sub(rb'"[^"]*"', b"", head).lstrip(b"\r\n").partition(b"\n")[0]
    return max(_DELIMITERS, key=line.decode(errors="ignore").count)


def _names(row: bytes, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(row.decode(), newline=""), delimiter=delimiter, strict=True))
    except (UnicodeDecodeError, csv.Error):
        detail = "a CSV file must begin with a row of the columns' names in UTF-8, got something else"
        raise Problem(422, "invalid-columns", detail) from None


def _is_utf8(array: Any) -> bool:
    try:
        array.cast(pa.string())
    except pa.ArrowInvalid:
        return False
    return True


def _decodes(cell: bytes | None) -> bool:
    try:
        return cell is None or bool(cell.decode()) or True
    except UnicodeDecodeError:
        return False
