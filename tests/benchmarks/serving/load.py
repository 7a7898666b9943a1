"""The load: so many connections with one request in flight each, driven by one thread with epoll.

Each answer must be a 200 with a Content-Length; anything else ends the measurement.
"""

import gc
import re
import select
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import Final, Self

import numpy as np

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_OK: Final = b"HTTP/1.1 200"
_END: Final = b"\r\n\r\n"
_PIECE: Final = 1 << 18
_SILENCE_S: Final = 60.0


class LoadError(Exception):
    """A server did not answer as it must under load."""


@dataclass(frozen=True)
class Window:
    """Some seconds of load.

    Attributes:
        n: answers.
        rate: answers a second.
        p50, p99: milliseconds from sending a request to having read its answer.
        own_share: of its core that the load itself took.
    """

    n: int
    rate: float
    p50: float
    p99: float
    own_share: float


def request(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """A POST as it is sent."""
    lines = [f"POST {path} HTTP/1.1", "Host: service", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + _END + body


class Load:
    """Open connections to a server on this machine.

    Args:
        requests: are sent in turn.
    """

    def __init__(self, port: int, requests: Sequence[bytes], connections: int) -> None:
        self._requests = cycle(requests)
        self._epoll = select.epoll()
        self._sockets = {s.fileno(): s for s in (_connect(port) for _ in range(connections))}
        for number in self._sockets:
            self._epoll.register(number, select.EPOLLIN)

    @classmethod
    @contextmanager
    def opened(cls, port: int, requests: Sequence[bytes], connections: int) -> Iterator[Self]:
        """Connections that are closed at the end."""
        load = cls(port, requests, connections)
        try:
            yield load
        finally:
            for connection in load._sockets.values():
                connection.close()
            load._epoll.close()

    def run(self, seconds: float, *, most: float = float("inf")) -> Window:
        """Keep every connection busy for so long, or for so many requests.

        Raises:
            LoadError: an answer is missing, cut off or no 200.
        """
        collecting = gc.isenabled()
        gc.disable()
        try:
            began, used = time.perf_counter(), time.process_time()
            spent = self._drive(began + seconds, most)
            wall = time.perf_counter() - began
            share = (time.process_time() - used) / wall
        finally:
            if collecting:
                gc.enable()
        p50, p99 = (float(p) * 1e3 for p in np.percentile(spent, (50, 99)))
        return Window(len(spent), len(spent) / wall, p50, p99, share)

    def _drive(self, end: float, most: float) -> list[float]:
        """The seconds of each request. Local names and one loop, because this is what limits the load."""
        clock, poll, sockets, following = time.perf_counter, self._epoll.poll, self._sockets, self._requests
        begun, parts, spent = {}, dict.fromkeys(sockets, b""), []
        for number, connection in sockets.items():
            begun[number] = clock()
            connection.sendall(next(following))
        busy = len(sockets)
        while busy:
            ready = poll(_SILENCE_S)
            if not ready:
                raise LoadError(f"no answer within {_SILENCE_S:.0f} s")
            for number, _ in ready:
                connection = sockets[number]
                answer = connection.recv(_PIECE)
                if not answer:
                    raise LoadError("the server closed a connection that waited for its answer")
                if parts[number]:
                    answer = parts[number] + answer
                if not _is_whole(answer):
                    parts[number] = answer
                    continue
                parts[number] = b""
                now = clock()
                spent.append(now - begun[number])
                if now < end and len(spent) + busy <= most:
                    begun[number] = now
                    connection.sendall(next(following))
                else:
                    busy -= 1
        return spent


def _is_whole(answer: bytes) -> bool:
    """Whether an answer has come to its end.

    Raises:
        LoadError: it is no 200, or does not say how long it is.
    """
    head = answer.find(_END)
    if head < 0:
        return False
    length = _LENGTH.search(answer, 0, head)
    if length is None or not answer.startswith(_OK):
        raise LoadError(f"an answer must be a 200 with a Content-Length, got {answer[:200]!r}")
    return len(answer) >= head + len(_END) + int(length[1])


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
