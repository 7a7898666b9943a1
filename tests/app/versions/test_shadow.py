"""A challenger that scores what the champion has answered."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from app.settings import Settings, explain
from app.versions import shadow as module
from app.versions.shadow import reshaped
from model.predictor import Predictions, Predictor
from model.schema import CategoricalColumn, Schema
from model.store.registry import Registry
from model.times import parse_time
from model.values.rows import RequestRows, rows_from_json
from tests.app.client import Client
from tests.app.routes.test_health import sample
from tests.app.toys import LOG_SCHEMA, LOG_TASK, TABLE_SCHEMA, TABLE_TASK, publish
from tests.app.versions.watched import SOON, answers, service, until

ASK: dict[str, Any] = {
    "as_of": "1997-12-31",
    "customers": [{"customer_id": "secret", "Total Charges": charges} for charges in (3, None, 8)],
}
MODEL = {"model": "churn", "version": 1, "shadow_version": 2}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAIT_S", 0.02)


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The fields of every line about a batch."""
    return [vars(record)["fields"] for record in caplog.records if record.message == "scored in the shadow"]


@contextmanager
def shadowed(registry: Path, caplog: pytest.LogCaptureFixture, shadow: str = "churn:2") -> Iterator[Client]:
    """A client of a service whose shadow is there."""
    caplog.set_level(logging.INFO, logger="app")
    with service(registry, shadow=shadow) as client:
        name, _, version = shadow.partition(":")
        until(lambda: f"{name} {version} scores in the shadow of the champion" in caplog.messages)
        yield client


def failed(client: Client, n: int) -> bool:
    return sample(client, counted("failed")) == n


def counted(outcome: str) -> str:
    return f'propense_shadow_customers_total{{model="churn",outcome="{outcome}",version="2"}}'


