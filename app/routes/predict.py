"""The routes that answer with predictions: plain ASGI, since FastAPI's path costs more than a score."""

from typing import Final

from fastapi import APIRouter
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from app.errors import Problem
from app.limits import BodyBudget
from app.request.scorer import Answer, Request
from app.server.memory import MemoryTrimmer
from app.server.state import ANSWERING
from app.versions.models import Models, version_number
from app.versions.served import Served

PREFIX: Final = "/v1/models/"
SUFFIX: Final = "/predict"
PATHS: Final = (f"{PREFIX}{{name}}{SUFFIX}", f"{PREFIX}{{name}}/versions/{{version}}{SUFFIX}")
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
        trimmer: for the memory of large ones.
    """

    def __init__(self, models: Models, budget: BodyBudget, trimmer: MemoryTrimmer) -> None:
        self._models = models
        self._budget = budget
        self._trimmer = trimmer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            Problem: whatever is wrong with it.
        """
        served = scope["propense.served"] = await self._models.find(*_model_of(scope))
        _check_content_type(scope["propense.headers"])
        warn = _wants_warnings(scope["query_string"])
        message = await receive()
        if message.get("more_body"):
            answer = await self._answer_pieces(served, message, receive, warn=warn)
        else:  # one piece, as most bodies are
            request, alone = Request(_body(message), warn), _is_alone(scope)
            n_rows, large = request.most_rows, request.is_large
            answer = await served.batcher.answer(request, n_rows, alone=alone, large=large)
        scope["propense.rows"] = answer.n_rows
        headers = [_JSON, (b"content-length", b"%d" % len(answer.content))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer.content})
        if answer.scored and served.shadow:
            served.shadow.offer(served.manifest, *answer.scored, scope["propense.request_id"].decode())

    async def _answer_pieces(
        self, served: Served, message: Message, receive: Receive, *, warn: bool
    ) -> Answer:
        with self._budget.body() as hold:
            pieces = []
            while message.get("more_body"):
                pieces.append(_body(message))
                hold(len(pieces[-1]))
                message = await receive()
            pieces.append(_body(message))
            request = Request(b"".join(pieces), warn)
            del pieces, message  # a body that waits is held once
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


def _is_alone(scope: Scope) -> bool:
    """Whether the server is known to answer no other request now."""
    answering = scope.get("state", {}).get(ANSWERING)
    return answering is not None and len(answering) == 1


def _check_content_type(headers: dict[bytes, bytes]) -> None:
    if headers.get(b"content-type") == b"application/json" and b"content-encoding" not in headers:
        return
    kind, _, parameters = headers.get(b"content-type", b"").partition(b";")
    charset = parameters.strip().lower().removeprefix(b"charset=").strip(b'"')
    if kind.strip().lower() != b"application/json" or charset not in (b"", b"utf-8"):
        raise Problem(415, "unsupported-media-type", "send the body as application/json in UTF-8")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Problem(415, "unsupported-media-type", "send the body uncompressed")


def _wants_warnings(query: bytes) -> bool:
    if not query:
        return False
    if query not in (b"warnings=true", b"warnings=false"):
        detail = "the query may be warnings=true or warnings=false, nothing else"
        raise Problem(422, "invalid-request", detail)
    return query == b"warnings=true"


def _body(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    body: bytes = message.get("body", b"")
    return body
