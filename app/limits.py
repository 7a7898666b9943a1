"""How much the service takes on: the bytes of a body, of all bodies, the requests that wait."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from starlette.types import Message, Receive

from app.errors import Problem

_BUSY: Final = "too-busy"  # the kind of a refusal that asking again soon may not meet
_LULL_SECONDS: Final = 1.0


def refuse_if_full(n_waiting: int, max_waiting: int) -> None:
    """Keep a queue short: who would wait long does better to ask again, or to ask another replica.

    Nothing may be awaited between this and the waiting, or a burst would pass as one.

    Raises:
        Problem: as many requests wait already as may.
    """
    if n_waiting >= max_waiting:
        raise _busy(f"as many requests wait already as may ({max_waiting})")


class Held:
    """The bytes of all bodies that came in pieces and are held until they are answered."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0

    @contextmanager
    def body(self) -> Iterator[Callable[[int], None]]:
        """Hold a body meanwhile: call what this gives with the bytes of every piece.

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
    """Whether requests have been refused for some time since the service is too busy.

    Args:
        after_s: seconds of refusals, without a lull, until this is called so.
    """

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._since = self._latest = -_LULL_SECONDS

    def note(self, problem: Problem) -> None:
        """A request was refused."""
        if problem.kind == _BUSY:
            now = time.monotonic()
            if now - self._latest > _LULL_SECONDS:
                self._since = now
            self._latest = now

    def lasts(self) -> bool:
        """Whether it is so now."""
        now = time.monotonic()
        return now - self._latest <= _LULL_SECONDS and now - self._since >= self._after_s


def limited(headers: dict[bytes, bytes], receive: Receive, max_bytes: int) -> Receive:
    """A `receive` that refuses a body of too many bytes, announced or not, before it is held.

    The server reads what is left of a refused body and drops it, so that the client sees the answer.
    """
    if announced := headers.get(b"content-length"):  # digits, and true: the server sees to it
        if int(announced) > max_bytes:
            raise _too_large(max_bytes)
        return receive
    received = 0

    async def read() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > max_bytes:
            raise _too_large(max_bytes)
        return message

    return read


def _busy(what: str) -> Problem:
    return Problem(503, _BUSY, f"{what}; ask again shortly", headers={"Retry-After": "1"})


def _too_large(max_bytes: int) -> Problem:
    detail = f"a body may have {max_bytes} bytes; send the customers in several requests"
    return Problem(413, "body-too-large", detail)
