"""POST a file, get its scores in the same form: read, scored and sent a piece at a time."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from app.errors import Problem
from app.observe.requests import Pattern
from app.score.block import Block, Bounds, score
from app.score.outbox import Outbox
from app.server.memory import Tidy
from app.versions.models import Models, version_number
from app.versions.served import Served
from model.errors import DataError
from model.values.iso_times import parse_iso_time

if TYPE_CHECKING:
    from app.score.forms import Form, Reader, Writer


ROUTE: Final = Pattern("/v1/models/{name}/score")
PINNED: Final = Pattern("/v1/models/{name}/versions/{version}/score")
_PIECE: Final = 1 << 20  # bytes of a file that are parsed together


class Score:
    """Answers `/v1/models/{name}/score` and `/v1/models/{name}/versions/{version}/score`.

    Args:
        max_files: read at a time.
        bounds: of each.
        tidy: for after each.
    """

    def __init__(self, models: Models, *, max_files: int, bounds: Bounds, tidy: Tidy) -> None:
        self._models = models
        self._tidy = tidy
        self._max_files = max_files
        self._bounds = bounds
        self._n_files = 0
        self._threads = ThreadPoolExecutor(1, "files")  # blocks of all files take turns

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            Problem: whatever is wrong with it; after a part of the answer was sent, it is cut there.
        """
        path = scope["path_params"]
        scope["route"] = PINNED if "version" in path else ROUTE  # for those who count and log
        version = version_number(path["version"]) if "version" in path else None
        served = scope["propense.served"] = await self._models.find(path["name"], version)
        headers = dict(scope["headers"])
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise Problem(415, "unsupported-media-type", "send the file uncompressed")
        kind = headers.get(b"content-type", b"").decode("latin-1")
        form = await asyncio.get_running_loop().run_in_executor(self._threads, _form_of, kind)
        as_of = _as_of(scope["query_string"], served.manifest.schema_.time_zone)
        with self._one_more(), ExitStack() as stack:
            reader = form.reader(served, as_of, self._bounds, stack)
            writer = form.writer(served.manifest.task.output_names)
            outbox = Outbox(send, form.kind.encode(), self._bounds.spool_bytes)
            try:
                await self._stream(_Work(served, reader, writer), receive, outbox)
            except ClientDisconnect:
                if not outbox.started:
                    raise
            finally:
                self._tidy.soon()
                await outbox.drop()

    @contextmanager
    def _one_more(self) -> Iterator[None]:
        if self._n_files >= self._max_files:
            detail = (
                f"as many files are being scored as may at a time ({self._max_files}); send it again shortly"
            )
            raise Problem(503, "too-many-files", detail, headers={"Retry-After": "10"})
        self._n_files += 1
        try:
            yield
        finally:
            self._n_files -= 1

    async def _stream(self, work: "_Work", receive: Receive, outbox: Outbox) -> None:
        gone = None
        try:
            async for piece, last in _pieces(receive):
                blocks = work.reader.feed(piece)
                if last:  # from now on it can only say that the client has gone
                    blocks, gone = chain(blocks, work.reader.end()), asyncio.ensure_future(receive())
                await self._send(work, blocks, outbox, gone)
            await outbox.put(work.writer.end(), sending=False)
            await outbox.close()
        finally:
            if gone:
                gone.cancel()

    async def _send(
        self, work: "_Work", blocks: Iterator[Block], outbox: Outbox, gone: "asyncio.Future[Message] | None"
    ) -> None:
        """Score some blocks, one after another.

        Args:
            gone: done when the client has gone; None while it sends.
        """
        loop = asyncio.get_running_loop()
        while True:
            data = await loop.run_in_executor(self._threads, work.next, blocks)
            if data is None:
                return
            if gone and gone.done():
                raise ClientDisconnect
            await outbox.put(data, sending=gone is None)


@dataclass(frozen=True)
class _Work:
    """The work on one file."""

    served: Served
    reader: "Reader"
    writer: "Writer"

    def next(self, blocks: Iterator[Block]) -> bytes | None:
        """The answer to the next block; None where there is none. This is what takes the time."""
        block = next(blocks, None)
        if block is None:
            return None
        return self.writer.write(score(self.served, block))


def _form_of(content_type: str) -> "Form":
    """As `app.score.forms` has it, with all that it imports: Arrow takes 40 MB and a tenth of a second."""
    from app.score.forms import form_of

    return form_of(content_type)


async def _pieces(receive: Receive) -> AsyncIterator[tuple[bytes, bool]]:
    """The body, in pieces that are worth a parser's while, and whether each is the last."""
    waiting: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body, more = message.get("body", b""), message.get("more_body", False)
        waiting.append(body)
        size += len(body)
        if size >= _PIECE or not more:
            yield b"".join(waiting), not more
            waiting, size = [], 0


def _as_of(query: bytes, zone: str) -> int:
    """The instant of the question: `?as_of=1997-12-31`, else now."""
    asked = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    if [name for name, _ in asked] not in ([], ["as_of"]):
        raise Problem(422, "invalid-request", "the query may have as_of=1997-12-31, nothing else")
    if not asked:
        return time.time_ns() // 1000
    try:
        return parse_iso_time(asked[0][1], zone)
    except DataError:
        detail = "as_of must be a time in ISO 8601 such as 1997-12-31, got a text that is no such time"
        raise Problem(422, "invalid-request", detail) from None
