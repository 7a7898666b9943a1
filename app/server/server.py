"""uvicorn's server with an orderly end: no request that was sent is lost, and no client can delay the end."""

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

from app.server.sockets import refuse_new_clients, wait_until_accepted
from app.server.state import ANSWERING, State

_log: Final = logging.getLogger(__name__)
_CHECK_TICKS: Final = 5  # of uvicorn's ticks, 0.1 s each, from one check of the connections to the next
_LINGER_SECONDS: Final = 0.3  # for requests that are under way on idle connections
_LIFESPAN_SECONDS: Final = 1.0  # for the application to end
_SPARE_SECONDS: Final = 1.0  # on top of all time limits
_SAME_SECONDS: Final = 0.5  # two signals within it are one: `timeout` signals a process, then its group


class Server(uvicorn.Server):
    """Serves until SIGTERM, SIGINT or SIGHUP, then ends in three steps.

    1. Drain, for `drain_s`, after SIGTERM only: requests are answered, each answer is the last of its
       connection, and the probe says not ready, so that proxies stop sending.
    2. Grace, for `grace_s` at most: new clients are refused. Every connection that the kernel has accepted is
       read, every request in flight is finished, and idle connections are closed.
    3. What is still open is cut, and the application ends.

    A second signal ends the process at once.
    """

    server_state: State

    def __init__(self, config: Config, state: State, *, drain_s: float, grace_s: float) -> None:
        super().__init__(config)
        self.server_state = state
        self._drain_s = drain_s
        self._grace_s = grace_s
        self._signalled_at = self._closes_at = 0.0

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals until the process ends: a second one may come at any time."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # `nohup` has a hang-up ignored
                signal.signal(number, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's name
        """Begin to end. A second signal, or one before the start is complete, ends the process."""
        now = time.monotonic()
        if self.should_exit and now - self._signalled_at < _SAME_SECONDS:
            return
        if self.should_exit or not self.started:
            os._exit(0)
        self._signalled_at = now
        drain_s = self._drain_s if sig == signal.SIGTERM else 0.0
        self._closes_at = now + drain_s
        self.server_state.stopping = self.should_exit = True
        self.lifespan.state["stopping"] = True  # read by the probe
        late = threading.Timer(
            drain_s + self._grace_s + _LIFESPAN_SECONDS + _SPARE_SECONDS, os._exit, args=[0]
        )
        late.daemon = True
        late.start()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and give the application the set of requests in progress."""
        self.lifespan.state[ANSWERING] = self.server_state.tasks
        await super().startup(sockets)

    async def on_tick(self, counter: int) -> bool:
        """Check the connections; return whether it is time to close the sockets."""
        signalled = await super().on_tick(counter)
        state, now = self.server_state, time.monotonic()
        state.set_common(state.default_headers)
        if counter % _CHECK_TICKS == 0:
            self._check_connections(now)
        return signalled and now >= self._closes_at

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Refuse new clients, finish what is in flight, cut the rest, end the application."""
        deadline = time.monotonic() + self._grace_s
        await self._stop_listening(sockets or [])
        await self._finish(deadline)
        state = self.server_state
        if state.clients or state.tasks:
            _log.warning("cut off: %d connections, %d answers", len(state.clients), len(state.tasks))
            for client in list(state.clients):
                client.abort()
        await self._end_app()

    async def _stop_listening(self, sockets: list[socket.socket]) -> None:
        """Close the sockets after every client that the kernel has connected is accepted."""
        for each in sockets:
            refuse_new_clients(each)
        await wait_until_accepted(sockets)
        for server in self.servers:
            server.close()
        for each in sockets:
            each.close()

    async def _finish(self, deadline: float) -> None:
        """Wait until all connections are closed, by a deadline of the monotonic clock."""
        state, idle_until = self.server_state, time.monotonic() + _LINGER_SECONDS
        while (state.clients or state.tasks) and (now := time.monotonic()) < deadline:
            if now >= idle_until:
                for client in list(state.clients):
                    client.close_if_idle()
            self._check_connections(now)
            await asyncio.sleep(0.02)

    def _check_connections(self, now: float) -> None:
        for client in list(self.server_state.clients):
            client.check(now)

    async def _end_app(self) -> None:
        try:
            await asyncio.wait_for(self.lifespan.shutdown(), _LIFESPAN_SECONDS)
        except TimeoutError:
            _log.warning("the application did not end within %g s", _LIFESPAN_SECONDS)
            os._exit(0)
