"""A reload that somebody asks for."""

import shutil
import time
from pathlib import Path

import pytest

from model.errors import CheckpointError
from model.store.registry import Registry
from tests.app.server.test_refusals import problem
from tests.app.toys import LOG_SCHEMA, LOG_TASK, TABLE_SCHEMA, TABLE_TASK, publish
from tests.app.versions.watched import answers, count_reads, damage, service


def test_a_reload_takes_effect_at_once(three_versions: Path) -> None:
    with service(three_versions, watch_seconds=0) as client:
        Registry(three_versions).promote("churn", 2)
        time.sleep(0.05)
        assert answers(client, 1)
        answer = client.request("POST", "/v1/models/churn/reload")
        assert answer.json() == {"name": "churn", "state": "in service", "champion": 2, "serving": 2}
        assert answers(client, 2)


def test_a_reload_says_why_it_came_to_nothing(three_versions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with service(three_versions, watch_seconds=0) as client:
        Registry(three_versions).promote("churn", 2)
        whole = damage(three_versions, 2)
        read = count_reads(monkeypatch)
        for _ in range(2):  # every one is an attempt
            body = problem(client.request("POST", "/v1/models/churn/reload"), 409, "not-reloaded")
            said, _, reason = body["detail"].partition(": ")
            assert said == "churn version 2 was not loaded (version 1 stays in service)"
            assert reason.startswith("churn/2/weights.safetensors is damaged")
        assert read == [2, 2]
        (three_versions / "churn" / "2" / "weights.safetensors").write_bytes(whole)
        assert client.request("POST", "/v1/models/churn/reload").json()["serving"] == 2


def test_a_reload_finds_a_new_name_and_knows_no_other(three_versions: Path) -> None:
    with service(three_versions, watch_seconds=0) as client:
        publish(three_versions, "purchase", LOG_SCHEMA, LOG_TASK)
        assert client.predict("purchase", {"customers": [{}]}).status_code == 404
        assert client.request("POST", "/v1/models/purchase/reload").json()["serving"] == 1
        assert client.predict("purchase", {"customers": [{}]}).status_code == 200
        for name in ("nobody", "%2e%2e", "champion%00", "CHURN"):
            problem(client.request("POST", f"/v1/models/{name}/reload"), 404, "unknown-model")
        shutil.rmtree(three_versions / "purchase")
        problem(client.request("POST", "/v1/models/purchase/reload"), 409, "not-reloaded")


def test_a_reload_makes_an_empty_service_ready(tmp_path: Path) -> None:
    with service(tmp_path, watch_seconds=0) as client:
        problem(client.request("POST", "/v1/models/churn/reload"), 503, "not-ready")
        publish(tmp_path, "churn", TABLE_SCHEMA, TABLE_TASK)
        assert client.get("/health/ready").status_code == 503
        assert client.request("POST", "/v1/models/churn/reload").status_code == 200
        assert client.get("/health/ready").status_code == 200


def test_a_reload_of_what_cannot_be_read_is_a_bland_refusal(
    three_versions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_registry: Registry, _name: str) -> list[int]:
        raise CheckpointError("/secret cannot be read: stale file handle")

    with service(three_versions, watch_seconds=0) as client:
        monkeypatch.setattr(Registry, "versions", refuse)
        problem(client.request("POST", "/v1/models/churn/reload"), 503, "unavailable")
        assert answers(client, 1)
