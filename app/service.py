"""FastAPI with a gate around it, passed by every request on its way in and every response on its way out."""

import asyncio
import re
import time
from functools import partial
from typing import Any, Final

from fastapi import FastAPI
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.admit import CALLER, Admit
from app.errors import Problem, problem_for
from app.limits import Saturation, Shares
from app.observe.logs import REQUEST_ID
from app.observe.metrics import Metrics
from app.observe.requests import Pattern, new_request_id, route_of
from app.routes.predict import PATHS, PREFIX, SUFFIX

_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_CLIENT_GONE: Final = 499  # nginx's status for a client that did not wait for the response
_PINNED: Final = "/versions/"
_PREDICT_ROUTES: Final = tuple(map(Pattern, PATHS))


class Service(FastAPI):
    """The routes of the service.

    Attributes:
        predict: the application for predict requests, with the gate around it: FastAPI's layers and routing
            would take them as much time again as all the rest. None: they take that way nevertheless.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.predict: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        if scope["type"] == "http":
            path: str = scope["path"]
            if path.endswith(SUFFIX) and path.startswith(PREFIX) and scope["method"] == "POST":
                scope["route"] = _PREDICT_ROUTES[_PINNED in path]
                if self.predict:
                    await self.predict(scope, receive, send)
                    return
            else:
                scope["route"] = self._route_of(scope)
        await super().__call__(scope, receive, send)

    def _route_of(self, scope: Scope) -> BaseRoute | None:
        """The route that the router will take, by the router's own rule; None: it has none."""
        partial = None
        for route in self.router.routes:
            match, _ = route.matches(scope)
            if match is Match.FULL:
                return route
            if match is Match.PARTIAL and partial is None:  # another method: it will be refused there
                partial = route
        return partial


class Gate:
    """ASGI middleware: a request's id, its admission and the size of its body; refusals, metrics, the log.

    Args:
        admit: refuses a request that its caller may not send.
        shares: of the requests in progress.
        max_bytes: of a body.
        max_file_bytes: of a file that is scored.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        admit: Admit,
        metrics: Metrics,
        saturation: Saturation,
        shares: Shares,
        max_bytes: int,
        max_file_bytes: int,
    ) -> None:
        self._app = app
        self._admit = admit
        self._metrics = metrics
        self._saturation = saturation
        self._shares = shares
        self._max_bytes = max_bytes
        self._max_file_bytes = max_file_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, whatever happens inside."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0
        headers = scope["propense.headers"] = dict(scope["headers"])
        id_ = scope["propense.request_id"] = _request_id(headers)
        REQUEST_ID.set(id_)  # in the context of this request: the server gives each a task
        refusal: str | None = None
        sharer: str | None = None
        self._metrics.in_flight += 1

        async def respond(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", id_)]
            await send(message)

        try:
            self._admit(scope, headers)
            if caller := scope.get(CALLER):
                self._shares.take(caller, 1)
                sharer = caller
            max_bytes = self._max_file_bytes if route_of(scope).endswith("/score") else self._max_bytes
            await self._app(scope, _limited(headers, receive, max_bytes), respond)
        except asyncio.CancelledError:  # the client has gone
            status = status or _CLIENT_GONE
            raise
        except Exception as error:
            if status:  # a part of the response is out already: the server cuts the connection
                raise
            problem = problem_for(error, scope)
            error.__traceback__ = None  # it holds the body until the garbage collector runs, which is seldom
            self._saturation.note(problem)
            refusal = problem.kind
            self._metrics.count_refusal(refusal)
            await problem.response(id_)(scope, receive, respond)
        finally:
            self._metrics.in_flight -= 1
            if sharer:
                self._shares.give(sharer, 1)
            self._metrics.requests.add(scope, status or 500, time.perf_counter() - started, refusal)


def _request_id(headers: dict[bytes, bytes]) -> bytes:
    """The client's own id, if a log can hold it; else a new one."""
    sent = headers.get(b"x-request-id")
    if sent and _ID.fullmatch(sent):
        return sent
    return new_request_id()


def _limited(headers: dict[bytes, bytes], receive: Receive, max_bytes: int) -> Receive:
    """A `receive` that refuses a body of too many bytes, announced or not, before it is held.

    The server reads and drops the rest of a refused body, so that the client sees the response.
    """
    if announced := headers.get(b"content-length"):  # the server has checked it
        if int(announced) > max_bytes:
            raise _too_large(max_bytes)
        return receive
    return partial(_receive_limited, receive, max_bytes, [0])


async def _receive_limited(receive: Receive, max_bytes: int, received: list[int]) -> Message:
    message = await receive()
    received[0] += len(message.get("body", b""))
    if received[0] > max_bytes:
        raise _too_large(max_bytes)
    return message


def _too_large(max_bytes: int) -> Problem:
    detail = f"a body may have {max_bytes} bytes; send the customers in several requests"
    return Problem(413, "body-too-large", detail)
