"""Where every request comes in and every answer goes out: its id, limits, refusals and counts."""

import asyncio
import random
import re
import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.admit import Admit
from app.errors import problem_for
from app.limits import Saturation, limited
from app.observe.logs import REQUEST_ID
from app.observe.metrics import Metrics
from app.observe.requests import RequestLog, route_of

_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_GONE: Final = 499  # nginx's status of a request whose client did not wait for the answer


class Gate:
    """ASGI middleware around the whole service.

    Args:
        admit: refuses who may not call.
        max_bytes: of a body.
        max_file_bytes: of a file that is scored as it comes in.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        admit: Admit,
        metrics: Metrics,
        saturation: Saturation,
        max_bytes: int,
        max_file_bytes: int,
    ) -> None:
        self._app = app
        self._admit = admit
        self._metrics = metrics
        self._saturation = saturation
        self._max_bytes = max_bytes
        self._max_file_bytes = max_file_bytes
        self._log = RequestLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, whatever happens inside."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0
        headers = scope["propense.headers"] = dict(scope["headers"])
        id_ = scope["propense.request_id"] = _request_id(headers)
        REQUEST_ID.set(id_)  # in this request's own context: the server gives each a task
        refusal: str | None = None
        self._metrics.in_flight += 1

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", id_)]
            await send(message)

        try:
            self._admit(scope, headers)
            max_bytes = self._max_file_bytes if scope["path"].endswith("/score") else self._max_bytes
            await self._app(scope, limited(headers, receive, max_bytes), answer)
        except asyncio.CancelledError:  # the client has gone
            status = status or _GONE
            raise
        except Exception as error:
            if status:  # half an answer is out already: the server cuts the connection
                raise
            problem = problem_for(error, scope)
            error.__traceback__ = None  # it holds the body, until the garbage collector comes: that is seldom
            self._saturation.note(problem)
            refusal = problem.kind
            self._metrics.count_refusal(refusal)
            await problem.response(id_)(scope, receive, answer)
        finally:
            seconds, status = time.perf_counter() - started, status or 500
            self._metrics.in_flight -= 1
            self._metrics.count_request(route_of(scope), status, seconds)
            if status >= 400 or self._log.of_answers:
                self._log(scope, status, seconds, refusal)


def _request_id(headers: dict[bytes, bytes]) -> bytes:
    """The client's own, if it is one that a log can hold; else a new one."""
    sent = headers.get(b"x-request-id")
    if sent and _ID.fullmatch(sent):
        return sent
    return b"%016x" % random.getrandbits(64)
