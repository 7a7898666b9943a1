"""Many rows in one request, in each form that the service reads, beside the floor given a list."""

import csv
import io
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from tests.benchmarks.serving.contenders import JSON, Contender
from tests.benchmarks.serving.load import LoadError
from tests.benchmarks.serving.models import AS_OF, question
from tests.benchmarks.serving.process import Post, Server
from tests.benchmarks.serving.sample import Row
from tests.benchmarks.serving.single import TOLERANCE

_LEAST: Final = 3  # requests
_TURNS: Final = 3


@dataclass(frozen=True)
class Form:
    """A form of a request and its answer.

    Attributes:
        route: the last part of the path.
        write, read: rows into a body, and an answer's body into probabilities.
    """

    name: str
    route: str
    kind: str
    write: Callable[[Sequence[Row]], bytes]
    read: Callable[[bytes], list[float]]

    def post(self, contender: Contender, rows: Sequence[Row]) -> Post:
        """A request to the service that is asked about single rows at the contender's path."""
        path = f"{contender.path.rpartition('/')[0]}/{self.route}"
        return Post(path, self.write(rows), {**contender.headers, "Content-Type": self.kind})


@dataclass(frozen=True)
class Bulk:
    """Some rows in one request.

    Attributes:
        rate: rows a second, by the median request.
        cpu_us: of the server, a row.
    """

    n: int
    rate: float
    cpu_us: float

    @property
    def ms(self) -> float:
        """Of a request."""
        return self.n / self.rate * 1e3


def floor_post(rows: Sequence[Row]) -> Post:
    """The list of customers that the floor reads."""
    return Post("/predict_many", json.dumps(rows).encode(), JSON)


def measure(server: Server, post: Post, n: int, *, seconds: float) -> Bulk:
    """Send one request after another over one connection.

    Raises:
        LoadError: an answer is no 200.
    """
    return measure_in_turn([(server, post)], n, seconds=seconds)[0]


def measure_in_turn(asked: Sequence[tuple[Server, Post]], n: int, *, seconds: float) -> list[Bulk]:
    """The same for several, in turns: see `single.measure`.

    Args:
        seconds: of each.

    Raises:
        LoadError: an answer is no 200.
    """
    spent: list[list[float]] = [[] for _ in asked]
    used = [0.0] * len(asked)
    for _ in range(_TURNS):
        for at, (server, post) in enumerate(asked):
            before = server.cpu_seconds()
            spent[at] += _spent(server, post, seconds / _TURNS)
            used[at] += server.cpu_seconds() - before
    return [
        Bulk(n, n / float(np.median(told)), cpu / (len(told) + _TURNS) / n * 1e6)  # a request warms each turn
        for told, cpu in zip(spent, used, strict=True)
    ]


def _spent(server: Server, post: Post, seconds: float) -> list[float]:
    """The seconds of each request."""
    spent: list[float] = []
    with server.connected() as ask:
        _answer(ask, post)
        end = time.perf_counter() + seconds
        while len(spent) < _LEAST or time.perf_counter() < end:
            began = time.perf_counter()
            _answer(ask, post)
            spent.append(time.perf_counter() - began)
    return spent


def check(server: Server, form: Form, post: Post, wanted: Sequence[float]) -> None:
    """Compare every probability of an answer.

    Raises:
        LoadError: one is another, or there is none.
    """
    with server.connected() as ask:
        got = form.read(_answer(ask, post))
    if len(got) != len(wanted) or not np.abs(np.subtract(got, wanted)).max() <= TOLERANCE:
        raise LoadError(f"{form.name}: the answer must be that of the model in this process")


def _answer(ask: Callable[[Post], tuple[int, bytes]], post: Post) -> bytes:
    status, body = ask(post)
    if status != 200:
        raise LoadError(f"answered by {status} {body[:200].decode(errors='replace')}")
    return body


def _columns(rows: Sequence[Row]) -> Mapping[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def _csv(rows: Sequence[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _arrow(rows: Sequence[Row]) -> bytes:
    table, sink = pa.table(_columns(rows)), pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _from_json(body: bytes) -> list[float]:
    return [prediction["probability"] for prediction in json.loads(body)["predictions"]]


def _from_csv(body: bytes) -> list[float]:
    return [float(row["probability"]) for row in csv.DictReader(io.StringIO(body.decode(), newline=""))]


def _from_arrow(body: bytes) -> list[float]:
    told: list[float] = pa.ipc.open_stream(body).read_all()["probability"].to_pylist()
    return told


FORMS: Final = (
    Form(
        "JSON rows",
        "predict",
        JSON["Content-Type"],
        lambda rows: json.dumps(question(rows)).encode(),
        _from_json,
    ),
    Form(
        "JSON columns",
        "predict",
        JSON["Content-Type"],
        lambda rows: json.dumps({"as_of": AS_OF, "columns": _columns(rows)}).encode(),
        _from_json,
    ),
    Form("CSV", "score", "text/csv", _csv, _from_csv),
    Form("Arrow", "score", "application/vnd.apache.arrow.stream", _arrow, _from_arrow),
)
