"""A model whose requests are answered in the event loop: alone, together, and beside bad and large ones."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from app.settings import Settings
from model.predictor import Predictor, load_predictor
from model.store.registry import Registry
from model.times import parse_time
from model.values.rows import rows_from_json
from tests.app.client import running
from tests.app.toys import AS_OF, TABLE_SCHEMA, TABLE_TASK, publish

NAME = "churn"
SAME = 1e-6


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with an mlp model of a table."""
    root = tmp_path_factory.mktemp("quick")
    publish(root, NAME, TABLE_SCHEMA, TABLE_TASK)
    return root


@pytest.fixture(scope="module")
def predictor(quick: Path) -> Predictor:
    loaded = load_predictor(Registry(quick).folder(NAME, 1))
    assert loaded.encoder
    return loaded


def customers(n: int) -> list[dict[str, Any]]:
    """Each another."""
    return [
        {
            "customer_id": f"c{i}",
            "Total Charges": i / 7,
            "contract": f"contract {i % 70}",
            "bill_1": float(i % 9),
        }
        for i in range(n)
    ]


def wanted(predictor: Predictor, asked: list[dict[str, Any]]) -> list[float]:
    rows = rows_from_json(
        [{k: v for k, v in c.items() if k != "customer_id"} for c in asked], TABLE_SCHEMA, parse_time(AS_OF)
    )
    told: list[float] = predictor.predict_rows(rows).probabilities[:, -1].tolist()
    return told


def question(asked: list[dict[str, Any]]) -> dict[str, Any]:
    return {"as_of": AS_OF, "customers": asked}


def told(answer: Any) -> dict[str, float]:
    assert answer.status_code == 200, answer.text
    return {one["customer_id"]: one["probability"] for one in answer.json()["predictions"]}


def test_many_at_once_get_their_own_answers_and_bad_ones_their_faults(
    quick: Path, predictor: Predictor
) -> None:
    asked = customers(200)
    right = {c["customer_id"]: p for c, p in zip(asked, wanted(predictor, asked), strict=True)}
    with (
        running(create_app(Settings(registry=quick, watch_seconds=0))) as client,
        ThreadPoolExecutor(16) as pool,
    ):
        client.wait_until_loaded()

        def ask(at: int) -> None:
            if at % 9 == 5:
                answer = client.predict(NAME, {"customers": [{"bill_1": "x"}]})
                assert answer.status_code == 422
                assert answer.json()["errors"][0]["field"] == "bill_1"
                return
            mine = asked[at : at + 1 + at % 3]
            got = told(client.predict(NAME, question(mine)))
            assert got == {c["customer_id"]: pytest.approx(right[c["customer_id"]], abs=SAME) for c in mine}

        list(pool.map(ask, range(190)))


@pytest.mark.parametrize("n", [1, 300, 9000])
def test_one_few_and_many_customers_are_the_same(quick: Path, predictor: Predictor, n: int) -> None:
    asked = customers(n)
    by_columns = {name: [c[name] for c in asked] for name in asked[0]}
    with running(create_app(Settings(registry=quick, watch_seconds=0))) as client:
        client.wait_until_loaded()
        for body in (question(asked), {"as_of": AS_OF, "columns": by_columns}):
            assert (len(json.dumps(body)) > 1 << 18) == (n == 9000)
            got = told(client.predict(NAME, body))
            assert list(got) == [c["customer_id"] for c in asked]
            assert list(got.values()) == pytest.approx(wanted(predictor, asked), abs=SAME)
        counted = client.get("/metrics").text
        assert f'propense_predictions_total{{model="churn",version="1"}} {2 * n}.0' in counted


def test_few_rows_may_be_all_that_a_request_may_have(quick: Path) -> None:
    with running(create_app(Settings(registry=quick, watch_seconds=0, max_rows=3))) as client:
        client.wait_until_loaded()
        assert len(told(client.predict(NAME, question(customers(3))))) == 3
        assert client.predict(NAME, question(customers(4))).status_code == 413
