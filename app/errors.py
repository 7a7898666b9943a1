"""Refusals of the service, as RFC 9457 problem details."""

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Final, NoReturn

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from msgspec import Meta
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from model.errors import PropenseError

_log: Final = logging.getLogger(__name__)
MEDIA_TYPE: Final = "application/problem+json"


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong with a request."""

    row: Annotated[int | None, Meta(description="The customer's number, from 1.")] = None
    event: Annotated[int | None, Meta(description="The event's number in the history, from 1.")] = None
    field: str | None = None
    got: Annotated[str | None, Meta(description="The kind of what came, never the value.")] = None
    allowed: Annotated[str | None, Meta(description="What may come.")] = None
    hint: Annotated[str | None, Meta(description="The next step.")] = None

    def __str__(self) -> str:
        numbers = (("row", self.row), ("event", self.event))
        place = [*(f"{name} {number}" for name, number in numbers if number), *filter(None, [self.field])]
        sentence = f"{', '.join(place) or 'the body'} must be {self.allowed}, got {self.got}"
        return f"{sentence}; {self.hint}" if self.hint else sentence


class ProblemDetails(msgspec.Struct, omit_defaults=True):
    """RFC 9457 problem details."""

    type: Annotated[str, Meta(description="Stable: compare it in programs.")]
    title: str
    status: int
    detail: str
    instance: Annotated[str | None, Meta(description="The request, as the log names it.")] = None
    errors: list[Fault] = []


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """A refusal, raised where it arises and answered by `app.service`.

    Args:
        status: HTTP status.
        kind: what happened, as words joined by hyphens; stable, so that programs may compare it.
        detail: the sentence for people.
        errors: what is wrong, one by one.
        headers: further response headers.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.kind, self.errors, self.headers = status, kind, errors, headers

    def response(self, request_id: bytes | None = None) -> Response:
        """Return the problem as application/problem+json, with the request's id, as the log has it."""
        details = ProblemDetails(
            type=f"urn:propense:{self.kind}",
            title=self.kind.replace("-", " ").capitalize(),
            status=self.status,
            detail=str(self),
            instance=f"urn:propense:request:{request_id.decode()}" if request_id else None,
            errors=list(self.errors),
        )
        body = json.dumps(msgspec.to_builtins(details))  # ASCII: a text may hold lone surrogates
        return Response(body, self.status, self.headers, MEDIA_TYPE)


def install_handlers(app: FastAPI) -> None:
    """Turn FastAPI's own refusals into problems."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _parameter)


async def _http(_: Request, error: Exception) -> NoReturn:
    assert isinstance(error, HTTPException)
    details = {
        404: "there is nothing at this path; /openapi.json lists what there is",
        405: f"this path takes {(error.headers or {}).get('Allow')} only",
    }
    phrase = HTTPStatus(error.status_code).phrase
    detail = details.get(error.status_code, error.detail)
    raise Problem(error.status_code, phrase.lower().replace(" ", "-"), detail, headers=error.headers)


async def _parameter(_: Request, error: Exception) -> NoReturn:
    assert isinstance(error, RequestValidationError)
    names = ", ".join(str(e["loc"][-1]) for e in error.errors())
    raise Problem(404, "not-found", f"{names} must be a whole number from 1")


def problem_for(error: Exception, scope: Scope) -> Problem:
    """Return the problem that an exception is to the client; an unexpected one discloses nothing."""
    match error:
        case Problem():
            return error
        case ClientDisconnect():
            return Problem(400, "client-disconnected", "the body ended before it was whole")
        case PropenseError():  # of the registry or a model; the reason has paths, so it is logged only
            _log.error("%s %.200s failed: %s", scope["method"], scope["path"], error)
            detail = "the service cannot answer this now; its log has the reason"
            return Problem(503, "unavailable", detail, headers={"Retry-After": "1"})
        case _:
            _log.exception("%s %.200s failed", scope["method"], scope["path"], exc_info=error)
            detail = "the service failed on this request; its log has the reason"
            return Problem(500, "internal-server-error", detail)
