"""A champion that is replaced while the service answers."""

import asyncio
import gc
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.main import create_app
from app.observe.metrics import Metrics
from app.settings import Settings
from app.versions.models import Models
from model.predictor import Predictions, Predictor
from model.store.registry import Registry
from model.values.rows import RequestRows
from tests.app.client import running
from tests.app.routes.test_health import sample
from tests.app.toys import TABLE_SCHEMA, TABLE_TASK, publish
from tests.app.versions.watched import ASK, SOON, answers, churn, count_reads, service, until


def test_a_promoted_version_takes_over_and_a_rolled_back_one_again(three_versions: Path) -> None:
    registry = Registry(three_versions)
    with service(three_versions) as client:
        first = client.predict("churn", ASK).json()["predictions"]
        registry.promote("churn", 2)
        until(lambda: answers(client, 2))
        assert client.predict("churn", ASK).json()["predictions"] != first
        assert churn(client) == (2, 2, None)
        registry.rollback("churn")
        until(lambda: answers(client, 1))
        assert client.predict("churn", ASK).json()["predictions"] == first


def test_a_rollback_by_hand_takes_effect_by_itself(three_versions: Path) -> None:
    Registry(three_versions).promote("churn", 2)
    with running(create_app(Settings(registry=three_versions))) as client:
        client.wait_until_loaded()
        assert answers(client, 2)
        (three_versions / "churn" / "champion").write_text("1\n")
        until(lambda: answers(client, 1))


def test_a_new_version_never_takes_over_by_itself(
    three_versions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with service(three_versions) as client:
        read = count_reads(monkeypatch)
        publish(three_versions, "churn", TABLE_SCHEMA, TABLE_TASK, seed=9)
        until(lambda: 4 in client.get("/v1/models/churn").json()["versions"])
        time.sleep(0.05)
        assert answers(client, 1)
        assert read == []


def score_of(answer: Any) -> float:
    return float(answer["predictions"][0]["probability"])


@pytest.mark.parametrize("n_swaps", [20, pytest.param(100, marks=pytest.mark.heavy)], ids=["some", "many"])
def test_no_request_fails_while_versions_are_swapped(three_versions: Path, n_swaps: int) -> None:
    registry = Registry(three_versions)
    with service(three_versions) as client:
        scores = {v: score_of(client.predict("churn", ASK, version=v).json()) for v in (1, 2, 3)}
        assert np.diff(sorted(scores.values())).min() > 1e-3  # so that a score tells its version
        over = threading.Event()

        def ask() -> list[int]:
            seen = []
            while not over.is_set():
                answer = client.predict("churn", ASK)
                assert answer.status_code == 200, answer.text
                told = answer.json()
                assert score_of(told) == pytest.approx(scores[told["version"]], abs=1e-6)
                seen.append(told["version"])
            return seen

        with ThreadPoolExecutor(4) as pool:
            clients = [pool.submit(ask) for _ in range(4)]
            try:
                for swap in range(n_swaps):
                    version = (2, 3, 1)[swap % 3]
                    registry.promote("churn", version)
                    until(partial(answers, client, version))
            finally:
                over.set()
            for one in clients:
                assert {*one.result()} == {1, 2, 3}


def test_metrics_name_the_version_that_answers(three_versions: Path) -> None:
    series = [f'propense_model_info{{model="churn",version="{version}"}}' for version in (1, 2)]
    with service(three_versions) as client:
        assert [sample(client, one) for one in series] == [1, 0]
        Registry(three_versions).promote("churn", 2)
        until(lambda: answers(client, 2))
        assert [sample(client, one) for one in series] == [0, 1]


def test_a_request_is_answered_by_the_version_that_it_began_with(
    three_versions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits in the old version's queue while that goes out of service."""
    go_on, score = threading.Event(), Predictor.predict_rows

    def held(self: Predictor, rows: RequestRows) -> Predictions:
        if self.manifest.version == 1:
            go_on.wait(SOON)
        return score(self, rows)

    with service(three_versions) as client, ThreadPoolExecutor(2) as pool:
        monkeypatch.setattr(Predictor, "predict_rows", held)
        asked = [pool.submit(client.predict, "churn", ASK) for _ in range(2)]
        time.sleep(0.05)
        Registry(three_versions).promote("churn", 2)
        until(lambda: churn(client)[1] == 2)
        assert not any(one.done() for one in asked)
        go_on.set()
        assert [one.result().json()["version"] for one in asked] == [1, 1]


def test_swapped_out_versions_leave_nothing_behind(three_versions: Path) -> None:
    async def swap() -> list[object]:
        models = Models(Settings(registry=three_versions, watch_seconds=0), Metrics())
        await models.run()
        old: list[weakref.ref[object]] = []
        for n in range(10):
            old += [weakref.ref(one) for one in (models.served()[0], models.served()[0].predictor)]
            Registry(three_versions).promote("churn", (2, 3, 1)[n % 3])
            await models.reload("churn")
        await asyncio.sleep(0.1)  # the thread that loaded the last one lets go of what it was given
        gc.collect()
        return [version for one in old if (version := one())]

    assert asyncio.run(swap()) == []
