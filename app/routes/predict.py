"""The routes that answer with predictions: plain ASGI, since FastAPI's path costs more than a score."""

import asyncio
from collections.abc import Callable
from typing import Final

from fastapi import APIRouter
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from app.access.admit import CALLER
from app.errors import Problem
from app.limits import BodyBudget
from app.request.scorer import Answer, Request
from app.routes.media import media_type
from app.server.memory import MemoryTrimmer
from app.server.state import ANSWERING
from app.versions.models import Models, version_number
from app.versions.served import Served
from model.reasons.groups import MAX_GROUPS

PREFIX: Final = "/v1/models/"
SUFFIX: Final = "/predict"
PATHS: Final = (f"{PREFIX}{{name}}{SUFFIX}", f"{PREFIX}{{name}}/versions/{{version}}{SUFFIX}")
_WARNINGS: Final = {
    b"warnings=" + word: wanted
    for wanted, words in {True: (b"true", b"1"), False: (b"false", b"0")}.items()
    for word in words
}  # as clients write a boolean; Python's `requests` sends True
_REASONS: Final = {b"reasons=%d" % n: n for n in range(1, MAX_GROUPS + 1)}
_BOM: Final = b"\xef\xbb\xbf"
_JSON: Final = (b"content-type", b"application/json")


def router(predict: "Predict") -> APIRouter:
    """Return the routes; `app.service` takes a shorter way to the same application."""
    routes = APIRouter()
    routes.routes += [Route(path, predict, methods=["POST"]) for path in PATHS]
    return routes


class Predict:
    """The application behind both paths.

    Args:
        budget: for bodies that arrive in pieces.
        seconds: for all of such a body to arrive.
        trimmer: for the memory of large ones.
    """

    def __init__(self, models: Models, budget: BodyBudget, seconds: float, trimmer: MemoryTrimmer) -> None:
        self._models = models
        self._budget = budget
        self._seconds = seconds
        self._trimmer = trimmer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            Problem: whatever is wrong with it.
        """
        served = scope["propense.served"] = await self._models.find(*_model_of(scope))
        _check_content_type(scope["propense.headers"])
        wanted = _wanted(scope["query_string"])
        key = _key(scope)
        message = await receive()
        if message.get("more_body"):
            with self._budget.body(scope.get(CALLER)) as hold:
                body = await self._receive(message, receive, hold)
                del message  # a body that waits is held once
                answer = await self._answer_large(served, Request(body, *wanted, key))
        else:  # one piece, as most bodies are
            request, alone = Request(_body(message).removeprefix(_BOM), *wanted, key), _is_alone(scope)
            n_rows, large = request.most_rows, request.is_large
            answer = await served.batcher.answer(request, n_rows, alone=alone, large=large)
        scope["propense.rows"] = answer.n_rows
        headers = [_JSON, (b"content-length", b"%d" % len(answer.content))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer.content})
        if answer.scored and served.shadow:
            served.shadow.offer(served.manifest, *answer.scored, scope["propense.request_id"].decode())

    async def _receive(self, message: Message, receive: Receive, hold: Callable[[int], None]) -> bytes:
        pieces = [_body(message)]
        hold(len(pieces[-1]))
        try:
            async with asyncio.timeout(self._seconds):
                while message.get("more_body"):
                    message = await receive()
                    pieces.append(_body(message))
                    hold(len(pieces[-1]))
        except TimeoutError:
            detail = f"a body must be sent within {self._seconds:g} seconds; send fewer customers"
            raise Problem(408, "body-too-slow", detail, headers={"Connection": "close"}) from None
        return b"".join(pieces).removeprefix(_BOM)

    async def _answer_large(self, served: Served, request: Request) -> Answer:
        try:
            return await served.batcher.answer(request, request.most_rows, large=request.is_large)
        finally:
            if request.is_large:
                self._trimmer.soon()


def _model_of(scope: Scope) -> tuple[str, int | None]:
    """The model's name, and the version if the path has one."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    name, _, version = path[len(PREFIX) : -len(SUFFIX)].partition("/versions/")
    return name, version_number(version) if version else None


def _key(scope: Scope) -> bytes | None:
    """The idempotency key of a request, which another caller's cannot equal."""
    key = scope["propense.headers"].get(b"idempotency-key")
    return b"%s %s" % ((scope.get(CALLER) or "").encode(), key) if key else None


def _is_alone(scope: Scope) -> bool:
    """Whether the server is known to answer no other request now."""
    answering = scope.get("state", {}).get(ANSWERING)
    return answering is not None and len(answering) == 1


def _check_content_type(headers: dict[bytes, bytes]) -> None:
    if headers.get(b"content-type") == b"application/json" and b"content-encoding" not in headers:
        return
    media_type(headers, ("application/json",), "body")


def _wanted(query: bytes) -> tuple[bool, int]:
    """Whether the client wants warnings, and how many reasons."""
    if not query:
        return False, 0
    parts = query.lower().split(b"&")
    warn = [_WARNINGS[part] for part in parts if part in _WARNINGS]
    reasons = [_REASONS[part] for part in parts if part in _REASONS]
    if len(warn) > 1 or len(reasons) > 1 or len(warn) + len(reasons) < len(parts):
        allowed = f"warnings=true or false and reasons=1 to {MAX_GROUPS}, each once"
        raise Problem(422, "invalid-request", f"the query may be {allowed}, nothing else")
    return any(warn), sum(reasons)


def _body(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    body: bytes = message.get("body", b"")
    return body
