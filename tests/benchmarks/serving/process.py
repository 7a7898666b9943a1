"""A server as a process of its own: started on a core, waited for, measured, stopped."""

import http.client
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from tests.benchmarks.serving.load import LoadError
from tests.benchmarks.serving.machine import ONE_THREAD, cpu_seconds, memory_mb, pinned, tree

ROOT: Final = Path(__file__).resolve().parents[3]
PORT: Final = "{port}"
"""Stands for the port in a command and its environment."""

Command = Sequence[str]
Ask = Callable[["Post"], tuple[int, bytes]]

_POLL_S: Final = 0.01
_START_S: Final = 120.0
_STOP_S: Final = 30.0
_FINAL: Final = (400, 401, 403, 422)  # which no waiting will cure
_SHOWN: Final = 2000  # characters of a failed server's log


@dataclass(frozen=True)
class Post:
    """A request, as far as it is the same over any connection."""

    path: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        cold_start_s: from spawning it to its first answer with a 200.
    """

    process: "subprocess.Popen[bytes]"
    port: int
    cold_start_s: float

    def cpu_seconds(self) -> float:
        """What its processes have used."""
        return cpu_seconds(tree(self.process.pid))

    def memory_mb(self) -> float:
        """What its processes hold."""
        return memory_mb(tree(self.process.pid))

    @contextmanager
    def connected(self) -> Iterator[Ask]:
        """A connection that is kept: what is sent over it is answered by a status and a body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_START_S)
        try:
            yield lambda post: _ask(connection, post)
        finally:
            connection.close()


def ask(port: int, post: Post) -> tuple[int, bytes]:
    """Status and body of the answer to one request, over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_START_S)
    try:
        return _ask(connection, post)
    finally:
        connection.close()


def _ask(connection: http.client.HTTPConnection, post: Post) -> tuple[int, bytes]:
    connection.request("POST", post.path, post.body, dict(post.headers))
    answer = connection.getresponse()
    return answer.status, answer.read()


@contextmanager
def serving(command: Command, environment: Mapping[str, str], first: Post, *, core: int) -> Iterator[Server]:
    """A server that answers, pinned to a core with all its processes; stopped at the end.

    Args:
        command: what runs it.
        environment: beside that of this process, from which settings of the service are left out.
        first: what it must be able to answer.

    Raises:
        LoadError: it ended, or was not ready in time; with the end of its log.
    """
    port = free_port()
    variables = {k: v for k, v in os.environ.items() if not k.startswith("PROPENSE_")} | ONE_THREAD
    variables |= {name: value.replace(PORT, str(port)) for name, value in environment.items()}
    with tempfile.TemporaryFile() as log:
        began = time.perf_counter()
        with pinned(core):
            process = subprocess.Popen(
                [word.replace(PORT, str(port)) for word in command],
                env=variables,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _wait(process, port, first, log)
            yield Server(process, port, time.perf_counter() - began)
        finally:
            _stop(process)


def _wait(process: "subprocess.Popen[bytes]", port: int, first: Post, log: IO[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    answer = "nothing"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LoadError(f"the server ended with {process.returncode}: {_tail(log)}")
        try:
            status, body = ask(port, first)
        except (OSError, http.client.HTTPException) as error:
            answer = str(error)
        else:
            if status == http.HTTPStatus.OK:
                return
            answer = f"{status} {body[:_SHOWN].decode(errors='replace')}"
            if status in _FINAL:
                raise LoadError(f"the server must answer the first request, got {answer}")
        time.sleep(_POLL_S)
    raise LoadError(f"the server was not ready within {_START_S:.0f} s: {answer}\n{_tail(log)}")


def _tail(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")[-_SHOWN:]


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """SIGTERM, and SIGKILL to what is left of its processes."""
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_S)
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def free_port() -> int:
    """One that nobody listens to."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
