"""What the log says about requests."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from app.errors import Problem
from app.observe.logs import JsonFormatter
from app.observe.requests import RequestRecords
from tests.app.client import Client

LOGGER = "app.requests"


class Lines(logging.Handler):
    """The lines as they would be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(JsonFormatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    @property
    def told(self) -> list[dict[str, Any]]:
        """What each says."""
        return [json.loads(line) for line in self.lines]


@pytest.fixture
def log() -> Iterator[Lines]:
    """The log of the service at its usual level."""
    lines, logger = Lines(), logging.getLogger("app")
    logger.addHandler(lines)
    logger.setLevel(logging.INFO)
    yield lines
    logger.removeHandler(lines)
    logger.setLevel(logging.NOTSET)
    logging.getLogger(LOGGER).setLevel(logging.NOTSET)


def test_a_refusal_is_told_and_an_answer_is_not(client: Client, log: Lines) -> None:
    client.predict("churn", {"customers": [{}]})
    assert log.told == []
    answer = client.predict("churn", {"customers": [{"Total Charges": "secret"}]}, version=2)
    (told,) = log.told
    assert told.pop("time")
    assert 0 < told.pop("seconds") < 60
    assert told == {
        "level": "info",
        "logger": LOGGER,
        "message": "POST /v1/models/{name}/versions/{version}/predict 422",
        "request_id": answer.headers["x-request-id"],
        "method": "POST",
        "route": "/v1/models/{name}/versions/{version}/predict",
        "status": 422,
        "problem": "invalid-request",
        "model": "churn",
        "version": 2,
    }


def test_answers_are_told_on_the_debug_level(client: Client, log: Lines) -> None:
    logging.getLogger(LOGGER).setLevel(logging.DEBUG)
    client.predict("churn", {"customers": [{}, {}]})
    (told,) = log.told
    assert (told["level"], told["status"], told["rows"], told["version"]) == ("debug", 200, 2, 1)


def test_a_problem_of_the_service_is_a_warning(client: Client, log: Lines) -> None:
    client.predict("broken", {"customers": [{}]})
    (told,) = log.told
    assert (told["level"], told["status"], told["problem"]) == ("warning", 503, "model-not-in-service")


def test_a_path_is_not_told_but_its_route(client: Client, log: Lines) -> None:
    client.get("/v1/models/%0a%1b[2Jforged/%ed%a0%80")
    (told,) = log.told
    assert told["message"] == "GET none 404"
    assert "forged" not in log.lines[0]


@pytest.mark.parametrize("sent", ["\n{}", "a b", "x" * 65, "", "é"])
def test_a_request_id_that_could_harm_a_log_is_replaced(client: Client, log: Lines, sent: str) -> None:
    answer = client.request("GET", "/nowhere", headers={"x-request-id": sent.encode()})
    id_ = answer.headers["x-request-id"]
    assert id_ != sent
    assert len(id_) == 16
    assert log.told[0]["request_id"] == id_
    assert json.loads(answer.content)["instance"] == f"urn:propense:request:{id_}"


def test_a_clients_own_request_id_is_everywhere(client: Client, log: Lines) -> None:
    answer = client.request("GET", "/nowhere", headers={"x-request-id": "order-66.B"})
    assert answer.headers["x-request-id"] == log.told[0]["request_id"] == "order-66.B"
    assert answer.json()["instance"] == "urn:propense:request:order-66.B"


def test_whatever_is_logged_on_the_way_has_the_requests_id(
    client: Client, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        logging.getLogger("app.models").warning("on the way, in a thread")
        raise RuntimeError("a fault\nof two lines")

    monkeypatch.setattr("model.store.registry.Registry.versions", fail)
    answer = client.get("/v1/models/churn")
    assert answer.status_code == 500
    on_the_way, failed, request = log.told
    ids = {told["request_id"] for told in (on_the_way, failed, request)}
    assert ids == {answer.headers["x-request-id"]}
    assert failed["message"] == "GET /v1/models/churn failed"
    assert failed["exception"].endswith("RuntimeError: a fault\nof two lines")
    assert "RuntimeError" not in answer.text


def test_a_flood_of_refusals_is_no_flood_of_lines(log: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    add, scope = RequestRecords().add, {"method": "GET"}
    for _ in range(1000):
        add(scope, 401, 0.0, "unauthorized")
    assert len(log.lines) == 50
    clock[0] = 101.0
    add(scope, 401, 0.0, "unauthorized")
    assert log.told[-1]["unwritten"] == 950
    add(scope, 401, 0.0, "unauthorized")
    assert "unwritten" not in log.told[-1]


def test_what_the_server_refuses_is_told_and_bounded(log: Lines) -> None:
    records = RequestRecords()
    ids = [records.add_unread(Problem(400, "bad-request", "no request")).decode() for _ in range(60)]
    first, *others = log.told
    assert {first[name] for name in ("method", "route", "problem", "request_id")} == {
        *("NONE", "none", "bad-request", ids[0])
    }
    assert len(others) < 60
    assert len(records.seconds["none", 400]) == 60
