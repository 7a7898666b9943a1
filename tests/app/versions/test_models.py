import logging
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from app.settings import Settings
from model.errors import CheckpointError
from model.predictor import load_predictor
from model.store.checkpoint import Checkpoint, read_checkpoint
from model.store.registry import Registry
from model.times import parse_time
from model.values.rows import rows_from_json
from tests.app.client import Client, running
from tests.app.server.test_refusals import problem
from tests.app.toys import AS_OF, CONTRACTS, LOG_SCHEMA, LOG_TASK, TABLE_SCHEMA, TABLE_TASK, publish

ASK: dict[str, Any] = {"customers": [{}]}


def refuse(_registry: Registry, *_: str) -> list[Any]:
    raise CheckpointError("/secret cannot be read: stale file handle")


def test_the_list_has_every_name_in_service_or_not(client: Client) -> None:
    models = client.get("/v1/models").json()["models"]
    assert [(m["name"], m["state"], m["champion"]) for m in models] == [
        ("broken", "not in service", 1),
        ("churn", "in service", 1),
        ("purchase", "in service", 1),
    ]


def test_a_model_says_what_it_expects_and_what_it_is_worth(client: Client) -> None:
    model = client.get("/v1/models/churn").json()
    assert model["versions"] == [1, 2]
    assert model["task"]["column"] == "Churn"
    assert model["metrics"] == {"test": {"auc": 0.81}}
    assert model["created"] == "1998-01-01T00:00:00Z"
    customer = model["request_schema"]["$defs"]["Customer"]
    assert list(customer["properties"]) == [
        "customer_id",
        "Total Charges",
        "contract",
        "copy",
        "_senior",
        "since",
        "bill_1",
        "bill_2",
    ]
    assert customer["additionalProperties"] is False
    assert customer["properties"]["contract"]["x-known-categories"] == list(CONTRACTS[:50])
    assert model["example"]["customers"][0]["contract"] == CONTRACTS[0]


def test_a_network_that_reads_steps_is_served(tmp_path: Path) -> None:
    publish(tmp_path, "purchase", LOG_SCHEMA, LOG_TASK, head="cnn")
    with running(create_app(Settings(registry=tmp_path, watch_seconds=0))) as client:
        response = client.wait_until_loaded().predict("purchase", {"as_of": AS_OF, "customers": [{}]})
    rows = rows_from_json([{}], LOG_SCHEMA, parse_time(AS_OF))
    wanted = load_predictor(tmp_path / "purchase" / "1").predict_rows(rows).probabilities
    (got,) = response.json()["predictions"]
    assert list(got["horizons"].values()) == pytest.approx(wanted[0].tolist())


def test_a_broken_model_says_why_and_shows_no_path(client: Client, registry: Path) -> None:
    model = client.get("/v1/models/broken").json()
    assert model["reason"].startswith("broken/1/weights.safetensors is damaged")
    assert str(registry) not in model["reason"]
    assert model.keys() == {"name", "state", "champion", "serving", "reason", "versions"}
    assert model["serving"] is None


def test_a_broken_model_is_logged_and_the_others_are_in_service(
    registry: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="app")
    with running(create_app(Settings(registry=registry))) as client:
        client.wait_until_loaded()
        assert client.get("/health/ready").json() == {"status": "ready"}
        assert client.predict("churn", ASK).status_code == 200
    assert any("broken 1 is not in service: " in message for message in caplog.messages)
    assert "models in service: churn 1, purchase 1" in caplog.messages


