"""Polling for the next request for a moment after each response, in place of sleeping."""

import asyncio
from time import perf_counter
from typing import Final

_SECONDS: Final = 100e-6


class BusyPoll:
    """Keeps the event loop polling until some time after the latest response.

    An idle processor sleeps; to wake it and the process takes longer than many a client's next request, and a
    client that sends one request after another would wait for that each time. This costs the time polled and
    no more: an idle service sleeps.
    """

    def __init__(self) -> None:
        self._until = 0.0
        self._scheduled = False

    def extend(self, loop: asyncio.AbstractEventLoop) -> None:
        """Poll on: a response was sent."""
        self._until = perf_counter() + _SECONDS
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._poll, loop)

    def _poll(self, loop: asyncio.AbstractEventLoop) -> None:
        self._scheduled = perf_counter() < self._until
        if self._scheduled:
            loop.call_soon(self._poll, loop)
