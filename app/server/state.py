"""What the connections of one server share, and how long each may wait for its client."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import Final, Literal, Protocol

from uvicorn.server import ServerState

from app.errors import Problem

ANSWERING: Final = "answering"
"""The key of the ASGI scope's state that holds the requests in progress, so that an app sees its load."""
REFUSED: Final = "refused"
"""The key of the lifespan's state by which an app hears of what the server refuses: a `NoteRefusal`."""
NoteRefusal = Callable[[Problem], bytes]
"""Notes a refusal and returns its request id."""
_POLL_SECONDS: Final = 100e-6


Waits = Literal["head", "body", "send", "idle", "end", "half"]
"""What a connection waits for: a name of `Timeouts`."""


@dataclass(frozen=True)
class Timeouts:
    """How long a connection waits for its client, in seconds.

    Attributes:
        head: for a request's head, from the connection's start or from the head's first byte.
        body: from one piece of a body to the next.
        send: for the client to read a piece of its response.
        idle: between a response and the next request.
        end: for the client to close, after the last response.
        half: for the last response to a client that sends no more; it may have gone for good.
    """

    head: float = 10.0
    body: float = 20.0
    send: float = 30.0
    idle: float = 75.0  # longer than the usual 60 s of a proxy, which must be the one to close
    end: float = 1.0
    half: float = 30.0


class Client(Protocol):
    """A connection, as the server sees it."""

    def check(self, now: float) -> None:
        """End it if a timeout has passed; `now` is in seconds."""

    def close_if_idle(self) -> None:
        """Close it unless a request is being read or answered."""

    def abort(self) -> None:
        """Cut it."""


class BusyPoll:
    """Keeps the event loop polling for a moment after the latest response, in place of sleeping.

    An idle processor sleeps; to wake it and the process takes longer than many a client's next request, and a
    client that sends one request after another would wait for that each time. This costs the time polled and
    no more: an idle service sleeps.
    """

    def __init__(self) -> None:
        self._until = 0.0
        self._scheduled = False

    def extend(self, loop: asyncio.AbstractEventLoop) -> None:
        """Poll on: a response was sent."""
        self._until = perf_counter() + _POLL_SECONDS
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._poll, loop)

    def _poll(self, loop: asyncio.AbstractEventLoop) -> None:
        self._scheduled = perf_counter() < self._until
        if self._scheduled:
            loop.call_soon(self._poll, loop)


class State(ServerState):
    """The state of one server.

    Attributes:
        clients: the open connections.
        timeouts: of each connection.
        max_connections: beyond which only probes are answered.
        spare: connections beyond it that are still taken, for probes and refusals.
        busy_poll: is extended by every response.
        stopping: whether every response is the last of its connection.
        common: header lines of every response.
    """

    def __init__(self, timeouts: Timeouts, max_connections: int, spare: int = 64) -> None:
        super().__init__()
        self.clients: set[Client] = set()
        self.timeouts = timeouts
        self.max_connections = max_connections
        self.spare = spare
        self.busy_poll = BusyPoll()
        self.stopping = False
        self.common = b""

    def set_common(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Set the headers of every response."""
        self.common = b"".join(b"%s: %s\r\n" % header for header in headers)
