"""A quick app under the service's own server and settings: `python -m tests.app.server.tiny`."""

import asyncio
import json
import os

from starlette.types import Receive, Scope, Send

from app.__main__ import serve
from app.server.state import ANSWERING
from app.settings import Settings


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with its process, after the seconds that the query says; `/large` at length."""
    if scope["type"] == "lifespan":
        for word in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{word}.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    await asyncio.sleep(float(scope["query_string"] or 0))
    stopping = scope["state"].get("stopping", False)
    answering = len(scope["state"][ANSWERING])
    told = {"pid": os.getpid(), "port": scope["server"][1], "stopping": stopping, "answering": answering}
    content = b"x" * 30_000_000 if scope["path"] == "/large" else json.dumps(told).encode()
    status = 503 if stopping and scope["path"] == "/health/ready" else 200
    length = (b"content-length", str(len(content)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [length]})
    await send({"type": "http.response.body", "body": content})


if __name__ == "__main__":
    serve(Settings(), "tests.app.server.tiny:app")
