"""Single rows: a server's answers checked, then its speed at one, eight and 64 connections."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import numpy as np

from tests.benchmarks.serving.contenders import Contender
from tests.benchmarks.serving.load import Load, LoadError, request
from tests.benchmarks.serving.process import Server, ask, serving
from tests.benchmarks.serving.sample import Row

CONNECTIONS: Final = (1, 8, 64)
CHECKED: Final = 8  # answers that are compared
TOLERANCE: Final = 1e-6
_WINDOWS: Final = 4
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


@dataclass(frozen=True)
class Asked:
    """Who is measured, and what it must answer to the first rows; None where the answer is a constant."""

    contender: Contender
    wanted: Sequence[float] | None = None


def measure(asked: Sequence[Asked], rows: Sequence[Row], *, seconds: float, core: int) -> list[Single]:
    """Start servers, check them, put them under load in turn, and stop them.

    A machine that others share is quicker now and slower then. What is to be compared is therefore measured
    in windows that alternate; meanwhile the other servers wait.

    Args:
        rows: are asked about in turn.
        seconds: a level, of each server.
        core: of the servers.

    Raises:
        LoadError: one does not run, answers wrongly or not at all.
    """
    with ExitStack() as stack:
        servers = [_started(stack, one, rows, core, seconds / _WINDOWS) for one in asked]
        sent = [requests(one.contender, rows) for one in asked]
        levels = [_level(list(zip(servers, sent, strict=True)), n, seconds) for n in CONNECTIONS]
        return [
            Single(tuple(told), server.memory_mb(), server.cold_start_s)
            for server, told in zip(servers, zip(*levels, strict=True), strict=True)
        ]


def _started(stack: ExitStack, asked: Asked, rows: Sequence[Row], core: int, warm_s: float) -> Server:
    contender = asked.contender
    assert contender.command is not None
    server = stack.enter_context(
        serving(contender.command, contender.environment, contender.post(rows[0]), core=core)
    )
    check(contender, server, rows, asked.wanted)
    with Load.opened(server.port, requests(contender, rows), _WARM) as load:
        load.run(warm_s)
    return server


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


def _level(
    servers: Sequence[tuple[Server, Sequence[bytes]]], connections: int, seconds: float
) -> list[Level]:
    told: list[list[tuple[float, ...]]] = [[] for _ in servers]
    with ExitStack() as stack:
        loads = [stack.enter_context(Load.opened(each.port, sent, connections)) for each, sent in servers]
        for _ in range(_WINDOWS):
            for (server, _), load, windows in zip(servers, loads, told, strict=True):
                before = server.cpu_seconds()
                w = load.run(seconds / _WINDOWS)
                cpu_us = (server.cpu_seconds() - before) / w.n * 1e6
                windows.append((w.rate, w.p50, w.p99, cpu_us, w.own_share))
    return [Level(*np.median(windows, axis=0).tolist()) for windows in told]
