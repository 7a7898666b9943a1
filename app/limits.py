"""Limits of the load: requests that wait, bytes of all bodies, seconds of refusals."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from app.errors import Problem

_BUSY: Final = "too-busy"  # the kind of a refusal that a later request may not meet
_LULL_SECONDS: Final = 1.0


@dataclass(frozen=True)
class RequestLimits:
    """The limits of requests to one version.

    Attributes:
        max_rows: customers in one request.
        max_waiting: requests that wait; a further one is refused.
        deadline_s: seconds from the last byte of a request to its answer.
    """

    max_rows: int
    max_waiting: int
    deadline_s: float


def queue_full(max_waiting: int) -> Problem:
    """Return the problem of a full queue: rather than wait long, a client asks again, or another replica.

    Await nothing between the check of the queue and joining it, or a burst would pass as one request.
    """
    return _busy(f"as many requests wait already as may ({max_waiting})")


class BodyBudget:
    """The bytes of all bodies that arrive in pieces, until they are answered."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0

    @contextmanager
    def body(self) -> Iterator[Callable[[int], None]]:
        """Hold one body: call what this yields with the number of bytes of each piece.

        Raises:
            Problem: from that call: all bodies together would be too large.
        """
        own = 0

        def hold(n_bytes: int) -> None:
            nonlocal own
            if self._bytes + n_bytes > self._max_bytes:
                raise _busy(f"bodies of {self._max_bytes} bytes together are being read")
            own += n_bytes
            self._bytes += n_bytes

        try:
            yield hold
        finally:
            self._bytes -= own


class Saturation:
    """Whether requests have been refused for some time because the service is too busy.

    Args:
        after_s: seconds of refusals, without a lull, after which the service is saturated.
    """

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._since = self._latest = -_LULL_SECONDS

    def note(self, problem: Problem) -> None:
        """Note a refusal."""
        if problem.kind == _BUSY:
            now = time.monotonic()
            if now - self._latest > _LULL_SECONDS:
                self._since = now
            self._latest = now

    def lasts(self) -> bool:
        """Return whether the service is saturated now."""
        now = time.monotonic()
        return now - self._latest <= _LULL_SECONDS and now - self._since >= self._after_s


def _busy(reason: str) -> Problem:
    return Problem(503, _BUSY, f"{reason}; ask again shortly", headers={"Retry-After": "1"})
