"""What the service makes of a registry that changes under it, for better or worse."""

import logging
import os
import shutil
import time
from pathlib import Path

import pytest

from model.store.registry import Registry
from tests.app.routes.test_health import sample
from tests.app.server.test_refusals import problem
from tests.app.toys import LOG_SCHEMA, LOG_TASK, TABLE_SCHEMA, TABLE_TASK, publish
from tests.app.versions.watched import ASK, answers, churn, count_reads, damage, service, until


def test_a_version_that_fails_stays_out_and_the_old_one_answers(
    three_versions: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = damage(three_versions, 2)
    with service(three_versions) as client:
        read = count_reads(monkeypatch)
        Registry(three_versions).promote("churn", 2)
        until(lambda: churn(client)[0] == 2)
        wanted, serving, reason = churn(client)
        assert (wanted, serving) == (2, 1)
        assert reason.startswith("churn/2/weights.safetensors is damaged")
        assert client.get("/v1/models").json()["models"][0]["reason"] == reason
        assert client.get("/health/ready").status_code == 200
        assert answers(client, 1)
        body = problem(client.predict("churn", ASK, version=2), 503, "model-not-in-service")
        assert body["detail"] == "churn is not in service; GET /v1/models/churn says why"
        time.sleep(0.1)  # many looks
        assert read == [2]
        assert sum("churn 2 does not replace 1: " in message for message in caplog.messages) == 1
        assert sample(client, 'propense_model_load_failures_total{model="churn"}') == 1
        (three_versions / "churn" / "2" / "weights.safetensors").write_bytes(whole)  # mended
        until(lambda: answers(client, 2))
        assert churn(client) == (2, 2, None)


def test_a_version_whose_golden_customers_score_otherwise_stays_out(
    three_versions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with service(three_versions) as client:
        monkeypatch.setattr("model.predictor.TOLERANCE", -1.0)
        Registry(three_versions).promote("churn", 2)
        until(lambda: churn(client)[0] == 2)
        assert churn(client)[1] == 1
        assert "golden customers must get their stored probabilities" in churn(client)[2]


def test_a_copy_that_is_not_whole_is_never_loaded(three_versions: Path, tmp_path: Path) -> None:
    """Files come one after another, and the champion file before all of them."""
    source, target = three_versions / "churn" / "2", three_versions / "churn" / "4"
    shutil.rmtree(three_versions / "churn" / "3")
    source = source.rename(tmp_path / "elsewhere")
    target = three_versions / "churn" / "2"
    with service(three_versions) as client:
        (three_versions / "churn" / "champion").write_text("2\n")
        target.mkdir()
        for file in sorted(source.iterdir()):
            data = file.read_bytes()
            for part in (data[: len(data) // 2], data):
                assert answers(client, 1)
                (target / file.name).write_bytes(part)
                time.sleep(0.03)
        until(lambda: answers(client, 2))


def test_a_name_that_appears_goes_into_service_and_one_that_vanishes_out(
    three_versions: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with service(three_versions) as client:
        publish(three_versions, "purchase", LOG_SCHEMA, LOG_TASK)
        until(lambda: client.predict("purchase", {"customers": [{}]}).status_code == 200)
        shutil.rmtree(three_versions / "churn")
        until(lambda: client.predict("churn", ASK).status_code == 503)
        assert churn(client) == (None, None, "the registry holds it no longer")
        problem(client.predict("churn", ASK, version=1), 503, "model-not-in-service")
        assert client.get("/health/ready").status_code == 200
        assert "churn is not in service: the registry holds it no longer" in caplog.messages
        publish(three_versions, "churn", TABLE_SCHEMA, TABLE_TASK, seed=5)
        until(lambda: client.predict("churn", ASK).status_code == 200)


def test_a_registry_that_is_not_to_be_had_leaves_everything_in_service(
    three_versions: Path, caplog: pytest.LogCaptureFixture
) -> None:
    aside = three_versions.with_name("aside")
    with service(three_versions) as client:
        three_versions.rename(aside)
        said = "what is in service stays: there is no registry at"
        until(lambda: any(said in message for message in caplog.messages))
        three_versions.mkdir()  # as where a disk was mounted
        said = f"what is in service stays: the registry {three_versions} is empty, as if it were not mounted"
        until(lambda: said in caplog.messages)
        assert answers(client, 1)
        assert client.get("/health/ready").status_code == 200
        three_versions.rmdir()
        aside.rename(three_versions)
        Registry(three_versions).promote("churn", 2)
        until(lambda: answers(client, 2))
        assert caplog.messages.count(said) == 1


@pytest.mark.parametrize("text", ["", "two", "7", None])
def test_a_champion_file_that_names_no_version_changes_nothing(
    three_versions: Path, text: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    champion = three_versions / "churn" / "champion"
    with service(three_versions) as client:
        if text is None:
            champion.unlink()
        else:
            champion.write_text(text)
        until(lambda: churn(client)[0] is None)
        assert churn(client)[1] == 1
        assert "`propense promote churn VERSION`" in churn(client)[2]
        assert str(three_versions) not in churn(client)[2]
        assert answers(client, 1)
        assert any(m.startswith("churn stays in service as version 1: ") for m in caplog.messages)


def test_the_same_files_touched_are_verified_and_go_on_answering(
    three_versions: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="app")
    with service(three_versions) as client:
        read = count_reads(monkeypatch)
        os.utime(three_versions / "churn" / "1" / "manifest.json")
        until(lambda: read == [1])
        damage(three_versions, 1)
        until(lambda: churn(client)[2] is not None)
        assert churn(client)[:2] == (1, 1)
        assert answers(client, 1)
        assert caplog.messages.count("models in service: churn 1") == 1


def test_a_look_that_fails_in_an_unexpected_way_is_not_the_last(
    three_versions: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Registry) -> list[str]:
        raise ZeroDivisionError

    with service(three_versions) as client:
        with monkeypatch.context() as patch:
            patch.setattr(Registry, "names", fail)
            until(lambda: "the registry could not be looked at" in caplog.messages)
        Registry(three_versions).promote("churn", 2)
        until(lambda: answers(client, 2))
