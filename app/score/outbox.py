"""Answers on their way to a client that may not read yet: many clients first send all, then read."""

import asyncio
from collections import deque
from typing import Final

from starlette.types import Send

from app.score.spool import Spool

_IN_MEMORY: Final = 1 << 20  # bytes that wait in memory; beyond it on disk while the client still sends
_PIECE: Final = 1 << 18  # bytes sent at a time


class Outbox:
    """Sends what is put in, in order. Nothing is sent before the first bytes are put.

    Args:
        kind: media type of the answer.
        limit: bytes that may wait on disk.
    """

    def __init__(self, send: Send, kind: bytes, limit: int) -> None:
        self._send = send
        self._kind = kind
        self._limit = limit
        self._waiting: deque[bytes] = deque()
        self._n_waiting = 0
        self._spool: Spool | None = None
        self._changed = asyncio.Condition()
        self._sender: asyncio.Task[None] | None = None
        self._last = False

    @property
    def started(self) -> bool:
        """Whether the client may have seen a part of the answer."""
        return self._sender is not None

    async def put(self, data: bytes, *, sending: bool) -> None:
        """Take some bytes.

        Args:
            sending: whether the client still sends: waiting for it to read might be to wait for ever.
        """
        if not data:
            return
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_all())
        if self._sender.done():
            self._sender.result()  # says why
        async with self._changed:
            if sending and await self._spooled(data):
                self._changed.notify_all()
                return
            await self._changed.wait_for(self._has_room)
            self._waiting.append(data)
            self._n_waiting += len(data)
            self._changed.notify_all()

    async def close(self) -> None:
        """Wait until all of it is sent, and end the answer."""
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_all())
        async with self._changed:
            self._last = True
            self._changed.notify_all()
        await self._sender

    async def drop(self) -> None:
        """Send no more."""
        if self._sender:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)
        if self._spool:
            self._spool.close()

    def _has_room(self) -> bool:
        assert self._sender
        return self._sender.done() or (
            self._n_waiting < _IN_MEMORY and not (self._spool and self._spool.size)
        )

    async def _spooled(self, data: bytes) -> bool:
        """Put bytes on disk, if memory is full and the disk is not."""
        if self._has_room():
            return False
        if self._spool is None:
            self._spool = await asyncio.to_thread(Spool.open, self._limit)
        if not self._spool.has_room(len(data)):
            return False
        await asyncio.to_thread(self._spool.append, data)
        return True

    async def _send_all(self) -> None:
        head = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", self._kind)]}
        await self._send(head)
        while data := await self._next():
            await self._send({"type": "http.response.body", "body": data, "more_body": True})
        await self._send({"type": "http.response.body", "body": b""})

    async def _next(self) -> bytes:
        """The next bytes; none at the end."""
        async with self._changed:
            await self._changed.wait_for(
                lambda: self._waiting or self._last or (self._spool and self._spool.size)
            )
            if self._waiting:
                data = self._waiting.popleft()
                self._n_waiting -= len(data)
            elif self._spool and self._spool.size:
                data = await asyncio.to_thread(self._spool.take, _PIECE)
            else:
                data = b""
            self._changed.notify_all()
            return data
