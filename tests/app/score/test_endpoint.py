"""What is refused before a file is read, and what happens when one breaks off."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message

from app.errors import Problem
from app.main import create_app
from app.score.block import Bounds
from app.score.endpoint import Score
from app.server.memory import Tidy
from app.settings import Settings
from app.versions.served import Served
from tests.app.client import Client, running
from tests.app.score.conftest import ARROW, CSV, NDJSON, PARQUET, Serve
from tests.app.score.test_arrow import log_table, stream
from tests.app.toys import AS_OF

PATH = "/v1/models/purchase/score"
LINES = b'{"tenure": 3}\n' * 20_000


def post(client: Client, content: Any, kind: str, path: str = PATH, **headers: str) -> Any:
    return client.request("POST", path, content=content, headers={"content-type": kind, **headers})


def problem(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["detail"]


def test_other_media_types_and_compressed_files(client: Client) -> None:
    kinds = f"{CSV}, {NDJSON}, {ARROW}, {PARQUET}"
    for kind in ("application/json", "", "text/html", "x" * 10_000):
        assert problem(post(client, b"{}", kind)) == (415, f"send the file as one of {kinds}")
    assert problem(post(client, b"a", "text/csv; charset=utf-16")) == (415, "send the file in UTF-8")
    answer = post(client, b"a", CSV, **{"content-encoding": "gzip"})
    assert problem(answer) == (415, "send the file uncompressed")
    assert post(client, b"{}", 'Application/X-NDJSON; charset="UTF-8"').status_code == 200
    assert post(client, b"tenure,events\n", "text/csv; header=present").status_code == 200


def test_as_of_is_in_the_query_and_now_by_default(client: Client) -> None:
    line = b'{"events": [{"date": "1997-03-01"}]}'

    def told(query: str) -> str:
        answer = post(client, line, NDJSON, PATH + query)
        assert answer.status_code == 200
        return str(answer.text)

    assert told("?as_of=1997-03-02T00:00:00%2B01:00") == told("?as_of=1997-03-01T23:00:00Z")
    assert len({told("?as_of=1997-03-02"), told(f"?as_of={AS_OF}"), told("")}) == 3
    for query in ("?as_of=soon", "?as_of=", "?as_of=1997-01-01&as_of=1997-01-01", "?when=1997-01-01", "?x"):
        assert post(client, line, NDJSON, PATH + query).status_code == 422


def test_models_and_versions(client: Client) -> None:
    line, paths = b'{"Total Charges": 3}', ("churn", "churn/versions/1", "churn/versions/2")
    answers = [post(client, line, NDJSON, f"/v1/models/{path}/score").text for path in paths]
    assert answers[0] == answers[1] != answers[2]
    for path, status in {
        "/v1/models/churm/score": 404,
        "/v1/models/churn/versions/9/score": 404,
        "/v1/models/churn/versions/x/score": 404,
        "/v1/models/broken/score": 503,
    }.items():
        assert problem(post(client, line, NDJSON, path))[0] == status
    assert problem(client.get(PATH)) == (405, "this path takes POST only")


@pytest.fixture(scope="module")
def small(registry: Any) -> Iterator[Client]:
    """The service with small limits for files."""
    settings = Settings(registry=registry, max_score_bytes=100_000, max_body_bytes=1024, watch_seconds=0)
    with running(create_app(settings)) as client:
        yield client.wait_until_loaded()


def test_a_file_has_a_limit_of_its_own(small: Client) -> None:
    assert post(small, LINES[:90_000], NDJSON).status_code == 200
    assert problem(post(small, LINES, NDJSON))[0] == 413

    async def unannounced() -> AsyncIterator[bytes]:
        for at in range(0, len(LINES), 10_000):
            yield LINES[at : at + 10_000]

    assert problem(post(small, unannounced(), NDJSON))[0] == 413


class Exchange:
    """One request, played by hand: messages in, messages out."""

    def __init__(self, kind: str = NDJSON) -> None:
        self.to_come: asyncio.Queue[Message] = asyncio.Queue()
        self.told: list[Message] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.scope = {
            "type": "http",
            "method": "POST",
            "path": PATH,
            "path_params": {"name": "purchase"},
            "query_string": b"",
            "headers": [(b"content-type", kind.encode())],
        }

    def give(self, body: bytes, *, more: bool = True) -> None:
        self.to_come.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def leave(self) -> None:
        self.to_come.put_nowait({"type": "http.disconnect"})

    async def answer(self, app: ASGIApp) -> None:
        await app(self.scope, self.to_come.get, self.send)

    async def send(self, message: Message) -> None:
        await self.reads.wait()
        self.told.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.told)


async def until(true: Any) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.005)


class OneModel:
    """Models, all of which are one."""

    def __init__(self, model: Served) -> None:
        self.model = model

    async def find(self, _name: str, _version: int | None = None) -> Served:
        return self.model


def play(served: Serve, use: Callable[[Score], Coroutine[Any, Any, None]], *, max_files: int = 8) -> None:
    """Use an endpoint without the service around it."""
    models: Any = OneModel(served("purchase"))
    bounds = Bounds(1 << 22, 1 << 26)
    asyncio.run(use(Score(models, max_files=max_files, bounds=bounds, tidy=Tidy())))


def test_scores_come_while_the_file_is_still_being_sent(served: Serve) -> None:
    async def use(score: Score) -> None:
        exchange = Exchange()
        answer = asyncio.ensure_future(exchange.answer(score))
        exchange.give(LINES * 5)
        await until(lambda: exchange.body.count(b"\n") == 100_000)
        assert not answer.done()
        exchange.give(LINES, more=False)
        await answer
        assert exchange.body.count(b"\n") == 120_000
        assert exchange.told[-1] == {"type": "http.response.body", "body": b""}

    play(served, use)


def test_a_client_that_reads_only_when_it_has_sent_all_is_served(served: Serve) -> None:
    async def use(score: Score) -> None:
        exchange = Exchange()
        exchange.reads.clear()
        answer = asyncio.ensure_future(exchange.answer(score))
        for _ in range(4):
            exchange.give(LINES * 5)
        await until(exchange.to_come.empty)
        exchange.give(b"", more=False)
        exchange.reads.set()
        await answer
        assert exchange.body.count(b"\n") == 400_000

    play(served, use)


@pytest.mark.parametrize("whole", [True, False])
def test_a_client_that_leaves_ends_the_work(served: Serve, whole: bool) -> None:
    async def use(score: Score) -> None:
        exchange = Exchange()
        exchange.reads.clear()
        exchange.give(LINES * (50 if whole else 5), more=not whole)
        exchange.leave()
        answer = asyncio.ensure_future(exchange.answer(score))
        exchange.reads.set()
        with suppress(ClientDisconnect):  # where nothing was sent yet
            await answer
        assert exchange.body.count(b"\n") < 1_000_000
        assert {"type": "http.response.body", "body": b""} not in exchange.told

    play(served, use)


def test_a_client_that_leaves_before_the_first_score(served: Serve) -> None:
    async def use(score: Score) -> None:
        exchange = Exchange()
        exchange.give(b'{"tenure"')
        exchange.leave()
        with pytest.raises(ClientDisconnect):
            await exchange.answer(score)
        assert exchange.told == []

    play(served, use)


def test_a_file_that_breaks_off_after_the_first_scores_cuts_the_answer(served: Serve) -> None:
    async def use(score: Score) -> None:
        table = log_table()
        exchange = Exchange(ARROW)
        exchange.give(stream(table)[:-8])  # without its end
        exchange.give(b"\xff\xff\xff\xff\x10" + bytes(3), more=True)
        exchange.give(bytes(1 << 20), more=True)
        exchange.give(b"", more=False)
        with pytest.raises(Problem, match="damaged or cut off"):
            await exchange.answer(score)
        assert exchange.told[0]["status"] == 200
        assert exchange.told[-1].get("more_body")

    play(served, use)


def test_only_so_many_files_are_scored_at_a_time(served: Serve) -> None:
    async def use(score: Score) -> None:
        first, second, third = Exchange(), Exchange(), Exchange()
        answer = asyncio.ensure_future(first.answer(score))
        first.give(b"{}\n")
        await asyncio.sleep(0.05)
        with pytest.raises(Problem, match=r"as many files are being scored as may at a time \(1\)") as told:
            await second.answer(score)
        assert (told.value.status, told.value.headers) == (503, {"Retry-After": "10"})
        first.give(b"", more=False)
        await answer
        third.give(b"{}\n", more=False)
        await third.answer(score)
        assert third.told[0]["status"] == 200

    play(served, use, max_files=1)
