"""Responses of the server itself, without the application."""

from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import Problem
from app.server.state import NoteRefusal

_PROBES: Final = ("/health/live", "/health/ready")


def crowded(app: ASGIApp, note: NoteRefusal) -> ASGIApp:
    """Return an application for connections beyond the limit: probes are answered, all else is refused."""

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in _PROBES:
            await app(scope, receive, send)
        else:
            await noted(_too_many(), note)(scope, receive, send)

    return respond


def noted(problem: Problem, note: NoteRefusal) -> Response:
    """Return the response to what no application sees, with the id under which the application notes it."""
    id_ = note(problem)
    response = problem.response(id_)
    response.raw_headers.append((b"x-request-id", id_))
    return response


def _too_many() -> Problem:
    detail = "too many connections are open; ask again shortly, over fewer connections"
    return Problem(503, "too-many-connections", detail, headers={"Retry-After": "1"})


def not_http(rule: str = "") -> Problem:
    """Return the problem of bytes that are no request, with the rule that they break if it is known."""
    detail = "the request breaks the rules of HTTP/1.1 (RFC 9112)"
    return Problem(400, "bad-request", f"{detail}: {rule}" if rule else detail)


def long_target(max_bytes: int) -> Problem:
    """Return the problem of a path and query that are too long."""
    return Problem(414, "target-too-long", f"a path with its query may have {max_bytes} bytes")


def large_head() -> Problem:
    """Return the problem of more or longer headers than any client of this service needs."""
    return Problem(431, "head-too-large", "a request may have 100 headers of 64 KiB together")


def slow_head() -> Problem:
    """Return the problem of a head that began and did not end in time."""
    return Problem(
        408, "head-too-slow", "the head of the request did not come in time; send it again at once"
    )


def sent_ahead(most: int) -> Problem:
    """Return the problem of too many requests that are sent before their responses."""
    detail = (
        f"{most} requests may be sent ahead of their responses; this one and those after it were not read"
    )
    return Problem(503, "too-many-sent-ahead", detail, headers={"Retry-After": "1"})


def too_slow() -> Problem:
    """Return the problem of a body that stopped coming."""
    detail = "the body stopped coming before it was whole; send it again without pauses"
    return Problem(408, "body-too-slow", detail, headers={"Connection": "close"})
