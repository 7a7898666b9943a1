"""An Arrow IPC stream into blocks, as its record batches come in."""

import io
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa

from app.errors import Problem
from app.score.block import Block, Flaws, parts
from app.score.buffers import take
from app.score.messages import RECORDS, SCHEMA, Head, Unreadable, read_head, unpacked_size
from app.score.table import Table
from app.versions.served import Served

MAX_BATCH_ROWS: Final = 1 << 20
_WHAT: Final = "an Arrow IPC stream"
_FAULTS: Final = (pa.ArrowException, OSError, UnicodeDecodeError, Unreadable)


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Turn what Arrow says of a damaged file into a refusal."""
    try:
        yield
    except _FAULTS:
        raise Problem(
            400, "invalid-file", f"the body must be {what}, got something damaged or cut off"
        ) from None


@dataclass
class ArrowReader:
    """Reads one stream.

    Attributes:
        as_of: the instant of the question.
        max_batch: bytes of one record batch, uncompressed, and of all dictionaries.
    """

    served: Served
    as_of: int
    max_batch: int
    _rest: bytearray = field(default_factory=bytearray)
    _messages: "_Messages" = field(default_factory=lambda: _Messages())
    _dictionaries: dict[int, int] = field(default_factory=dict)
    _batches: Any = None
    _table: Table | None = None
    _n_rows: int = 0
    _ended: bool = False

    def feed(self, data: bytes) -> Iterator[Block]:
        """The blocks of the record batches that further bytes complete.

        Raises:
            Problem: the bytes are no such stream, its columns are not the model's, or a batch is too large.
        """
        self._rest += data
        while not self._ended and (message := self._next()):
            with refusing(_WHAT):
                batch = self._batch(*message)
            if batch is not None:
                yield from self._blocks(batch)
        if self._ended:
            self._rest.clear()

    def end(self) -> Iterator[Block]:
        """Nothing is left, if the stream is whole.

        Raises:
            Problem: it is not.
        """
        if self._table is None or self._rest:
            raise Problem(400, "invalid-file", f"the body must be {_WHAT}, got something damaged or cut off")
        yield from ()

    def _next(self) -> tuple[Head, bytes] | None:
        """The next message, once it is there."""
        with refusing(_WHAT):
            head = read_head(self._rest, self.max_batch)
        if head is None:
            return None
        if not head.size:
            self._ended = True
            return None
        size = head.size + head.body
        self._check_size(size)
        if len(self._rest) < size:
            return None
        return head, take(self._rest, size)

    def _check_size(self, n_bytes: int) -> None:
        if n_bytes > self.max_batch:
            detail = f"a record batch must have at most {self.max_batch} bytes; write smaller ones"
            raise Problem(413, "batch-too-large", detail)

    def _batch(self, head: Head, message: bytes) -> Any:
        """What a message adds: a record batch, or else None."""
        if head.at is not None:
            size = unpacked_size(message, head)
            if head.dictionary:
                id_, more = head.dictionary
                self._dictionaries[id_] = size + (self._dictionaries.get(id_, 0) if more else 0)
            self._check_size(size + sum(self._dictionaries.values()))
        self._messages.add(message)
        if head.kind == SCHEMA and self._batches is None:
            self._batches = pa.ipc.open_stream(pa.PythonFile(self._messages, mode="r"))
            self._table = Table.of(self.served, self._batches.schema.names, self.as_of)
            self._table.check_types(self._batches.schema)
        elif self._batches is None:
            raise Unreadable
        elif head.kind == RECORDS:
            batch = self._batches.read_next_batch()
            check_rows(len(batch))
            batch.validate(full=True)
            return batch
        return None

    def _blocks(self, batch: Any) -> Iterator[Block]:
        assert self._table
        for part in parts(len(batch)):
            rows, flaws = (
                batch.slice(part.start, part.stop - part.start),
                Flaws(self._n_rows + part.start + 1),
            )
            with refusing(_WHAT):
                block = self._table.block(rows, np.arange(len(rows)), len(rows), flaws)
            yield block
        self._n_rows += len(batch)


def check_rows(n_rows: int) -> None:
    """Refuse a batch of more rows than may be, whatever few bytes they take."""
    if n_rows > MAX_BATCH_ROWS:
        detail = f"a record batch must have at most {MAX_BATCH_ROWS} rows; write smaller ones"
        raise Problem(413, "batch-too-large", detail)


class _Messages(io.RawIOBase):
    """A file of whole messages, read as they were added, and without copies."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[memoryview] = deque()

    def add(self, message: bytes) -> None:
        """Add a message."""
        self._waiting.append(memoryview(message))

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> memoryview:
        """The next bytes of one message; fewer where it has fewer."""
        first = self._waiting.popleft() if self._waiting else memoryview(b"")
        end = len(first) if size < 0 else size
        if len(first) > end:
            self._waiting.appendleft(first[end:])
        return first[:end]
