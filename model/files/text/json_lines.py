"""JSON lines (NDJSON): an object a line; a field that is absent is missing."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec
import pyarrow as pa

from model.errors import DataError
from model.files.batch import Batch
from model.files.names import check_unique
from model.files.text.stream import TextStream
from model.values.columns import Texts, column_of
from model.values.rows import EVENTS

_BLOCK: Final = 4 << 20
_MAX_LINE: Final = 16 << 20
_BOM: Final = b"\xef\xbb\xbf"
_FAULTS: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_KINDS: Final[Mapping[type, str]] = {dict: "an object", list: "a list"}
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass
class JsonLines:
    """A file of JSON objects. A nested value is read as its JSON text, in the column `events` alone."""

    path: Path
    notes: list[str] = field(default_factory=list)
    unreadable: ClassVar[Mapping[str, str]] = {}
    optional: ClassVar[bool] = True
    first_row: ClassVar[int] = 1
    hint: ClassVar[str] = "Write a JSON object a line; of a JSON array: jq -c '.[]' OLD > NEW"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every field of every line, found in a pass over the file."""
        names: dict[str, Any] = {}
        for lines in self._blocks():
            for row in map(_object, lines):
                if isinstance(row, dict):
                    names.update(row)
        check_unique([name.strip() for name in names], self.path.name)
        return tuple(names)

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """Yield all rows of some columns.

        Raises:
            DataError: not UTF-8, a damaged archive, or a line of more than 16 MiB.
        """
        for lines in self._blocks():
            rows, unread = [], {}
            for place, row in enumerate(map(_object, lines)):
                if isinstance(row, str):
                    unread[place] = row
                elif why := _nested(row, columns):
                    unread[place] = why
                else:
                    rows.append(row)
            cells = {name: [row.get(name) for row in rows] for name in columns}
            arrays = [
                pa.array(map(_json_text, cells[name]), pa.string())
                if name == EVENTS
                else array_from(cells[name])
                for name in columns
            ]
            yield Batch(pa.RecordBatch.from_arrays(arrays, list(columns)), len(lines), unread, len(unread))

    def _blocks(self) -> Iterator[list[bytes]]:
        """The lines that are not blank, some at a time."""
        rest = b""
        with closing(TextStream(self.path)) as stream:
            while block := stream.read(_BLOCK):
                whole, _, rest = (rest + block).rpartition(b"\n")
                if len(rest) > _MAX_LINE:
                    limit = _MAX_LINE >> 20
                    raise DataError(
                        f"{self.path.name} must have lines of at most {limit} MiB, got a longer one"
                    )
                if lines := _lines(whole):
                    yield lines
        if lines := _lines(rest):
            yield lines


def _lines(text: bytes) -> list[bytes]:
    return [line for line in text.removeprefix(_BOM).split(b"\n") if line and not line.isspace()]


def _object(line: bytes) -> dict[str, Any] | str:
    """The object in a line, or why it holds none."""
    try:
        row: dict[str, Any] = _decode(line)
    except _FAULTS as error:
        return f"must be a JSON object, got something else ({error})"
    return row


def _nested(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    """Why a row cannot be read, where a wanted column holds no scalar; empty where it can."""
    for name in columns:
        kind = _KINDS.get(type(row.get(name)))
        if kind and name != EVENTS:
            return f"must have a number, text, boolean or null in {name!r}, got {kind}"
    return ""


def array_from(values: Sequence[Any]) -> Any:
    """(N,) JSON scalars as an Arrow array; of several kinds, as the texts that a CSV file would have."""
    column = column_of(values)
    if not isinstance(column, Texts):
        return pa.array(column, from_pandas=True)
    codes = pa.array(column.codes, mask=column.codes < 0)
    return pa.DictionaryArray.from_arrays(codes, pa.array(column.values, pa.string()))


def _json_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()
