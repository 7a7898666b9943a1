"""Single rows: a server's answers checked, then its speed at one, eight and 64 connections."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tests.benchmarks.serving.contenders import Contender
from tests.benchmarks.serving.load import Load, LoadError, Window, request
from tests.benchmarks.serving.process import Server, ask, serving
from tests.benchmarks.serving.sample import Row

CONNECTIONS: Final = (1, 8, 64)
CHECKED: Final = 8  # answers that are compared
TOLERANCE: Final = 1e-6
_WINDOWS: Final = 2
_WARM: Final = 8  # connections


@dataclass(frozen=True)
class Level:
    """A number of connections: medians over the windows.

    Attributes:
        rate: requests a second.
        p50, p99: milliseconds.
        cpu_us: of the server, a request.
        own_share: of its core that the load took.
    """

    rate: float
    p50: float
    p99: float
    cpu_us: float
    own_share: float


@dataclass(frozen=True)
class Single:
    """A server's figures, a level for each number of connections."""

    levels: tuple[Level, ...]
    memory_mb: float
    cold_start_s: float


def measure(
    contender: Contender, rows: Sequence[Row], wanted: Sequence[float] | None, *, seconds: float, core: int
) -> Single:
    """Start a server, check it, put it under load and stop it.

    Args:
        rows: are asked about in turn.
        wanted: probabilities of the first rows; None where the answer is a constant.
        seconds: a level.
        core: of the server.

    Raises:
        LoadError: it does not run, answers wrongly or not at all.
    """
    assert contender.command is not None
    with serving(contender.command, contender.environment, contender.post(rows[0]), core=core) as server:
        check(contender, server, rows, wanted)
        sent = requests(contender, rows)
        with Load.opened(server.port, sent, _WARM) as load:
            load.run(seconds / _WINDOWS)
        levels = tuple(_level(server, sent, connections, seconds) for connections in CONNECTIONS)
        return Single(levels, server.memory_mb(), server.cold_start_s)


def requests(contender: Contender, rows: Sequence[Row]) -> list[bytes]:
    """The bytes of a request about each row."""
    posts = map(contender.post, rows)
    return [request(post.path, post.body, post.headers) for post in posts]


def check(contender: Contender, server: Server, rows: Sequence[Row], wanted: Sequence[float] | None) -> None:
    """Compare some answers, and send what must be refused.

    Raises:
        LoadError: an answer is another, or a bad body is accepted.
    """
    for row, expected in zip(rows[:CHECKED], wanted or (), strict=False):
        status, body = ask(server.port, contender.post(row))
        got = contender.probability(json.loads(body)) if status == 200 else float("nan")
        if not abs(got - expected) <= TOLERANCE:
            raise LoadError(f"{contender.name} must answer {expected}, got {got} ({status} {body[:200]!r})")
    for post in contender.bad_posts(rows[0]) if contender.reads else ():
        status, _ = ask(server.port, post)
        if status < 400:
            raise LoadError(f"{contender.name} must refuse {post.body!r}, got {status}")


def _level(server: Server, sent: Sequence[bytes], connections: int, seconds: float) -> Level:
    windows: list[tuple[Window, float]] = []
    with Load.opened(server.port, sent, connections) as load:
        for _ in range(_WINDOWS):
            before = server.cpu_seconds()
            window = load.run(seconds / _WINDOWS)
            windows.append((window, (server.cpu_seconds() - before) / window.n * 1e6))
    told = [(w.rate, w.p50, w.p99, cpu, w.own_share) for w, cpu in windows]
    return Level(*np.median(told, axis=0).tolist())
