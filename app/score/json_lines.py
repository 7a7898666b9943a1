"""NDJSON into blocks: a customer a line, as in a predict request. A line that is none is told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from app.errors import Problem
from app.request import explain as careful
from app.request.schemas import MAX_ID_LENGTH
from app.request.values import NotTaken
from app.score.block import Block, Flaws, parts
from app.versions.served import Served
from model.values.rows import RequestRows, id_field


@dataclass
class LinesReader:
    """Reads one file.

    Attributes:
        as_of: the instant of the question.
        max_row: bytes of one line.
    """

    served: Served
    as_of: int
    max_row: int
    _rest: bytes = b""
    _n_rows: int = 0

    def feed(self, data: bytes) -> Iterator[Block]:
        """The blocks of the lines that further bytes of the file complete.

        Raises:
            Problem: a line is too long.
        """
        whole, _, self._rest = (self._rest + data).rpartition(b"\n")
        yield from self._blocks(whole)
        if len(self._rest) > self.max_row:
            number = self._n_rows + 1
            raise Problem(413, "row-too-long", f"row {number} must have at most {self.max_row} bytes")

    def end(self) -> Iterator[Block]:
        """The block of the last line, if it has no end."""
        yield from self._blocks(self._rest)

    def _blocks(self, text: bytes) -> Iterator[Block]:
        lines = [line for line in text.split(b"\n") if line and not line.isspace()]
        for part in parts(len(lines)):
            yield self._block(lines[part])

    def _block(self, lines: Sequence[bytes]) -> Block:
        flaws = Flaws(self._n_rows + 1)
        self._n_rows += len(lines)
        read, name = self._read(lines, 0, flaws), id_field(self.served.manifest.schema_)
        rows = RequestRows.joined(read) if read else RequestRows((), (), ())
        places = np.delete(np.arange(len(lines)), list(flaws.said))
        ids = [_id_of(line, name) if place in flaws.said else None for place, line in enumerate(lines)]
        for place, id_ in zip(places.tolist(), rows.ids, strict=True):
            ids[place] = str(flaws.first + place) if id_ is None else id_
        return Block(len(lines), rows, places, ids, flaws)

    def _read(self, lines: Sequence[bytes], place: int, flaws: Flaws) -> list[RequestRows]:
        """Read all at once; where that fails, the halves, down to the line that is at fault."""
        try:
            return [self.served.decoder.lines(b"\n".join(lines), self.as_of)]
        except NotTaken:
            middle = len(lines) // 2
        if middle:
            return self._read(lines[:middle], place, flaws) + self._read(
                lines[middle:], place + middle, flaws
            )
        try:
            schema = self.served.manifest.schema_
            return [careful.read_row(lines[0], flaws.first + place, self.served.request, schema, self.as_of)]
        except Problem as problem:
            flaws.note(place, problem.errors[0])
            return []


def _id_of(line: bytes, name: str) -> str | int | None:
    """The id in a line that has another fault, if it can be found."""
    try:
        id_ = msgspec.json.decode(line, type=dict[str, Any]).get(name)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return id_ if type(id_) in (str, int) and len(str(id_)) <= MAX_ID_LENGTH else None