def test_a_model_that_fails_in_an_unexpected_way_leaves_the_others_alone(
    registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(folder: Path, *, name: str, version: int) -> Checkpoint:
        if name == "purchase":
            raise MemoryError("secret")
        return read_checkpoint(folder, name=name, version=version)

    monkeypatch.setattr("app.versions.loader.read_checkpoint", read)
    with running(create_app(Settings(registry=registry))) as client:
        client.wait_until_loaded()
        reason = client.get("/v1/models/purchase").json()["reason"]
        assert reason == "loading failed in an unexpected way; the log of the service has the reason"
        assert client.predict("churn", ASK).status_code == 200


@pytest.mark.parametrize("make", [False, True])
def test_a_registry_that_is_absent_or_empty(tmp_path: Path, make: bool) -> None:
    root = tmp_path / "registry"
    if make:
        root.mkdir()
    with running(create_app(Settings(registry=root, watch_seconds=3600))) as client:  # its end does not wait
        client.wait_until_loaded()
        assert client.get("/health/live").json() == {"status": "live"}
        detail = problem(client.get("/health/ready"), 503, "not-ready")["detail"]
        empty = "the registry holds no model; `propense train STUDY.yaml` makes one"
        assert detail == (empty if make else "there is no registry. `propense train STUDY.yaml` makes one.")
        problem(client.predict("churn", ASK), 503, "not-ready")
        assert client.get("/v1/models").json() == {"models": []}


@pytest.mark.parametrize("make", [False, True])
def test_a_registry_that_is_filled_later_goes_into_service(
    tmp_path: Path, make: bool, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "registry"
    if make:
        root.mkdir()
    with running(create_app(Settings(registry=root, watch_seconds=0.01))) as client:
        assert client.wait_until_loaded().get("/health/ready").status_code == 503
        time.sleep(0.05)  # several tries
        publish(root, "churn", TABLE_SCHEMA, TABLE_TASK)
        while client.get("/health/ready").status_code == 503:
            time.sleep(0.005)
        assert client.predict("churn", ASK).status_code == 200
    assert sum("nothing to serve yet: " in message for message in caplog.messages) in (1, 2)  # not each try


def test_a_registry_that_cannot_be_read_is_tried_again(
    registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Registry, "names", refuse)
        app = create_app(Settings(registry=registry, watch_seconds=0.01))
        with running(app) as client:
            detail = problem(client.wait_until_loaded().get("/health/ready"), 503, "not-ready")["detail"]
            assert detail == "/secret cannot be read: stale file handle"
            patch.undo()
            while client.get("/health/ready").status_code == 503:
                time.sleep(0.005)


def test_a_registry_that_cannot_be_read_later_is_a_bland_refusal(
    registry: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with running(create_app(Settings(registry=registry, watch_seconds=0))) as client:
        client.wait_until_loaded()
        monkeypatch.setattr(Registry, "versions", refuse)
        for answer in (client.get("/v1/models/churn"), client.predict("churn", ASK, version=2)):
            body = problem(answer, 503, "unavailable")
            assert body["detail"] == "the service cannot answer this now; its log has the reason"
            assert answer.headers["retry-after"] == "1"
        assert client.predict("churn", ASK).status_code == 200
    reason = "failed: /secret cannot be read: stale file handle"
    assert [m for m in caplog.messages if "secret" in m] == [
        f"GET /v1/models/churn {reason}",
        f"POST /v1/models/churn/versions/2/predict {reason}",
    ]


def test_not_ready_where_the_only_model_is_broken(registry: Path, tmp_path: Path) -> None:
    shutil.copytree(registry / "broken", tmp_path / "broken")
    with running(create_app(Settings(registry=tmp_path))) as client:
        client.wait_until_loaded()
        detail = problem(client.get("/health/ready"), 503, "not-ready")["detail"]
        assert detail == "none of the models (broken) is in service; GET /v1/models/NAME says why"


def test_a_name_without_a_champion_answers_for_its_versions_only(tmp_path: Path) -> None:
    publish(tmp_path, "churn", TABLE_SCHEMA, TABLE_TASK)
    (tmp_path / "churn" / "champion").unlink()
    with running(create_app(Settings(registry=tmp_path))) as client:
        client.wait_until_loaded()
        model = client.get("/v1/models/churn").json()
        assert model["champion"] is None
        assert model["reason"] == "no version is promoted; run `propense promote churn VERSION`"
        problem(client.predict("churn", ASK), 503, "model-not-in-service")
        assert client.predict("churn", ASK, version=1).status_code == 200


def test_until_the_models_are_loaded_the_service_is_live_and_not_ready(
    registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def wait_and_read(folder: Path, *, name: str, version: int) -> Checkpoint:
        if name == "churn":
            go_on.wait()
        return read_checkpoint(folder, name=name, version=version)

    monkeypatch.setattr("app.versions.loader.read_checkpoint", wait_and_read)
    with running(create_app(Settings(registry=registry))) as client:
        try:
            while not client.get("/v1/models").json()["models"]:  # the broken one comes first
                time.sleep(0.005)
            assert client.get("/health/live").status_code == 200
            answer = client.get("/health/ready")
            assert problem(answer, 503, "not-ready")["detail"] == "the models are still being loaded"
            assert answer.headers["retry-after"] == "1"
            answer = client.predict("churn", ASK)
            problem(answer, 503, "not-ready")
            assert answer.headers["retry-after"] == "1"
        finally:
            go_on.set()
        assert client.wait_until_loaded().predict("churn", ASK).status_code == 200


def test_a_version_published_later_can_be_pinned_without_a_restart(tmp_path: Path) -> None:
    publish(tmp_path, "churn", TABLE_SCHEMA, TABLE_TASK)
    with running(create_app(Settings(registry=tmp_path))) as client:
        client.wait_until_loaded()
        assert client.predict("churn", ASK, version=2).status_code == 404
        publish(tmp_path, "churn", TABLE_SCHEMA, TABLE_TASK, seed=1)
        assert client.predict("churn", ASK, version=2).json()["version"] == 2
        assert client.predict("churn", ASK).json()["version"] == 1


def test_a_pinned_version_that_is_broken_is_refused_until_it_is_mended(tmp_path: Path) -> None:
    for seed in (0, 1):
        publish(tmp_path, "churn", TABLE_SCHEMA, TABLE_TASK, seed=seed)
    manifest = Registry(tmp_path).folder("churn", 2) / "manifest.json"
    whole = manifest.read_text()
    manifest.write_text("{}")
    with running(create_app(Settings(registry=tmp_path))) as client:
        client.wait_until_loaded()
        body = problem(client.predict("churn", ASK, version=2), 503, "model-not-in-service")
        assert body["detail"] == "churn version 2 is not in service; the log of the service says why"
        assert client.predict("churn", ASK).status_code == 200
        manifest.write_text(whole)
        assert client.predict("churn", ASK, version=2).json()["version"] == 2
