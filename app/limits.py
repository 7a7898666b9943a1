"""Limits of the load: requests that wait, bytes of all bodies, seconds of refusals."""

import time
from collections import defaultdict
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


class Shares:
    """What the callers hold of something: none may have more than half of it, so that none can take it all.

    Args:
        total: of all callers.
        things: what it is, in the plural.
    """

    def __init__(self, total: int, things: str) -> None:
        self._most = max(1, total // 2)
        self._things = things
        self._held: defaultdict[str, int] = defaultdict(int)

    def take(self, caller: str | None, n: int) -> None:
        """Count N more for a caller; None: there are no keys to tell callers apart.

        Raises:
            Problem: the caller would have more than half.
        """
        if caller is None:
            return
        if self._held[caller] + n > self._most:
            detail = f"this key may have {self._most} {self._things} in progress; ask again shortly"
            raise Problem(503, "key-too-busy", detail, headers={"Retry-After": "1"})
        self._held[caller] += n

    def give(self, caller: str | None, n: int) -> None:
        """Count N less for a caller."""
        if caller is not None:
            self._held[caller] -= n
            if not self._held[caller]:
                del self._held[caller]


class BodyBudget:
    """The bytes of all bodies that arrive in pieces, until they are answered."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._shares = Shares(max_bytes, "bytes of bodies")

    @contextmanager
    def body(self, caller: str | None = None) -> Iterator[Callable[[int], None]]:
        """Hold one body: call what this yields with the number of bytes of each piece.

        Raises:
            Problem: from that call: all bodies together, or those of the caller, would be too large.
        """
        own = 0

        def hold(n_bytes: int) -> None:
            nonlocal own
            if self._bytes + n_bytes > self._max_bytes:
                raise _busy(f"bodies of {self._max_bytes} bytes together are being read")
            self._shares.take(caller, n_bytes)
            own += n_bytes
            self._bytes += n_bytes

        try:
            yield hold
        finally:
            self._bytes -= own
            self._shares.give(caller, own)


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
