"""What is recorded of each request: its seconds for the metrics, and a line of the log if it was refused."""

import logging
import random
import time
from collections import defaultdict
from typing import Any, Final, NamedTuple

from starlette.types import Scope

from app.errors import Problem
from app.observe.logs import REQUEST_ID

_log: Final = logging.getLogger("app.requests")
_LINES_A_SECOND: Final = 50  # a flood of refusals must not become a flood of lines


class Pattern(NamedTuple):
    """A route as FastAPI leaves it in the scope, for requests that do not pass FastAPI's routing."""

    path: str


def route_of(scope: Scope) -> str:
    """Return the pattern of a request's route: a text of ours, never of the client's."""
    return getattr(scope.get("route"), "path", "none")


def new_request_id() -> bytes:
    """Return an id for a request that brings none."""
    return b"%016x" % random.getrandbits(64)


class RequestRecords:
    """Records of requests. Responses other than refusals are logged at the debug level only.

    Attributes:
        seconds: of requests, by route and status, until the metrics take them.
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
        self._second = 0
        self._n_written = 0
        self._n_unwritten = 0

    def add(self, scope: Scope, status: int, seconds: float, problem: str | None) -> None:
        """Record one request.

        Args:
            problem: the kind of the refusal.
        """
        self.seconds[route_of(scope), status].append(seconds)
        level = logging.WARNING if status >= 500 else logging.INFO if status >= 400 else logging.DEBUG
        if not _log.isEnabledFor(level):
            return
        if level != logging.DEBUG and not self._may_write():
            self._n_unwritten += 1
            return
        fields = {
            "method": scope["method"],
            "route": route_of(scope),
            "status": status,
            "problem": problem,
            "seconds": round(seconds, 6),
            **_details(scope),
            "unwritten": self._n_unwritten or None,  # lines since the last one
        }
        self._n_unwritten = 0
        known = {name: value for name, value in fields.items() if value is not None}
        _log.log(level, "%s %s %d", known["method"], known["route"], status, extra={"fields": known})

    def add_unread(self, problem: Problem) -> bytes:
        """Record what the server refused without a request that could be read, and return its id."""
        id_ = new_request_id()
        token = REQUEST_ID.set(id_)
        try:
            self.add({"method": "NONE"}, problem.status, 0.0, problem.kind)
        finally:
            REQUEST_ID.reset(token)
        return id_

    def _may_write(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._n_written = second, 0
        self._n_written += 1
        return self._n_written <= _LINES_A_SECOND


def _details(scope: Scope) -> dict[str, Any]:
    """The caller, the version and the rows, as far as the request came."""
    served = scope.get("propense.served")
    return {
        "model": served and served.manifest.name,
        "version": served and served.manifest.version,
        "rows": scope.get("propense.rows"),
        "key": scope.get("propense.caller"),
    }
