"""How much the service takes on: the bytes of a body, the requests that wait."""

from anyio import Lock
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import Problem


def refuse_if_full(queue: Lock, max_waiting: int) -> None:
    """Keep a queue short: who would wait long does better to ask again, or to ask another replica.

    Nothing may be awaited between this and the lock, or a burst would pass as one.

    Raises:
        Problem: as many requests wait already as may.
    """
    if queue.statistics().tasks_waiting >= max_waiting:
        detail = f"as many requests wait already as may ({max_waiting}); ask again shortly"
        raise Problem(503, "too-busy", detail, headers={"Retry-After": "1"})


class BodyLimit:
    """ASGI middleware that refuses a body of too many bytes, announced or not, before it is held.

    The server reads what is left of a refused body and drops it, so that the client sees the answer.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; reading a body that is too large raises a Problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced, received = int(Headers(scope=scope).get("content-length", "0")), 0

        async def limited() -> Message:
            nonlocal received
            self._check(announced)
            message = await receive()
            received += len(message.get("body", b""))
            self._check(received)
            return message

        await self._app(scope, limited, send)

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            raise Problem(
                413,
                "body-too-large",
                f"a body may have {self._max_bytes} bytes; send the customers in several requests",
            )
