"""The routes that answer with predictions: plain ASGI, since FastAPI's path costs more than a score."""

from typing import Final

from fastapi import APIRouter
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from app.errors import Problem
from app.limits import Held
from app.request.scorer import LARGE, Ask, Told
from app.server.memory import Tidy
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
    """Answers `/v1/models/{name}/predict` and `/v1/models/{name}/versions/{version}/predict`.

    Args:
        tidy: for after a large body.
    """

    def __init__(self, models: Models, held: Held, tidy: Tidy) -> None:
        self._models = models
        self._held = held
        self._tidy = tidy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            Problem: whatever is wrong with it.
        """
        served = scope["propense.served"] = await self._models.find(*_asked(scope))
        _check_kind(scope["propense.headers"])
        warn = _wants_warnings(scope["query_string"])
        message = await receive()
        if message.get("more_body"):
            told = await self._pieces(served, message, receive, warn=warn)
        else:  # it came in one piece, as most do, and waits for nothing
            told = await served.answer(Ask(_body(message), warn), alone=_is_alone(scope))
        scope["propense.rows"] = told.n_rows
        headers = [_JSON, (b"content-length", b"%d" % len(told.content))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": told.content})
        if told.kept and served.shadow:
            served.shadow.offer(served.manifest, *told.kept, scope["propense.request_id"].decode())

    async def _pieces(self, served: Served, message: Message, receive: Receive, *, warn: bool) -> Told:
        with self._held.body() as hold:
            pieces = []
            while message.get("more_body"):
                pieces.append(_body(message))
                hold(len(pieces[-1]))
                message = await receive()
            pieces.append(_body(message))
            ask = Ask(b"".join(pieces), warn)
            del pieces, message  # while it waits, a body is there once
            try:
                return await served.answer(ask)
            finally:
                if len(ask.body) >= LARGE:
                    self._tidy.soon()


def _asked(scope: Scope) -> tuple[str, int | None]:
    """The model's name, and the version if the path names one."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    name, _, version = path[len(PREFIX) : -len(SUFFIX)].partition("/versions/")
    return name, version_number(version) if version else None


def _is_alone(scope: Scope) -> bool:
    """Whether the server is sure that it answers nobody else now."""
    answering = scope.get("state", {}).get(ANSWERING)
    return answering is not None and len(answering) == 1


def _check_kind(headers: dict[bytes, bytes]) -> None:
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
        raise Problem(
            422, "invalid-request", "the query may be warnings=true or warnings=false, nothing else"
        )
    return query == b"warnings=true"


def _body(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    body: bytes = message.get("body", b"")
    return body
