"""POST customers, get probabilities: an ASGI application, since FastAPI's path costs more than a score."""

import re
import time
from typing import Final

from anyio.to_thread import run_sync
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from app.errors import Problem
from app.metrics import Metrics
from app.models import Models, Served
from app.predict import careful
from app.predict.answer import answer
from app.predict.decoder import NotTaken
from model.rows import Rows

_PREFIX: Final = "/v1/models/"
_SUFFIX: Final = "/predict"
_VERSION: Final = re.compile(r"[1-9][0-9]{0,8}")
_LARGE: Final = 1 << 18  # bytes of a body that is better read in a thread


class Predict:
    """Answers `/v1/models/{name}/predict` and `/v1/models/{name}/versions/{version}/predict`."""

    def __init__(self, models: Models, metrics: Metrics) -> None:
        self._models = models
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            Problem: whatever is wrong with it.
        """
        served = await self._served(scope["path"])
        _check_kind(dict(scope["headers"]))
        warn = served.warn if _wants_warnings(scope["query_string"]) else None
        body = await _whole(receive)
        rows = _read(served, body) if len(body) < _LARGE else await run_sync(_read, served, body)
        scored = await served.batcher.score(rows)
        content = answer(served.manifest, rows, scored, warn)
        self._metrics.count_predictions(served.manifest.name, served.manifest.version, len(rows))
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", b"application/json"),
                    (b"content-length", str(len(content)).encode()),
                ],
            }
        )
        await send({"type": "http.response.body", "body": content})

    async def _served(self, path: str) -> Served:
        name, _, version = path[len(_PREFIX) : -len(_SUFFIX)].partition("/versions/")
        return await self._models.find(name, _number(version) if version else None)


def _number(version: str) -> int:
    if not _VERSION.fullmatch(version):
        raise Problem(404, "not-found", "version must be a whole number from 1")
    return int(version)


def _check_kind(headers: dict[bytes, bytes]) -> None:
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


async def _whole(receive: Receive) -> bytes:
    """The body; most come in one piece."""
    message = await receive()
    pieces = [message.get("body", b"")]
    while message["type"] == "http.request" and message.get("more_body"):
        message = await receive()
        pieces.append(message.get("body", b""))
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _read(served: Served, body: bytes) -> Rows:
    now = time.time_ns() // 1000
    try:
        return served.decoder(body, now)
    except NotTaken:
        return careful.read(body, served.request, served.manifest.schema_, now)
