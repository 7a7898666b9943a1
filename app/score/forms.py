"""The forms that a file may have, by media type: what reads it, and what writes its scores."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import pyarrow as pa
from pyarrow import parquet as pq

from app.errors import Problem
from app.score.arrow_stream import ArrowReader
from app.score.block import Answer, Block, Bounds
from app.score.csv_file import CsvReader
from app.score.json_lines import LinesReader
from app.score.parquet_file import ParquetReader
from app.score.spool import Spool
from app.score.writers import BatchWriter, CsvWriter, LinesWriter
from app.versions.served import Served

_MAX_ROW: Final = 8 << 20  # bytes of one row of a text


class Reader(Protocol):
    """Makes blocks of the bytes of a file, as they come in."""

    def feed(self, data: bytes) -> Iterator[Block]:
        """What further bytes complete."""

    def end(self) -> Iterator[Block]:
        """What is left when the file has ended."""


class Writer(Protocol):
    """Makes a file of answers."""

    def write(self, answer: Answer) -> bytes:
        """The bytes of some rows."""

    def end(self) -> bytes:
        """The bytes that end the file."""


@dataclass(frozen=True)
class Form:
    """One form.

    Attributes:
        kind: its media type.
        reader: makes a reader for a model, an instant and the bounds; what it opens is closed by the stack.
        writer: makes a writer for the horizons of a model.
    """

    kind: str
    reader: Callable[[Served, int, Bounds, ExitStack], Reader]
    writer: Callable[[Sequence[str]], Writer]


def form_of(content_type: str) -> Form:
    """The form that a request announces.

    Raises:
        Problem: it is none of them.
    """
    kind, _, parameters = content_type.partition(";")
    form = FORMS.get(kind.strip().lower())
    if form is None:
        raise Problem(415, "unsupported-media-type", f"send the file as one of {', '.join(FORMS)}")
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().lower().partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "us-ascii"):
            raise Problem(415, "unsupported-media-type", "send the file in UTF-8")
    return form


FORMS: Final = {
    form.kind: form
    for form in (
        Form("text/csv", lambda served, as_of, *_: CsvReader(served, as_of, _MAX_ROW), CsvWriter),
        Form(
            "application/x-ndjson",
            lambda served, as_of, *_: LinesReader(served, as_of, _MAX_ROW),
            LinesWriter,
        ),
        Form(
            "application/vnd.apache.arrow.stream",
            lambda served, as_of, bounds, _: ArrowReader(served, as_of, bounds.batch_bytes),
            partial(BatchWriter, opened=pa.ipc.new_stream),
        ),
        Form(
            "application/vnd.apache.parquet",
            lambda served, as_of, bounds, stack: ParquetReader(
                served,
                as_of,
                bounds.batch_bytes,
                stack.enter_context(closing(Spool.open(bounds.spool_bytes))),
            ),
            partial(BatchWriter, opened=pq.ParquetWriter),
        ),
    )
}
