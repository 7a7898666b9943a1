"""The limit: uvicorn and an ASGI function of constant bytes."""

import sys

import uvicorn
from starlette.types import Receive, Scope, Send

_BODY = b'{"probability":0.5}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BODY))]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body and forget it."""
    assert scope["type"] == "http"
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})


def run(served: object, port: int) -> None:
    """uvicorn at its quickest."""
    uvicorn.run(
        served,  # type: ignore[arg-type]
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    run(app, int(sys.argv[1]))
