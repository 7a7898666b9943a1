"""One request and its response: the ASGI side of a connection."""

import asyncio
import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final, Protocol

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Scope

from app.server.refusals import too_slow
from app.server.state import State

_log: Final = logging.getLogger(__name__)
_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode("ascii") for status in HTTPStatus
}
_CLOSE: Final = b"connection: close\r\n"
_HIGH_WATER: Final = 64 * 1024  # bytes of a body that the application has not read
_BODYLESS: Final = (204, 304)
_CHUNKED: Final = b"transfer-encoding: chunked\r\n"
_DISCONNECT: Final = "http.disconnect"


class Wire(Protocol):
    """The connection, as an exchange sees it."""

    @property
    def writable(self) -> asyncio.Event:
        """Set while the client reads what it is sent."""

    def write(self, parts: Iterable[bytes]) -> None:
        """Send bytes."""

    def pause_reading(self) -> None:
        """Take no more of the body until the application has read what came."""

    def resume_reading(self) -> None:
        """Take more of the body."""

    def answered(self, exchange: "Exchange") -> None:
        """Note that the response is complete."""

    def abort(self) -> None:
        """Cut the connection: the response broke off."""


class Exchange:
    """A request that is being read and answered.

    Attributes:
        scope: the head of the request.
        keep_alive: whether the connection stays open after the response.
        received: bytes of the body that came so far.
        whole: whether all of the body came.
        started: whether the application has given the head of the response.
        complete: whether it has given all of the response.
        task: runs the application.
    """

    __slots__ = (
        "_bodyless",
        "_chunked",
        "_expects_continue",
        "_gone",
        "_handed_over",
        "_head",
        "_left",
        "_news",
        "_pieces",
        "_stalled",
        "_state",
        "_unread",
        "_wire",
        "complete",
        "keep_alive",
        "received",
        "scope",
        "started",
        "task",
        "whole",
    )

    def __init__(
        self, wire: Wire, state: State, scope: Scope, *, keep_alive: bool, expects_continue: bool
    ) -> None:
        self._wire = wire
        self._state = state
        self.scope = scope
        self.keep_alive = keep_alive
        self.received = self._unread = 0
        self.whole = self.started = self.complete = False
        self.task: asyncio.Task[None] | None = None
        self._expects_continue = expects_continue
        self._pieces: list[bytes] = []
        self._news: asyncio.Event | None = None  # made only when the application waits
        self._gone = self._stalled = self._handed_over = False
        self._head = b""  # goes out with the first bytes of the body
        self._bodyless = self._chunked = False
        self._left: int | None = None  # bytes that are still to come of the announced length

    async def run(self, app: ASGIApp) -> None:
        """Run the application. A response that breaks off cuts the connection: no client must trust it."""
        try:
            await app(self.scope, self.receive, self.send)
        except Exception:
            _log.exception("the response to %s %s broke off", self.scope["method"], self.scope["path"])
        finally:
            if not (self.complete or self._gone):
                self._wire.abort()

    def take(self, body: bytes) -> None:
        """Take a piece of the body; one that comes after the response is dropped."""
        if self.complete:
            return
        self._pieces.append(body)
        self.received += len(body)
        self._unread += len(body)
        self._wake()
        if self._unread > _HIGH_WATER:
            self._wire.pause_reading()

    def end(self) -> None:
        """Note the end of the body."""
        self.whole = True
        self._wake()

    def lose(self) -> None:
        """Stop: the client has gone."""
        self._gone = True
        self._wake()
        if self.task and not self.complete:
            self.task.cancel()

    def stall(self) -> None:
        """Give up on a body that stopped coming: `receive` raises, unless the response has begun."""
        if self.started:
            self._wire.abort()
        self._stalled = True
        self._wake()

    def _wake(self) -> None:
        if self._news:
            self._news.set()

    async def receive(self) -> Message:
        """ASGI's receive.

        Raises:
            Problem: the body stopped coming.
        """
        while not (self._pieces or self.complete or self._gone or (self.whole and not self._handed_over)):
            if self._stalled:
                raise too_slow()
            await self._wait()
        if self.complete or self._gone:
            return {"type": _DISCONNECT}
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces, self._unread = [], 0
        self._handed_over = self.whole
        return {"type": "http.request", "body": body, "more_body": not self.whole}

    async def _wait(self) -> None:
        if self._expects_continue and not self.started:
            self._expects_continue = False
            self._wire.write((b"HTTP/1.1 100 Continue\r\n\r\n",))
        self._wire.resume_reading()
        if self._news is None:
            self._news = asyncio.Event()
        self._news.clear()
        await self._news.wait()

    async def send(self, message: Message) -> None:
        """ASGI's send; waits while the client does not read.

        Raises:
            RuntimeError: the application breaks the rules of ASGI or HTTP, or its announced length.
        """
        if not self._wire.writable.is_set():
            await self._wire.writable.wait()
        if self._gone:
            return
        if message["type"] == "http.response.start":
            self._start(message["status"], message.get("headers", ()))
        else:
            self._continue(message.get("body", b""), more=message.get("more_body", False))

    def _start(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        if self.started:
            raise RuntimeError("a response has one head")
        self.started = True
        block, length, last = _block(headers)
        if last or self._state.stopping:
            self.keep_alive = False
        self._bodyless = self.scope["method"] == "HEAD" or status in _BODYLESS
        self._left = length
        self._chunked = length is None and not self._bodyless and self.scope["http_version"] == "1.1"
        if length is None and not self._bodyless and not self._chunked:
            self.keep_alive = False  # the end of the connection is the end of the response
        framing = _CHUNKED if self._chunked else b""
        closing = b"" if self.keep_alive else _CLOSE
        self._head = b"".join((_LINES[status], self._state.common, block, framing, closing, b"\r\n"))

    def _continue(self, body: bytes, *, more: bool) -> None:
        if not self.started or self.complete:
            raise RuntimeError("a response has one head, then its body")
        if self._bodyless:
            body = b""
        elif self._left is not None:
            self._left -= len(body)
            if self._left < 0 or (self._left and not more):
                raise RuntimeError("a response must be as long as its content-length")
        parts = [self._head, *self._framed(body, more=more)]
        self._head = b""
        self._wire.write(parts)
        if not more:
            self.complete = True
            self._wake()
            self._wire.answered(self)

    def _framed(self, body: bytes, *, more: bool) -> tuple[bytes, ...]:
        if not self._chunked:
            return (body,)
        chunk = (b"%x\r\n" % len(body), body, b"\r\n") if body else ()
        return chunk if more else (*chunk, b"0\r\n\r\n")


def _block(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, int | None, bool]:
    """The header lines but `connection`; the announced length of the body; whether the connection ends."""
    lines: list[bytes] = []
    length, last = None, False
    for name, value in headers:
        if name == b"connection":
            last = value == b"close"
            continue
        if name == b"content-length":
            length = int(value)
        lines += (name, b": ", value, b"\r\n")
    block = b"".join(lines)
    if not block.count(b"\r") == block.count(b"\n") == len(lines) // 4:
        raise RuntimeError("a header must not hold a line break")
    return block, length, last


def as_bytes(response: Response, common: bytes) -> bytes:
    """Return a whole response, which is the last of its connection, as the bytes that go out."""
    block, _, _ = _block(response.raw_headers)
    return b"".join((_LINES[response.status_code], common, block, _CLOSE, b"\r\n", bytes(response.body)))
