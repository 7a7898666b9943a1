"""Bytes to the service and back, for clients that keep to no rules."""

import json
import math
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tests.app.process import HANGS

PREDICT = "/v1/models/churn/predict"
_PROBLEM = {"type", "title", "status", "detail"}


@dataclass(frozen=True)
class Answer:
    """One answer; `headers` by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes


def head(*lines: str, method: str = "POST", path: str = PREDICT, version: str = "1.1") -> bytes:
    """The head of a request, as it stands."""
    text = "\r\n".join((f"{method} {path} HTTP/{version}", "Host: localhost", *lines, "", ""))
    return text.encode("latin-1")


def posted(body: bytes, *lines: str, path: str = PREDICT) -> bytes:
    """A POST of JSON with its right length."""
    return head("Content-Type: application/json", f"Content-Length: {len(body)}", *lines, path=path) + body


def answers(port: int, sent: bytes | Iterable[bytes], n: int = 1, *, bodiless: int = 0) -> list[Answer]:
    """What comes back to some bytes: n answers, or those until the service hangs up.

    Args:
        bodiless: so many of the first have no body, whatever length they tell.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=HANGS) as line:
        with suppress(ConnectionError):  # it has heard enough
            for piece in (sent,) if isinstance(sent, bytes) else sent:
                line.sendall(piece)
        with line.makefile("rb") as file:
            return list(_read(file, n, bodiless))


def ask(port: int, sent: bytes | Iterable[bytes]) -> Answer:
    """The one answer to some bytes."""
    (answer,) = answers(port, sent)
    return answer


def predict(port: int, body: bytes, name: str = "churn") -> Answer:
    """The answer to a body of JSON."""
    return ask(port, posted(body, path=f"/v1/models/{name}/predict"))


def _read(file: BinaryIO, n: int, bodiless: int) -> Iterator[Answer]:
    for number in range(n):
        start = file.readline()
        if not start:
            return
        headers: dict[str, str] = {}
        while (line := file.readline().strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers["content-length"]) if number >= bodiless else 0
        yield Answer(int(start.split()[1]), headers, file.read(length))


def refused(answer: Answer, *statuses: int) -> dict[str, Any]:
    """The problem that an answer tells, once its form was checked."""
    assert answer.status in (statuses or range(400, 500)), answer
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = json.loads(answer.body, parse_constant=_refuse_constant)
    assert problem.keys() >= _PROBLEM
    assert problem["status"] == answer.status
    assert len(answer.body) < 50_000
    assert b"Traceback" not in answer.body
    return problem


def scores(answer: Answer) -> list[float]:
    """The probabilities of an answer, each of which is one."""
    assert answer.status == 200, answer
    told = json.loads(answer.body, parse_constant=_refuse_constant)["predictions"]
    found = [number for one in told for number in (one["probability"], *one.get("horizons", {}).values())]
    assert found
    assert all(isinstance(number, float) and math.isfinite(number) and 0 <= number <= 1 for number in found)
    return [one["probability"] for one in told]


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


@contextmanager
def memory_bounded(pid: int, *, megabytes: float) -> Iterator[None]:
    """In the end a process holds no more than this beyond what it held before; not at once, though."""
    before = _resident(pid)
    yield
    deadline = time.monotonic() + HANGS
    while (grown := (_resident(pid) - before) / 2**20) >= megabytes:
        assert time.monotonic() < deadline, f"{grown:.0f} MB more than before"
        time.sleep(0.02)


def _resident(pid: int) -> int:
    (line,) = (row for row in Path(f"/proc/{pid}/status").read_text().splitlines() if row.startswith("VmRSS"))
    return int(line.split()[1]) * 1024
