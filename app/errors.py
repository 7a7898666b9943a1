"""Every refusal of the service: RFC 9457 problem details, written in one place."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Final, NoReturn

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from model.errors import PropenseError

_log: Final = logging.getLogger(__name__)
MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a request.

    Attributes:
        row: the customer's number in the request, from 1.
        event: the event's number in that customer's history, from 1.
        field: the field's name.
        got: the kind of what came; never the value.
        allowed: what may come.
        hint: the next step.
    """

    row: int | None = None
    event: int | None = None
    field: str | None = None
    got: str | None = None
    allowed: str | None = None
    hint: str | None = None

    def __str__(self) -> str:
        numbers = (("row", self.row), ("event", self.event))
        place = [*(f"{name} {number}" for name, number in numbers if number), *filter(None, [self.field])]
        sentence = f"{', '.join(place) or 'the body'} must be {self.allowed}, got {self.got}"
        return f"{sentence}; {self.hint}" if self.hint else sentence


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """A refusal on its way to the client.

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
        """The problem as application/problem+json.

        Args:
            request_id: of the request, by which the log can be searched.
        """
        body: dict[str, object] = {
            "type": f"urn:propense:{self.kind}",
            "title": self.kind.replace("-", " ").capitalize(),
            "status": self.status,
            "detail": str(self),
        }
        if request_id:
            body["instance"] = f"urn:propense:request:{request_id.decode()}"
        if self.errors:
            body["errors"] = [{k: v for k, v in asdict(e).items() if v is not None} for e in self.errors]
        return Response(json.dumps(body), self.status, self.headers, MEDIA_TYPE)  # ASCII: surrogates escaped


def install_handlers(app: FastAPI) -> None:
    """Make problems of FastAPI's own refusals; like every other exception they go out to `app.gate`."""
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
    """What an exception means to the client; an unexpected one says nothing about the inside."""
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
