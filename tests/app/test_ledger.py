"""A service that records what it answers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from app.settings import Settings
from model.errors import LedgerError
from model.ledger.ledger import Ledger
from model.predictor import load_predictor
from model.store.registry import Registry
from tests.app.client import JSON, Client, running
from tests.app.routes.test_health import sample
from tests.app.toys import AS_OF
from tests.model.ledger.build import KEY, recorded

ASK: dict[str, Any] = {
    "as_of": AS_OF,
    "customers": [{"customer_id": "a", "Total Charges": 3}, {"Total Charges": 4}, {"customer_id": 7}],
}


@contextmanager
def recording(registry: Path, root: Path) -> Iterator[Client]:
    """A client of a service; at the end all is recorded."""
    settings = Settings(registry=registry, watch_seconds=0, ledger=root, ledger_key=KEY.secret.hex())
    with running(create_app(settings)) as client:
        yield client.wait_until_loaded()


def test_what_is_answered_is_recorded(registry: Path, tmp_path: Path) -> None:
    with recording(registry, tmp_path) as client:
        answer = client.predict("churn", ASK).json()
        client.predict("churn", ASK, version=2)
        assert client.predict("churn", {"customers": [{"nothing": 1}]}).status_code == 422
    ledger = Ledger.of(tmp_path, "churn", KEY)
    assert recorded(ledger, "a", "7") == {"a": 2, "7": 2}
    rows = {(row["version"], row["pseudonym"]): row for row in ledger.read().table.to_pylist()}
    own = rows[answer["version"], KEY.pseudonyms(["7"])[0]]
    assert own["probability"] == answer["predictions"][2]["probability"]
    assert (own["as_of"].date().isoformat(), own["eligible"]) == (AS_OF, None)


def test_a_model_of_events_has_horizons_and_who_is_eligible(registry: Path, tmp_path: Path) -> None:
    golden = load_predictor(Registry(registry).folder("purchase", 1)).manifest.golden
    with recording(registry, tmp_path) as client:
        asked = {"as_of": golden.as_of, "customers": golden.customers}
        answer = client.predict("purchase", asked).json()
    table = Ledger.of(tmp_path, "purchase", KEY).read().table.to_pylist()
    pseudonyms = KEY.pseudonyms(one["customer_id"] for one in answer["predictions"])
    found = {row["pseudonym"]: row for row in table}
    for pseudonym, one in zip(pseudonyms, answer["predictions"], strict=True):
        row = found[pseudonym]
        assert row["eligible"] == one["eligible"]
        assert {name: row[f"probability_{name}d"] for name in one["horizons"]} == one["horizons"]


def test_a_request_that_is_sent_again_is_one_record(registry: Path, tmp_path: Path) -> None:
    now = {"customers": ASK["customers"]}  # another instant at each request
    with recording(registry, tmp_path) as client:
        for key in ("one", "one", "two"):
            client.predict("churn", now, headers={**JSON, "Idempotency-Key": key})
        client.predict("churn", now)
    assert recorded(Ledger.of(tmp_path, "churn", KEY), "a") == {"a": 3, "": 3}


def test_a_file_is_recorded_by_its_process(registry: Path, tmp_path: Path) -> None:
    with recording(registry, tmp_path) as client:
        ndjson = {"Content-Type": "application/x-ndjson"}
        body = b'{"customer_id": "a"}\n{"customer_id": "b", "Total Charges": "x"}\n{"Total Charges": 4}\n'
        answer = client.request("POST", "/v1/models/churn/score", content=body, headers=ndjson)
        assert answer.status_code == 200
        metrics = client.get("/metrics").text
        assert 'propense_ledger_records_total{model="churn",outcome="recorded"} 1.0' in metrics
        assert 'propense_ledger_records_total{model="churn",outcome="without_id"} 1.0' in metrics
    assert recorded(Ledger.of(tmp_path, "churn", KEY), "a", "b") == {"a": 1}


def test_a_ledger_that_cannot_be_written_loses_records_and_no_answer(
    registry: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "churn").touch()  # no folder
    with recording(registry, tmp_path) as client:
        for _ in range(2):
            assert client.predict("churn", ASK).status_code == 200
        lost = 'propense_ledger_records_total{model="churn",outcome="lost"}'
        while sample(client, lost) != 4:
            pass
    assert sum("records of churn are lost" in message for message in caplog.messages) == 1


def test_a_service_does_not_start_with_a_key_that_others_can_read(registry: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.touch(mode=0o644)
    os.chmod(key, 0o644)  # noqa: PTH101 - whatever the umask is
    settings = Settings(registry=registry, ledger=tmp_path / "ledger", ledger_key=str(key))
    with pytest.raises(LedgerError, match="only its owner may read"):
        create_app(settings)
