"""What the connections of one server share."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from uvicorn.server import ServerState

from app.server.awake import Awake

ANSWERING: Final = "answering"
"""Where in the ASGI scope's state the requests are that are being answered, so that an app sees its load."""


@dataclass(frozen=True)
class Patience:
    """How long a connection may take, in seconds.

    Attributes:
        head: for a request's head, from the connection's start or from the head's first byte.
        body: from one piece of a body to the next.
        send: for the client to take a piece of its answer.
        idle: between an answer and the next request.
        end: for the client to hang up once it was refused before all of its request came.
    """

    head: float = 10.0
    body: float = 20.0
    send: float = 30.0
    idle: float = 75.0  # longer than the usual 60 s of a proxy, which must be the one to hang up
    end: float = 2.0


class Client(Protocol):
    """A connection, as the server sees it."""

    def check(self, now: float) -> None:
        """End it if its client has kept it waiting for too long; `now` is in seconds."""

    def shutdown(self) -> None:
        """Close it as soon as nothing is being answered."""

    def abort(self) -> None:
        """Cut it."""


class State(ServerState):
    """Of one server.

    Attributes:
        clients: the open connections.
        patience: with slow clients.
        max_connections: beyond which only probes are answered.
        awake: is told of every answer.
        stopping: every answer is its connection's last.
        common: header lines of every answer.
    """

    def __init__(self, patience: Patience, max_connections: int) -> None:
        super().__init__()
        self.clients: set[Client] = set()
        self.patience = patience
        self.max_connections = max_connections
        self.awake = Awake()
        self.stopping = False
        self.common = b""

    def set_common(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Have every answer carry these headers."""
        self.common = b"".join(b"%s: %s\r\n" % header for header in headers)
