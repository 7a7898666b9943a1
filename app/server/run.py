"""The process that serves: its sockets, then uvicorn's server with our connections."""

import logging
import os
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Any, Final

from uvicorn.config import Config

from app.server.connection import Connection
from app.server.server import Server
from app.server.sockets import allow_connections, bound, url
from app.server.state import State, Timeouts

_log: Final = logging.getLogger(__name__)
_BACKLOG: Final = 2048


def run(
    app: str,
    addresses: Iterable[tuple[str, int]],
    *,
    timeouts: Timeouts,
    max_connections: int,
    drain_s: float,
    grace_s: float,
    log_config: dict[str, Any],
) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        app: module and name of the ASGI application.
        addresses: hosts and ports to listen on.
        timeouts: of each connection.
        max_connections: beyond which only probes are answered.
        drain_s: seconds from SIGTERM until no connection is accepted.
        grace_s: seconds from then for requests in flight.
        log_config: as `logging.config.dictConfig` takes it.

    Raises:
        OSError: an address cannot be bound, or too few files may be open.
        SystemExit: always: 0 after a signal, 1 if the application cannot start.
    """
    allowed = allow_connections(max_connections)
    sockets = [bound(host, port) for host, port in addresses]
    config = _config(app, log_config)
    import_module(app.partition(":")[0])  # takes seconds: clients are refused meanwhile
    for each in sockets:
        each.listen(_BACKLOG)
        _log.info("running on %s", url(each))
    state = State(timeouts, *allowed)
    try:
        Server(config, state, drain_s=drain_s, grace_s=grace_s).run(sockets)
    except SystemExit:  # from uvicorn, when the application cannot start; its log has the reason
        sys.exit(1)
    os._exit(0)  # a thread that still reads a model, or scores, would hold the process


def _config(app: str, log_config: dict[str, Any]) -> Config:
    return Config(
        app,
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=log_config,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
    )
