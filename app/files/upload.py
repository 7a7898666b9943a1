"""A file on its way in and its scores on their way out, both on disk."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Send

from app.errors import Problem

_WRITTEN: Final = 1 << 20  # bytes written at a time
_SENT: Final = 1 << 18


@contextmanager
def spool() -> Iterator[Path]:
    """A folder for one file and its scores; it goes at the end.

    Raises:
        Problem: the service has no folder to write to, or the disk is full.
    """
    try:
        with TemporaryDirectory(prefix="propense-") as folder:
            yield Path(folder)
    except OSError:
        raise no_room() from None


async def receive_file(receive: Receive, path: Path, *, seconds: float) -> None:
    """Write a request's body to disk.

    Args:
        seconds: from its first byte to its last.

    Raises:
        Problem: the body takes too long.
        ClientDisconnect: the client has gone.
        OSError: the disk is full.
    """
    try:
        async with asyncio.timeout(seconds):
            await _receive(receive, path)
    except TimeoutError:
        detail = f"a file must be sent within {seconds:g} seconds; send it in parts"
        raise Problem(408, "upload-too-slow", detail) from None


async def _receive(receive: Receive, path: Path) -> None:
    with path.open("wb") as file:
        waiting, size, more = list[bytes](), 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            waiting.append(message.get("body", b""))
            size += len(waiting[-1])
            more = message.get("more_body", False)
            if size >= _WRITTEN or not more:
                await asyncio.to_thread(file.writelines, waiting)
                waiting, size = [], 0


async def send_file(send: Send, path: Path, headers: list[tuple[bytes, bytes]]) -> None:
    """Answer with a file of known length."""
    with path.open("rb") as file:
        length = (b"content-length", b"%d" % path.stat().st_size)
        await send({"type": "http.response.start", "status": 200, "headers": [*headers, length]})
        while piece := await asyncio.to_thread(file.read, _SENT):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def no_room() -> Problem:
    """The refusal of a file for which the disk has no room."""
    detail = "the service has no room on disk for this file; send it again later, or in parts"
    return Problem(503, "no-room", detail, headers={"Retry-After": "60"})
