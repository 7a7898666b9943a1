"""A server that stays awake for a moment: to be woken takes longer than many a client's next request."""

import asyncio
from time import perf_counter
from typing import Final

_SECONDS: Final = 100e-6


class Awake:
    """Has the event loop look for news again and again, until some time after the latest answer.

    A processor without work sleeps, and with it the process; a client that sends one request after another
    would wait for both to wake up, each time. It costs as much of a processor, and no more: an idle service
    sleeps.
    """

    def __init__(self) -> None:
        self._until = 0.0
        self._turning = False

    def stay(self, loop: asyncio.AbstractEventLoop) -> None:
        """An answer was given."""
        self._until = perf_counter() + _SECONDS
        if not self._turning:
            self._turning = True
            loop.call_soon(self._turn, loop)

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        self._turning = perf_counter() < self._until
        if self._turning:
            loop.call_soon(self._turn, loop)
