"""Where every request comes in and every answer goes out: its id, limits, refusals and counts."""

import random
import re
import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import problem_for
from app.limits import limited
from app.metrics import Metrics

_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_PINNED: Final = "/versions/"


class Gate:
    """ASGI middleware around the whole service.

    A predict request takes a short cut past FastAPI's routing, which would cost it as much time again.

    Args:
        predict: what the two predict routes lead to.
    """

    def __init__(self, app: ASGIApp, *, predict: ASGIApp, metrics: Metrics, max_bytes: int) -> None:
        self._app = app
        self._predict = predict
        self._metrics = metrics
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, whatever happens inside."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, headers = time.perf_counter(), 0, dict(scope["headers"])
        id_ = _request_id(headers)

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", id_)]
            await send(message)

        predicts = scope["method"] == "POST" and _predicts(scope["path"])
        try:
            inside = self._predict if predicts else self._app
            await inside(scope, limited(headers, receive, self._max_bytes), answer)
        except Exception as error:
            if status:  # half an answer is out already: the server cuts the connection
                raise
            await problem_for(error, scope).response()(scope, receive, answer)
        finally:
            route = _PREDICT[_PINNED in scope["path"]] if predicts else _route(scope)
            self._metrics.count_request(route, status or 500, time.perf_counter() - started)


_PREDICT: Final = ("/v1/models/{name}/predict", "/v1/models/{name}/versions/{version}/predict")


def _predicts(path: str) -> bool:
    return path.endswith("/predict") and path.startswith("/v1/models/")


def _route(scope: Scope) -> str:
    """The route's pattern, so that no client can add a label."""
    return getattr(scope.get("route"), "path", "none")


def _request_id(headers: dict[bytes, bytes]) -> bytes:
    """The client's own, if it is one that a log can hold; else a new one."""
    sent = headers.get(b"x-request-id")
    if sent and _ID.fullmatch(sent):
        return sent
    return b"%016x" % random.getrandbits(64)
