from pathlib import Path
from typing import Any

import pytest

from model.predictor import load_predictor
from model.store.registry import Registry
from model.times import parse_time
from model.values.rows import customers_from_rows
from tests.app.client import Client
from tests.app.toys import AS_OF, CONTRACTS

EVENT = {"date": "1997-03-01", "amount": 12.5, "kind": "buy", "shop": "north"}


def probabilities(client: Client, name: str, rows: list[dict[str, Any]], **options: Any) -> list[float]:
    answer = client.predict(name, {"as_of": AS_OF, "customers": rows}, **options)
    assert answer.status_code == 200, answer.text
    return [round(one["probability"], 6) for one in answer.json()["predictions"]]


SAME = 2e-6  # of float32 in a batch of another size, rounded


def test_a_table_model_answers_with_a_probability(client: Client) -> None:
    answer = client.predict("churn", {"as_of": AS_OF, "customers": [{"Total Charges": 3}]})
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    (prediction,) = body.pop("predictions")
    assert body == {"model": "churn", "version": 1, "as_of": "1997-12-31"}
    assert prediction.keys() == {"customer_id", "probability"}
    assert 0 < prediction["probability"] < 1


def test_a_log_model_answers_by_horizon_and_the_longest_is_the_probability(client: Client) -> None:
    row = {"customer_id": "17", "tenure": 3, "events": [EVENT]}
    (prediction,) = client.predict("purchase", {"as_of": AS_OF, "customers": [row]}).json()["predictions"]
    assert prediction["customer_id"] == "17"
    assert list(prediction["horizons"]) == ["30", "90"]
    assert prediction["horizons"]["30"] < prediction["horizons"]["90"] == prediction["probability"]


def test_the_answer_is_what_the_predictor_says(client: Client, registry: Path) -> None:
    rows = [{"tenure": float(n), "events": [{**EVENT, "amount": float(n)}] * (n % 3)} for n in range(20)]
    predictor = load_predictor(Registry(registry).folder("purchase", 1))
    customers = customers_from_rows(rows, predictor.manifest.schema_, parse_time(AS_OF))
    answer = client.predict("purchase", {"as_of": AS_OF, "customers": rows}).json()
    said = [one["probability"] for one in answer["predictions"]]
    assert said == pytest.approx(predictor.predict(customers).probabilities[:, -1].tolist(), abs=1e-6)


def test_rows_keep_their_order_and_a_neighbour_changes_nothing(client: Client) -> None:
    rows = [{"Total Charges": float(n), "contract": CONTRACTS[n]} for n in range(40)]
    together = probabilities(client, "churn", rows)
    assert probabilities(client, "churn", rows[::-1]) == pytest.approx(together[::-1], abs=SAME)
    alone = [probabilities(client, "churn", [row])[0] for row in rows[:5]]
    assert alone == pytest.approx(together[:5], abs=SAME)
    assert len(set(together)) == len(rows)


def test_a_large_body_is_answered_like_a_small_one(client: Client) -> None:
    rows = [{"Total Charges": float(n % 7), "contract": CONTRACTS[n % 60]} for n in range(1_500)]
    large = probabilities(client, "churn", rows)
    assert large[:60] == pytest.approx(probabilities(client, "churn", rows[:60]), abs=SAME)
    assert len(large) == 1_500


@pytest.mark.parametrize("field", ["Total Charges", "contract", "copy", "_senior", "since", "bill_1"])
def test_null_is_the_same_as_left_out(client: Client, field: str) -> None:
    row = {
        "Total Charges": 9.0,
        "contract": "contract 3",
        "copy": True,
        "_senior": True,
        "since": "1996-01-01",
        "bill_1": 1.0,
    }
    without = {name: value for name, value in row.items() if name != field}
    null, absent, given = probabilities(client, "churn", [{**row, field: None}, without, row])
    assert null == absent != given


def test_events_may_be_null_absent_or_none(client: Client) -> None:
    assert len(set(probabilities(client, "purchase", [{"events": None}, {}, {"events": []}]))) == 1


def test_a_category_never_seen_is_accepted_and_differs_from_a_missing_one(client: Client) -> None:
    one, other, missing = probabilities(
        client, "churn", [{"contract": "who knows"}, {"contract": "\U0001f600\x00"}, {}]
    )
    assert one == other != missing


def test_a_category_is_spelt_as_in_training(client: Client) -> None:
    spellings = [1, 1.0, "1", " 1 "], [2.5, "2.5"], [True, "true"]
    for same in spellings:
        assert len(set(probabilities(client, "churn", [{"copy": value} for value in same]))) == 1


def test_a_boolean_is_true_or_1(client: Client) -> None:
    yes, one, no, zero = probabilities(client, "churn", [{"_senior": value} for value in (True, 1, False, 0)])
    assert yes == one != no == zero


def test_the_order_of_events_does_not_matter(client: Client) -> None:
    events = [EVENT, {**EVENT, "date": "1997-12-01", "amount": 1}, {"date": "1997-06-01T10:00:00+02:00"}]
    rows = [{"events": events}, {"events": events[::-1]}]
    assert len(set(probabilities(client, "purchase", rows))) == 1


def test_events_after_as_of_are_not_read(client: Client) -> None:
    known, more = [{"events": [EVENT]}], [{"events": [EVENT, {**EVENT, "date": "1998-01-01"}]}]
    assert probabilities(client, "purchase", known) == probabilities(client, "purchase", more)


def test_as_of_moves_the_cutoff_and_is_now_by_default(client: Client) -> None:
    row = {"events": [EVENT]}
    earlier = client.predict("purchase", {"as_of": "1997-04-01T12:00:00+02:00", "customers": [row]}).json()
    assert earlier["as_of"] == "1997-04-01T10:00:00Z"
    assert earlier["predictions"][0]["probability"] != probabilities(client, "purchase", [row])[0]
    for body in ({"customers": [row]}, {"as_of": None, "customers": [row]}):
        assert client.predict("purchase", body).json()["as_of"] > "2024"


def test_ids_come_back_as_they_were_sent(client: Client) -> None:
    rows = [{"customer_id": id_} for id_ in ("17", 17, None, "größer", "17")] + [{}]
    answer = client.predict("purchase", {"customers": rows}).json()
    assert [p["customer_id"] for p in answer["predictions"]] == ["17", 17, "3", "größer", "17", "6"]


def test_a_version_in_the_path_is_pinned(client: Client) -> None:
    row: dict[str, Any] = {"Total Charges": 3.0}
    champion, first, second = (
        client.predict("churn", {"as_of": AS_OF, "customers": [row]}, version=version).json()
        for version in (None, 1, 2)
    )
    assert champion == first
    assert second["version"] == 2
    assert second["predictions"] != first["predictions"]


def test_the_example_of_each_model_works_as_it_stands(client: Client) -> None:
    for name in ("churn", "purchase"):
        example = client.get(f"/v1/models/{name}").json()["example"]
        assert client.predict(name, example).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'],
)
def test_json_may_be_announced_in_these_ways(client: Client, content_type: str) -> None:
    answer = client.predict("churn", b'{"customers": [{}]}', headers={"content-type": content_type})
    assert answer.status_code == 200
