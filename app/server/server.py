"""One process that serves until it is told to stop, and then ends in time, whatever its clients do."""

import asyncio
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import uvicorn
from uvicorn.config import Config

from app.server.state import ANSWERING, State

_log: Final = logging.getLogger(__name__)
_LOOKS: Final = 5  # of uvicorn's ticks, 0.1 s each, from one look at the connections to the next
_LIFESPAN_SECONDS: Final = 1.0  # for the app to end
SAME_SECONDS: Final = 0.5  # signals so close are one: systemd tells workers, and so does their parent
_SPARE_SECONDS: Final = 1.0  # beyond all that may take its time


class Server(uvicorn.Server):
    """uvicorn's server with a way to a clean end.

    Told by SIGTERM, it goes on answering for a while, as proxies and probes need that to notice: not ready,
    and every answer the last of its connection. Then it closes its sockets, finishes what is in flight, cuts
    what is not finished in time, and ends. SIGINT leaves the first part out; any second signal ends it now.

    Args:
        drain_s: seconds of going on.
        grace_s: seconds for what is in flight.
        parent: becomes readable when the parent process has died, which is taken for SIGTERM.
    """

    server_state: State

    def __init__(
        self, config: Config, state: State, *, drain_s: float, grace_s: float, parent: int | None = None
    ) -> None:
        super().__init__(config)
        self.server_state = state
        self._drain_s = drain_s
        self._grace_s = grace_s
        self._parent = parent
        self._told_at = self._closes_at = 0.0

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals until the process ends: a second one may come at any time."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's name
        """Begin to end; a second time, or before anything was answered, end."""
        now = time.monotonic()
        if self.should_exit and now - self._told_at < SAME_SECONDS:
            return
        if self.should_exit or not self.started:
            os._exit(0)
        self._told_at = now
        drain_s = self._drain_s if sig == signal.SIGTERM else 0.0
        self._closes_at = now + drain_s
        self.server_state.stopping = self.should_exit = True
        self.lifespan.state["stopping"] = True  # seen by the probe
        late = threading.Timer(
            drain_s + self._grace_s + _LIFESPAN_SECONDS + _SPARE_SECONDS, os._exit, args=[0]
        )
        late.daemon = True
        late.start()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and watch the parent."""
        self.lifespan.state[ANSWERING] = self.server_state.tasks
        await super().startup(sockets)
        if self._parent is not None:
            loop, parent = asyncio.get_running_loop(), self._parent
            loop.add_reader(parent, self._orphaned, loop, parent)

    def _orphaned(self, loop: asyncio.AbstractEventLoop, parent: int) -> None:
        loop.remove_reader(parent)
        if not self.should_exit:
            self.handle_exit(signal.SIGTERM, None)

    async def on_tick(self, counter: int) -> bool:
        """Look after the connections; whether it is time to close the sockets."""
        told = await super().on_tick(counter)
        state, now = self.server_state, time.monotonic()
        state.set_common(state.default_headers)
        if counter % _LOOKS == 0:
            for client in list(state.clients):
                client.check(now)
        return told and now >= self._closes_at

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the sockets, let what is in flight finish, cut the rest, end the app."""
        state = self.server_state
        for server in self.servers:
            server.close()
        for open_socket in sockets or []:
            open_socket.close()
        for client in list(state.clients):
            client.shutdown()
        deadline = time.monotonic() + self._grace_s
        while (state.clients or state.tasks) and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        if state.clients or state.tasks:
            _log.warning("cut off: %d connections, %d answers", len(state.clients), len(state.tasks))
            for client in list(state.clients):
                client.abort()
        await self._end_app()

    async def _end_app(self) -> None:
        try:
            await asyncio.wait_for(self.lifespan.shutdown(), _LIFESPAN_SECONDS)
        except TimeoutError:
            _log.warning("the app did not end in time")
            os._exit(0)