def hold(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Have version 2 do something before it scores."""
    score = Predictor.predict_rows

    def held(self: Predictor, rows: RequestRows) -> Predictions:
        if self.manifest.version == 2:
            act()
        return score(self, rows)

    monkeypatch.setattr(Predictor, "predict_rows", held)


def test_its_scores_are_logged_and_counted_and_never_answered(
    three_versions: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with shadowed(three_versions, caplog) as client:
        challenger = client.predict("churn", ASK, version=2).json()
        assert lines(caplog) == []  # who asks for another version is not asked about
        answer = client.predict("churn", ASK, headers={"x-request-id": "mine"})
        assert answer.json()["version"] == 1
        until(lambda: len(lines(caplog)) == 1)
        ours, theirs = (
            np.array([p["probability"] for p in told["predictions"]]) for told in (answer.json(), challenger)
        )
        difference = np.abs(ours - theirs)
        assert difference.min() > 0
        assert lines(caplog) == [
            {
                **MODEL,
                "n": 3,
                "mean": pytest.approx(ours.mean(), abs=1e-6),
                "shadow_mean": pytest.approx(theirs.mean(), abs=1e-6),
                "mean_absolute_difference": pytest.approx(difference.mean(), abs=1e-6),
                "request_ids": ["mine"],
            }
        ]
        assert "secret" not in repr([vars(record) for record in caplog.records])
        assert sample(client, counted("scored")) == 3
        total = sample(client, 'propense_shadow_difference_total{model="churn",version="2"}')
        assert total == pytest.approx(difference.sum())


def test_many_requests_make_one_line(three_versions: Path, caplog: pytest.LogCaptureFixture) -> None:
    with shadowed(three_versions, caplog) as client:
        sent = [f"id-{n}" for n in range(20)]
        for id_ in sent:
            assert client.predict("churn", ASK, headers={"x-request-id": id_}).status_code == 200
        until(lambda: sum(line["n"] for line in lines(caplog)) == 60)
        assert [id_ for line in lines(caplog) for id_ in line["request_ids"]] == sent
        assert len(lines(caplog)) < 20


def test_it_delays_no_answer_and_drops_what_it_cannot_keep_up_with(
    three_versions: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_MOST_ROWS", 6)  # of two requests
    go_on = threading.Event()
    with shadowed(three_versions, caplog) as client:
        hold(monkeypatch, lambda: go_on.wait(SOON))
        for _ in range(5):
            assert client.predict("churn", ASK).status_code == 200
        assert lines(caplog) == []
        assert sample(client, counted("dropped")) == 9
        go_on.set()
        until(lambda: sample(client, counted("scored")) == 6)
        client.predict("churn", ASK)  # there is room again
        until(lambda: sample(client, counted("scored")) == 9)


def test_a_challenger_that_fails_says_so_once(
    three_versions: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with shadowed(three_versions, caplog) as client:
        hold(monkeypatch, fail)
        for n in range(1, 4):
            assert client.predict("churn", ASK).status_code == 200
            until(partial(failed, client, 3 * n))
    assert caplog.messages.count("churn 2 fails in the shadow") == 1


def test_a_challenger_that_cannot_be_loaded_says_so_and_is_tried_again_once_it_is_there(
    three_versions: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="app")
    aside = (three_versions / "churn" / "2").rename(tmp_path / "aside")
    with service(three_versions, shadow="churn:2,nobody:1") as client:
        until(lambda: any(m.startswith("nobody 1 cannot be a shadow: ") for m in caplog.messages))
        time.sleep(0.05)  # several looks
        assert client.predict("churn", ASK).status_code == 200
        assert caplog.messages.count("churn 2 cannot be a shadow: churn has no version 2; it has [1, 3]") == 1
        aside.rename(three_versions / "churn" / "2")
        until(lambda: "churn 2 scores in the shadow of the champion" in caplog.messages)
        client.predict("churn", ASK)
        until(lambda: bool(lines(caplog)))


def test_it_stays_through_a_swap_and_rests_while_it_is_champion_itself(
    three_versions: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with shadowed(three_versions, caplog) as client:
        for version in (2, 3):
            Registry(three_versions).promote("churn", version)
            until(partial(answers, client, version))
        client.predict("churn", ASK)
        until(lambda: any(line["version"] == 3 for line in lines(caplog)))
        assert {line["version"] for line in lines(caplog)} <= {1, 3}


def test_a_challenger_may_read_other_fields(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="app")
    fewer = TABLE_SCHEMA.model_copy(update={"columns": TABLE_SCHEMA.columns[2::-1], "series": ()})
    publish(tmp_path, "churn", TABLE_SCHEMA, TABLE_TASK)
    publish(tmp_path, "churn", fewer, TABLE_TASK)
    with shadowed(tmp_path, caplog) as client:
        client.predict("churn", ASK)
        until(lambda: bool(lines(caplog)))
        theirs = client.predict("churn", ASK, version=2).json()["predictions"]
        mean = np.mean([p["probability"] for p in theirs])
        assert lines(caplog)[0]["shadow_mean"] == pytest.approx(mean, abs=1e-6)


def test_a_challenger_of_events(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="app")
    for seed in range(2):
        publish(tmp_path, "purchase", LOG_SCHEMA, LOG_TASK, seed=seed)
    ask = {"customers": [{"tenure": 3, "events": [{"date": "1997-03-01", "kind": "buy", "amount": 2}]}, {}]}
    with shadowed(tmp_path, caplog, "purchase:2") as client:
        client.predict("purchase", ask)
        until(lambda: bool(lines(caplog)))
        theirs = client.predict("purchase", ask, version=2).json()["predictions"]
        mean = np.mean([p["probability"] for p in theirs])
        assert lines(caplog)[0]["shadow_mean"] == pytest.approx(mean, abs=1e-6)


def test_rows_of_one_schema_are_those_of_another() -> None:
    assert LOG_SCHEMA.events
    other = LOG_SCHEMA.model_copy(
        update={
            "columns": (TABLE_SCHEMA.columns[0], *LOG_SCHEMA.columns),
            "events": LOG_SCHEMA.events.model_copy(update={"attributes": ()}),
        }
    )
    event = {"date": "1997-03-01", "kind": "buy", "amount": 2.0, "shop": "north"}
    customers: list[dict[str, Any]] = [{"tenure": 3.0, "events": [event, event]}, {"customer_id": "2"}]
    read = rows_from_json(customers, LOG_SCHEMA, 0)
    for wanted in (LOG_SCHEMA, other):
        told, straight = reshaped(read, LOG_SCHEMA, wanted), rows_from_json(customers, wanted, 0)
        assert told.times == straight.times
        assert list(told.cells) == list(straight.cells)
        assert [list(field) for field in told.events] == [list(field) for field in straight.events]
    back = reshaped(rows_from_json(customers, other, 0), other, LOG_SCHEMA)
    assert [list(field) for field in back.events] == [[2.0, 2.0], ["buy", "buy"], [None, None]]
    bare = reshaped(rows_from_json([{}, {}], TABLE_SCHEMA, 0), TABLE_SCHEMA, LOG_SCHEMA)
    assert (list(bare.lengths), list(bare.times), bare.cells) == ([0, 0], [], [None, None])


def test_a_date_of_one_schema_may_be_a_category_of_the_other() -> None:
    since = TABLE_SCHEMA.columns[4]
    dated = Schema(id=None, columns=(since,))
    named = Schema(id=None, columns=(CategoricalColumn(name="since", vocabulary=()),))
    sent: list[dict[str, Any]] = [{"since": "1996-01-01"}, {"since": None}]
    instants = [parse_time("1996-01-01"), None]
    for read in (dated, named):
        assert list(reshaped(rows_from_json(sent, read, 0), read, dated).dates["since"]) == instants
    back = reshaped(rows_from_json(sent, dated, 0), dated, named)
    assert (list(back.cells), back.dates) == (["1996-01-01", None], {})


@pytest.mark.parametrize("told", ["churn", "churn:0", "churn:two", "../x:1", "churn:1,churn:2", ":1"])
def test_a_shadow_that_is_none_is_refused(told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(shadow=told)
    assert "must be NAME:VERSION with commas between, each NAME once" in explain(refused.value)


def test_shadows_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROPENSE_SHADOW", "churn:2, purchase:13,")
    assert Settings().shadow == {"churn": 2, "purchase": 13}
