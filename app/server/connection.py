"""One connection: one answer after another, and no patience with a client that makes it wait."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from starlette.types import ASGIApp, Scope
from uvicorn.config import Config
from uvicorn.protocols.utils import get_local_addr, get_remote_addr

from app.errors import Problem
from app.server.exchange import Exchange, as_bytes
from app.server.refusals import crowded
from app.server.requests import Requests
from app.server.state import State, Waiting, Waits

_MAX_PIPELINED: Final = 64  # requests sent ahead of their answers
_HIGH_WATER: Final = 64 * 1024  # bytes of a body that the app has not taken
_RESET: Final = struct.pack("ii", 1, 0)  # of SO_LINGER: on, for no time
_SPARE: Final = 64  # connections beyond the limit, for probes and refusals


class Connection(asyncio.Protocol):
    """Speaks HTTP/1.1 with one client. uvicorn makes one for each connection; the arguments are its."""

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
        self._requests: Requests | None = None  # None: no more are read
        self._reading: Exchange | None = None  # the latest request
        self._answering: Exchange | None = None
        self._queue: deque[Exchange] = deque()  # requests sent ahead
        self._paused = self._crowded = False
        self._waiting = Waiting()

    # What the transport calls.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as it is here
        self._transport = transport
        base = {"scheme": "http", "server": get_local_addr(transport), "client": get_remote_addr(transport)}
        self._requests = Requests(self, base, self._app_state)
        self._state.clients.add(self)
        beyond = len(self._state.clients) - self._state.max_connections
        self._crowded = beyond > 0
        if beyond > _SPARE:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        self._state.clients.discard(self)
        self._read_no_more()
        self._reading = None  # it holds this
        self.writable.set()
        for exchange in (self._answering, *self._queue):
            if exchange:
                exchange.lose()

    def data_received(self, data: bytes) -> None:
        if self._requests is None:
            return
        try:
            self._requests.feed(data)
        except Problem as problem:
            self._refuse(problem)

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    # What its requests call.

    def take_head(self, scope: Scope, *, keep_alive: bool, expects_continue: bool) -> None:
        """A request begins."""
        keep_alive = keep_alive and not self._crowded
        exchange = Exchange(self, scope, keep_alive=keep_alive, expects_continue=expects_continue)
        self._reading = exchange
        if self._answering is None:
            self._start(exchange)
        elif len(self._queue) < _MAX_PIPELINED:
            self._queue.append(exchange)
            self._pause_reading()
        else:
            self.abort()

    def take_body(self, body: bytes) -> None:
        """Some of its body came; of a body that was refused, nothing is kept."""
        exchange = self._reading
        if exchange and not exchange.complete:
            exchange.take(body)
            if exchange.unread > _HIGH_WATER:
                self._pause_reading()

    def end_body(self) -> None:
        """Its body is whole."""
        if self._reading:
            self._reading.end()

    # What an exchange calls.

    @property
    def stopping(self) -> bool:
        """Whether every answer is to be the last of its connection."""
        return self._state.stopping

    @property
    def common(self) -> bytes:
        """Header lines of every answer."""
        return self._state.common

    def write(self, parts: Iterable[bytes]) -> None:
        """Send bytes."""
        if not self._transport.is_closing():
            self._transport.writelines(parts)

    def resume_reading(self) -> None:
        """Take more of the body."""
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    def _pause_reading(self) -> None:
        if not (self._paused or self._transport.is_closing()):
            self._paused = True
            self._transport.pause_reading()

    def answered(self, exchange: Exchange) -> None:
        """The answer is complete: on to the next request, or to the end."""
        self._state.total_requests += 1
        self._state.awake.stay(self._loop)
        self._answering = None
        if self._requests is None or not exchange.keep_alive:
            self._close()
        elif self._queue:
            self._start(self._queue.popleft())
        else:
            self.resume_reading()

    def abort(self) -> None:
        """Cut the connection, by a reset: nobody must take this for the end of an answer."""
        if not self._transport.is_closing() or self._transport.get_write_buffer_size():
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    # What the server calls.

    def close_if_idle(self) -> None:
        """Close it unless a request is being read or answered."""
        if self._requests and self._answering is None and not self._requests.in_head:
            self._close()

    def check(self, now: float) -> None:
        """Make an end of waiting too long for the client. Called now and then; `now` is in seconds."""
        waits, mark = self._waits()
        waited = self._waiting.seconds(waits, mark, now)
        if waits is None or waited < getattr(self._state.timeouts, waits.value):
            return
        if waits is Waits.BODY and self._reading:
            self._reading.stall()
        elif waits in (Waits.SEND, Waits.END):
            self.abort()
        else:
            self._transport.close()

    def _waits(self) -> tuple[Waits | None, object]:
        """For what, and something that changes when there is progress."""
        if unsent := self._transport.get_write_buffer_size():
            sent = self._answering and self._answering.received  # many clients read when they have sent all
            return Waits.SEND, (unsent, sent)
        if self._requests is None:
            return (None, None) if self._answering else (Waits.END, None)
        if self._answering is None:
            head = self._reading is None or self._requests.in_head
            return Waits.HEAD if head else Waits.IDLE, self._reading
        if self._reading and not self._reading.whole and not self._paused:
            return Waits.BODY, self._reading.received
        return None, None

    # Its own.

    def _start(self, exchange: Exchange) -> None:
        self._answering = exchange
        app = crowded(self._app) if self._crowded else self._app
        exchange.task = task = self._loop.create_task(exchange.run(app))
        tasks = self._state.tasks
        tasks.add(task)
        task.add_done_callback(tasks.discard)  # in `run` it would miss who is cancelled before that begins

    def _refuse(self, problem: Problem) -> None:
        """Answer what cannot become a request, read no more requests, and end."""
        exchange = self._answering
        self._read_no_more()
        self._queue.clear()
        if exchange and exchange.whole:  # this came after it: it is answered first
            exchange.keep_alive = False
        elif exchange and exchange.started:
            self.abort()
        else:
            if exchange:
                exchange.lose()
            self._answering = None
            self.write((as_bytes(problem, self.common),))
            self._close()

    def _read_no_more(self) -> None:
        if self._requests:
            self._requests.close()
            self._requests = None

    def _close(self) -> None:
        """Send the end, then wait for the client's: closing at once could reset it before it has read all."""
        self._read_no_more()
        if not self._transport.is_closing():
            self.resume_reading()
            self._transport.write_eof()
