"""Requests that come at once: who waits for whom, and who is sent away."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from model.predictor import Predictions, Predictor
from model.store.checkpoint import Checkpoint, read_checkpoint
from model.values.rows import RequestRows
from tests.app.client import Client, running
from tests.app.server.test_refusals import problem
from tests.app.toys import TABLE_SCHEMA, TABLE_TASK, publish

ASK: dict[str, Any] = {"customers": [{}]}
HANGS = 10.0  # seconds after which what was held back goes on, so that a failing test ends

Send = Callable[[int | None], Future[httpx.Response]]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions of `churn` that a thread scores; the event loop scores a row of an mlp network itself."""
    root = tmp_path_factory.mktemp("registry")
    for seed in range(2):
        publish(root, "churn", TABLE_SCHEMA, TABLE_TASK, seed=seed, head="cnn")
    return root


@contextmanager
def crowd(registry: Path, **settings: Any) -> Iterator[tuple[Client, Send]]:
    """A client, and a function that sends a request for a version of churn without waiting for its answer."""
    with (
        running(create_app(Settings(registry=registry, **settings))) as client,
        ThreadPoolExecutor(16) as pool,
    ):
        client.wait_until_loaded()
        yield client, lambda version: pool.submit(client.predict, "churn", ASK, version=version)


def hold_scoring(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Scoring waits for the event."""
    go_on, predict = threading.Event(), Predictor.predict_rows

    def held(self: Predictor, rows: RequestRows) -> Predictions:
        go_on.wait(HANGS)
        return predict(self, rows)

    monkeypatch.setattr(Predictor, "predict_rows", held)
    return go_on


def hold_reading(monkeypatch: pytest.MonkeyPatch, held: int) -> tuple[threading.Event, list[int]]:
    """Reading one version waits for the event; also the versions that were read since."""
    go_on, read = threading.Event(), list[int]()

    def wait_and_read(folder: Path, *, name: str, version: int) -> Checkpoint:
        read.append(version)
        if version == held:
            go_on.wait(HANGS)
        return read_checkpoint(folder, name=name, version=version)

    monkeypatch.setattr("app.versions.loader.read_checkpoint", wait_and_read)
    return go_on, read


def statuses(asked: list[Future[httpx.Response]]) -> list[int]:
    return sorted(one.result().status_code for one in asked)


def refused_first(asked: list[Future[httpx.Response]]) -> None:
    (first,) = wait(asked, return_when=FIRST_COMPLETED).done
    body = problem(first.result(), 503, "too-busy")
    assert body["detail"] == "as many requests wait already as may (1); ask again shortly"
    assert first.result().headers["retry-after"] == "1"


def test_probes_are_answered_while_the_smallest_request_is_scored(
    registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with crowd(registry) as (client, ask):
        go_on = hold_scoring(monkeypatch)
        asked = ask(None)
        for path in ("/health/live", "/health/ready", "/metrics"):
            time.sleep(0.01)  # so that scoring is reached
            assert client.get(path).status_code == 200
        assert not asked.done()
        go_on.set()
        assert asked.result().status_code == 200


def test_more_requests_than_may_wait_are_refused(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with crowd(registry, max_waiting=1) as (_, ask):
        go_on = hold_scoring(monkeypatch)
        asked = [ask(None) for _ in range(3)]  # one is scored, one waits
        refused_first(asked)
        go_on.set()
        assert statuses(asked) == [200, 200, 503]
        assert ask(None).result().status_code == 200


def test_more_requests_than_may_wait_for_a_load_are_refused(
    registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with crowd(registry, max_waiting=1) as (_, ask):
        go_on, read = hold_reading(monkeypatch, 2)
        asked = [ask(2) for _ in range(3)]
        refused_first(asked)
        go_on.set()
        assert statuses(asked) == [200, 200, 503]
        assert read == [2]


def test_a_loaded_version_answers_while_another_is_loaded(
    three_versions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with crowd(three_versions) as (client, ask):
        assert ask(2).result().status_code == 200
        go_on, read = hold_reading(monkeypatch, 3)
        third = ask(3)
        while not read:
            time.sleep(0.005)
        for version in (None, 1, 2):
            assert client.predict("churn", ASK, version=version).status_code == 200
        assert not third.done()
        go_on.set()
        assert third.result().json()["version"] == 3


def test_few_pinned_versions_stay_loaded(three_versions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.versions.models._PINNED", 2)
    (three_versions / "churn" / "champion").unlink()
    with crowd(three_versions) as (_, ask):
        _, read = hold_reading(monkeypatch, 0)
        for version in (1, 2, 1, 3, 1, 2):  # 3 takes the place of 2, and 2 that of 3
            assert ask(version).result().status_code == 200
    assert read == [1, 2, 3, 2]
