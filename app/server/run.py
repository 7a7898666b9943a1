"""The service as processes: its sockets, its settings, one server or several."""

import logging
import os
import sys
from importlib import import_module
from socket import socket
from typing import Any, Final

from uvicorn.config import Config

from app.server.connection import Connection
from app.server.server import Server
from app.server.sockets import allow_connections, bound, url
from app.server.state import Patience, State
from app.server.workers import Workers
from app.settings import Settings

_log: Final = logging.getLogger(__name__)
_BACKLOG: Final = 2048
_SPARE_SECONDS: Final = 4.0  # for workers to end themselves


def run(settings: Settings, log_config: dict[str, Any], app: str = "app.main:app") -> None:
    """Serve until told to stop.

    Args:
        settings: the service's.
        log_config: as `logging.config.dictConfig` takes it.
        app: module and name of the ASGI application.

    Raises:
        OSError: an address cannot be had.
        SystemExit: the service cannot start.
    """
    sockets = _sockets(settings)
    config = _config(app, settings, log_config)
    import_module(app.partition(":")[0])  # takes seconds: clients are refused meanwhile
    for each in sockets:
        each.listen(_BACKLOG)
        _log.info("running on %s", url(each))
    max_connections = allow_connections(settings.max_connections)

    def serve(parent: int | None) -> None:
        _serve(_server(config, settings, max_connections, parent), sockets)

    if settings.workers == 1:
        serve(None)
        return
    patience_s = settings.drain_seconds + settings.grace_seconds + _SPARE_SECONDS
    status = Workers(serve).run(settings.workers, close=lambda: _close(sockets), patience_s=patience_s)
    sys.exit(status)


def _config(app: str, settings: Settings, log_config: dict[str, Any]) -> Config:
    return Config(
        app,
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=log_config,
        log_level=settings.log_level,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
    )


def _server(config: Config, settings: Settings, max_connections: int, parent: int | None) -> Server:
    patience = Patience(settings.header_seconds, settings.body_seconds, settings.send_seconds)
    return Server(
        config,
        State(patience, max_connections),
        drain_s=settings.drain_seconds,
        grace_s=settings.grace_seconds,
        parent=parent,
    )


def _serve(server: Server, sockets: list[socket]) -> None:
    try:
        server.run(sockets)
    except SystemExit:  # uvicorn's way to say that the app cannot start; its log has the reason
        sys.exit(1)
    os._exit(0)  # a thread that still reads a model, or scores, would hold the process


def _sockets(settings: Settings) -> list[socket]:
    addresses = [(settings.host, settings.port)]
    if settings.admin_port is not None:
        addresses.append((settings.admin_host, settings.admin_port))
    return [bound(host, port) for host, port in addresses]


def _close(sockets: list[socket]) -> None:
    for each in sockets:
        each.close()
