"""A line of the log about a request that was refused or failed."""

import logging
import time
from typing import Any, Final, NamedTuple

from starlette.types import Scope

_log: Final = logging.getLogger("app.requests")
_A_SECOND: Final = 50  # lines; a flood of refusals must not become one of lines


class Pattern(NamedTuple):
    """A route as FastAPI leaves it in the scope, for those who take another way."""

    path: str


def route_of(scope: Scope) -> str:
    """The route's pattern, so that no client can add a name."""
    return getattr(scope.get("route"), "path", "none")


class RequestLog:
    """Writes about refusals; about answers on the debug level only: a line costs as much as an answer."""

    def __init__(self) -> None:
        self._second = 0
        self._written = 0
        self._unwritten = 0

    @property
    def of_answers(self) -> bool:
        """Whether answers are written about too."""
        return _log.isEnabledFor(logging.DEBUG)

    def __call__(self, scope: Scope, status: int, seconds: float, problem: str | None) -> None:
        """Write about one request.

        Args:
            problem: the kind of the refusal.
        """
        level = logging.WARNING if status >= 500 else logging.INFO if status >= 400 else logging.DEBUG
        if not _log.isEnabledFor(level):
            return
        if level != logging.DEBUG and not self._may():
            self._unwritten += 1
            return
        fields = {
            "method": scope["method"],
            "route": route_of(scope),
            "status": status,
            "problem": problem,
            "seconds": round(seconds, 6),
            **_asked(scope),
            "unwritten": self._unwritten or None,  # lines like this since the last
        }
        self._unwritten = 0
        told = {name: value for name, value in fields.items() if value is not None}
        _log.log(level, "%s %s %d", told["method"], told["route"], status, extra={"fields": told})

    def _may(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._written = second, 0
        self._written += 1
        return self._written <= _A_SECOND


def _asked(scope: Scope) -> dict[str, Any]:
    """Who asked what of whom, as far as the request came."""
    served, caller = scope.get("propense.served"), scope.get("propense.caller")
    return {
        "model": served and served.manifest.name,
        "version": served and served.manifest.version,
        "rows": scope.get("propense.rows"),
        "key": caller,
    }
