"""One connection: one response after another, with a timeout for everything that the client has to do."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from starlette.responses import Response
from starlette.types import ASGIApp, Scope
from uvicorn.config import Config
from uvicorn.protocols.utils import get_local_addr, get_remote_addr

from app.errors import Problem
from app.server.exchange import Exchange, as_bytes
from app.server.parser import RequestParser
from app.server.refusals import crowded, noted, sent_ahead, slow_head
from app.server.state import REFUSED, NoteRefusal, State, Waits

_MAX_PIPELINED: Final = 64  # requests sent ahead of their responses
_RESET: Final = struct.pack("ii", 1, 0)  # of SO_LINGER: on, for no time


class Connection(asyncio.Protocol):
    """Speaks HTTP/1.1 with one client. uvicorn makes one for each connection; the arguments are uvicorn's."""

    def __init__(
        self,
        config: Config,
        server_state: State,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._app: ASGIApp = config.loaded_app
        self._state = server_state
        self._app_state = app_state
        self._loop = _loop or asyncio.get_running_loop()
        self.writable = asyncio.Event()
        self.writable.set()
        self._parser: RequestParser | None = None  # None: no more requests are read
        self._answering: Exchange | None = None
        self._queue: deque[Exchange] = deque()  # requests sent ahead
        self._paused = self._crowded = self._half_closed = False
        self._refusal: Response | None = None  # to what came after the requests that are still answered
        self._note: NoteRefusal = app_state.get(REFUSED, _ignore)
        self._waiting: tuple[Waits | None, object] = None, None
        self._waiting_since = 0.0

    # Called by the transport.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as it is here
        self._transport = transport
        base = {"scheme": "http", "server": get_local_addr(transport), "client": get_remote_addr(transport)}
        self._parser = RequestParser(self, base, self._app_state)
        self._state.clients.add(self)
        n_beyond = len(self._state.clients) - self._state.max_connections
        self._crowded = n_beyond > 0
        if n_beyond > self._state.spare:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        self._state.clients.discard(self)
        self._stop_parsing()
        self.writable.set()
        for exchange in (self._answering, *self._queue):
            if exchange:
                exchange.lose()

    def data_received(self, data: bytes) -> None:
        if self._parser is None:
            return
        try:
            self._parser.feed(data)
        except Problem as problem:
            self._refuse(problem)

    def eof_received(self) -> bool:
        """Finish what the client has sent whole, for some time; return whether there is any such."""
        latest = self._queue[-1] if self._queue else self._answering
        self._half_closed = latest is not None and latest.whole
        if self._half_closed:
            self._stop_parsing()
        return self._half_closed

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    # Called by the parser.

    def begin(self, scope: Scope, *, keep_alive: bool, expects_continue: bool) -> Exchange:
        """Begin a request, or queue it behind those before it.

        Raises:
            Problem: too many wait.
        """
        keep_alive = keep_alive and not self._crowded
        exchange = Exchange(
            self, self._state, scope, keep_alive=keep_alive, expects_continue=expects_continue
        )
        if self._answering is None:
            self._start(exchange)
        elif len(self._queue) < _MAX_PIPELINED:
            self._queue.append(exchange)
            self.pause_reading()
        else:
            raise sent_ahead(_MAX_PIPELINED)
        return exchange

    # Called by an exchange.

    def write(self, parts: Iterable[bytes]) -> None:
        """Send bytes."""
        if not self._transport.is_closing():
            self._transport.writelines(parts)

    def pause_reading(self) -> None:
        """Take no more of the body until the application has read what came."""
        if not (self._paused or self._transport.is_closing()):
            self._paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take more of the body."""
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    def answered(self, exchange: Exchange) -> None:
        """Go on to the next request, or close: the response is complete."""
        self._state.total_requests += 1
        self._state.busy_poll.extend(self._loop)
        self._answering = None
        if self._queue and exchange.keep_alive:
            self._start(self._queue.popleft())
        elif self._parser is None or not exchange.keep_alive:
            self._end()
        elif self._paused:
            self.resume_reading()

    def abort(self) -> None:
        """Cut the connection with a reset, so that no client takes this for the end of a response."""
        if not self._transport.is_closing() or self._transport.get_write_buffer_size():
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    # Called by the server.

    def close_if_idle(self) -> None:
        """Close it unless a request is being read or answered."""
        if self._parser and self._answering is None and not self._parser.in_head:
            self._close()

    def check(self, now: float) -> None:
        """End it if a timeout has passed; `now` is in seconds.

        Checks of all connections now and then cost less than a timer for each request.
        """
        waiting = waits, _ = self._waits()
        if waiting != self._waiting:
            self._waiting, self._waiting_since = waiting, now
        if waits is None or now - self._waiting_since < getattr(self._state.timeouts, waits):
            return
        if waits == "body" and self._parser and self._parser.exchange:
            self._parser.exchange.stall()
        elif waits in ("send", "end", "half"):
            self.abort()
        elif waits == "head" and self._parser and self._parser.in_head:
            self._refuse(slow_head())
        else:
            self._transport.close()

    def _waits(self) -> tuple[Waits | None, object]:
        """What the client has to do, and a mark that changes when it does some of it."""
        if unsent := self._transport.get_write_buffer_size():
            sent = self._answering and self._answering.received  # many clients send all before they read
            return "send", (unsent, sent)
        if self._parser is None:
            if not self._answering:
                return "end", None
            return ("half" if self._half_closed else None), None
        latest = self._parser.exchange
        if self._answering is None:
            return ("head" if latest is None or self._parser.in_head else "idle"), latest
        if latest and not latest.whole and not self._paused:
            return "body", latest.received
        return None, None

    def _start(self, exchange: Exchange) -> None:
        self._answering = exchange
        app = crowded(self._app, self._note) if self._crowded else self._app
        exchange.task = task = self._loop.create_task(exchange.run(app))
        tasks = self._state.tasks
        tasks.add(task)
        task.add_done_callback(tasks.discard)  # `run` could not: it may be cancelled before it begins

    def _refuse(self, problem: Problem) -> None:
        """Answer bytes that are no request, after the requests before them; read no more, and close."""
        self._stop_parsing()
        latest = self._queue[-1] if self._queue else self._answering
        if latest and not latest.whole:  # they are part of it
            if self._queue:
                self._queue.pop()
            elif latest.started:
                self.abort()
                return
            else:
                latest.lose()
                self._answering = None
        self._refusal = noted(problem, self._note)
        if self._answering is None:
            self._end()

    def _end(self) -> None:
        """Close, after the refusal of what came last."""
        if self._refusal:
            self.write((as_bytes(self._refusal, self._state.common),))
            self._refusal = None
        self._close()

    def _stop_parsing(self) -> None:
        if self._parser:
            self._parser.close()
            self._parser = None

    def _close(self) -> None:
        """Send the end, then wait for the client's: closing at once could reset it before it has read all."""
        self._stop_parsing()
        if self._half_closed:
            self._transport.close()
        elif not self._transport.is_closing():
            self.resume_reading()
            self._transport.write_eof()


def _ignore(_: Problem) -> bytes:
    """Note nothing, for an application that has no ear for refusals."""
    return b"none"
