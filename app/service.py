"""FastAPI, but that a predict request goes straight through the gate."""

from typing import Any, Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from app.observe.requests import Pattern
from app.routes.predict import PATHS, PREFIX, SUFFIX

_PINNED: Final = "/versions/"
_ROUTES: Final = tuple(map(Pattern, PATHS))


class Service(FastAPI):
    """The service's routes.

    Attributes:
        predict: answers predict requests, with the gate around it. FastAPI's layers and its routing would
            cost such a request as much time again as all the rest. None: they take the long way.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.predict: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        inside: ASGIApp = super().__call__
        if scope["type"] == "http" and _predicts(scope):
            scope["route"] = _ROUTES[_PINNED in scope["path"]]
            inside = self.predict or inside
        await inside(scope, receive, send)


def _predicts(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.endswith(SUFFIX) and path.startswith(PREFIX) and scope["method"] == "POST"
