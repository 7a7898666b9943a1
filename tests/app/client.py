"""A client of the service in this process, its lifespan included."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Self

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI

JSON = {"content-type": "application/json"}


class Client:
    """Requests to one running app, one at a time."""

    def __init__(self, portal: BlockingPortal, http: httpx.AsyncClient) -> None:
        self._portal = portal
        self._http = http

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request; options as httpx has them."""
        return self._portal.call(partial(self._http.request, method, path, **options))

    def get(self, path: str) -> httpx.Response:
        """GET a path."""
        return self.request("GET", path)

    def predict(self, name: str, body: Any, *, version: int | None = None, **options: Any) -> httpx.Response:
        """POST customers; `body` is JSON-like, or bytes to be sent as they are."""
        pinned = "" if version is None else f"/versions/{version}"
        path = f"/v1/models/{name}{pinned}/predict"
        if isinstance(body, bytes):
            return self.request("POST", path, content=body, **{"headers": JSON, **options})
        return self.request("POST", path, json=body, **options)

    def wait_until_loaded(self) -> Self:
        """Until every champion is in service or refused."""
        while "being loaded" in self.get("/health/ready").text:
            time.sleep(0.005)
        return self


@contextmanager
def running(app: FastAPI) -> Iterator[Client]:
    """The app, started; stopped at the end."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(_serving(app)) as http:
        yield Client(portal, http)


@asynccontextmanager
async def _serving(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
    ):
        yield http
