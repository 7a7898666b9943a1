"""Answers into the bytes of a file, in each of the forms that a file may have."""

import io
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
from pyarrow import csv as pacsv

from app.score.block import Answer

_NO_HEADER: Final = pacsv.WriteOptions(include_header=False)


def names(horizons: Sequence[str]) -> list[str]:
    """The columns of an answer."""
    return ["customer_id", "probability", *(f"probability_{horizon}d" for horizon in horizons), "error"]


class CsvWriter:
    """Writes CSV.

    Args:
        horizons: of the model, in days.
    """

    def __init__(self, horizons: Sequence[str]) -> None:
        self._schema = _schema(horizons)
        self._head = ",".join(self._schema.names).encode() + b"\n"

    def write(self, answer: Answer) -> bytes:
        """The bytes of some rows."""
        sink = pa.BufferOutputStream()
        pacsv.write_csv(_batch(answer, self._schema), sink, _NO_HEADER)
        head, self._head = self._head, b""
        rows: bytes = sink.getvalue().to_pybytes()
        return head + rows

    def end(self) -> bytes:
        """The bytes that end the file."""
        return self._head


class LinesWriter:
    """Writes NDJSON: an id as it was sent, every field in every line."""

    def __init__(self, horizons: Sequence[str]) -> None:
        self._n_horizons = len(horizons)
        self._line = msgspec.defstruct("Line", names(horizons), gc=False)
        self._encode = msgspec.json.Encoder().encode_lines

    def write(self, answer: Answer) -> bytes:
        """The bytes of some rows."""
        errors = [answer.errors.get(place) for place in range(len(answer))]
        body: bytes = self._encode(
            list(map(self._line, answer.ids, *_outputs(answer, self._n_horizons), errors))
        )
        return body

    def end(self) -> bytes:
        """Nothing ends the file."""
        return b""


class BatchWriter:
    """Writes an Arrow IPC stream, or Parquet with a row group for each block.

    Args:
        opened: pyarrow's writer of that form into a file with a schema.
    """

    def __init__(self, horizons: Sequence[str], opened: Callable[[Any, pa.Schema], Any]) -> None:
        self._schema, self._sink = _schema(horizons), _Sink()
        self._writer = opened(self._sink, self._schema)

    def write(self, answer: Answer) -> bytes:
        """The bytes of some rows."""
        self._writer.write_batch(_batch(answer, self._schema))
        return self._sink.taken()

    def end(self) -> bytes:
        """The bytes that end the file."""
        self._writer.close()
        return self._sink.taken()


class _Sink(io.RawIOBase):
    """A file whose bytes are taken as they are written."""

    def __init__(self) -> None:
        super().__init__()
        self._written: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """How many bytes were written."""
        return self._size

    def write(self, data: Any) -> int:
        """Keep some bytes."""
        self._written.append(bytes(data))
        self._size += len(self._written[-1])
        return len(self._written[-1])

    def taken(self) -> bytes:
        """What was written since the last call."""
        data = b"".join(self._written)
        self._written.clear()
        return data


def _schema(horizons: Sequence[str]) -> Any:
    id_, *numbers, error = names(horizons)
    fields = [(name, pa.float64()) for name in numbers]
    return pa.schema([(id_, pa.string()), *fields, (error, pa.string())])


def _batch(answer: Answer, schema: Any) -> Any:
    """A row with an error has no probability."""
    n_rows, n_numbers = len(answer), len(schema) - 2
    absent = np.zeros(n_rows, dtype=np.bool_)
    absent[list(answer.errors)] = True
    told = answer.probabilities
    picked = [-1, *range(told.shape[1])][:n_numbers]
    numbers = [pa.array(told[:, k], mask=absent) for k in picked]
    errors = pa.nulls(n_rows, pa.string())
    if answer.errors:
        errors = pa.array([answer.errors.get(place) for place in range(n_rows)], pa.string())
    return pa.RecordBatch.from_arrays([answer.ids, *numbers, errors], schema=schema)


def _outputs(answer: Answer, n_horizons: int) -> list[list[float | None]]:
    """The probability by the longest horizon, then by each."""
    picked = [-1, *range(n_horizons)]
    told = [answer.probabilities[:, k].tolist() for k in picked]
    for place in answer.errors:
        for column in told:
            column[place] = None
    return told
