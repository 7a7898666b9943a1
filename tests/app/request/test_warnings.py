"""`?warnings=true`: what is odd about a customer."""

from typing import Any

import httpx
import pytest

from tests.app.client import JSON, Client
from tests.app.server.test_refusals import problem

BELOW, ABOVE = "below what training saw", "above what training saw"
NEW = "a category that training never saw"


def ask(
    client: Client, name: str, *customers: dict[str, Any], query: str = "?warnings=true"
) -> httpx.Response:
    body = {"as_of": "1997-12-31", "customers": customers}
    return client.request("POST", f"/v1/models/{name}/predict{query}", json=body)


def warnings(client: Client, name: str, *customers: dict[str, Any]) -> list[list[str]]:
    answer = ask(client, name, *customers)
    assert answer.status_code == 200, answer.text
    return [prediction["warnings"] for prediction in answer.json()["predictions"]]


def test_far_values_and_new_categories_of_a_table(client: Client) -> None:
    told = warnings(
        client,
        "churn",
        {"Total Charges": 11, "contract": "contract 7", "bill_1": 10},
        {"Total Charges": -0.5, "contract": "weekly", "copy": 3},
        {"Total Charges": 0, "bill_2": 5},
        {},
    )
    assert told[0] == [f"Total Charges: {ABOVE}"]
    assert told[1][0] == f"Total Charges: {BELOW}"
    assert [line.split(": ")[0] for line in told[1][1:]] == ["contract", "copy"]
    assert all(line.split(": ")[1].startswith(NEW) for line in told[1][1:])
    assert told[2:] == [[], []]  # what is missing is not odd


def test_far_values_and_new_categories_of_a_log(client: Client) -> None:
    told = warnings(
        client,
        "purchase",
        {"tenure": 11, "events": [{"date": "19971230", "kind": "lease", "amount": 3, "shop": "north"}]},
        {"tenure": 3, "events": [{"date": "19971229", "kind": "buy", "amount": 99, "shop": "north"}]},
        {"tenure": 3, "events": [{"date": "19970101", "kind": "buy", "amount": 5, "shop": "north"}]},
    )
    assert told[0][0] == f"tenure: {ABOVE}"
    assert told[0][1].startswith(f"kind: {NEW}")
    assert told[1] == [f"sum(amount)_365d: {ABOVE}"]
    assert told[2] == [f"recency_days: {ABOVE}"]


def test_a_date_after_as_of_is_told(client: Client) -> None:
    told = warnings(client, "churn", {"since": "1998-06-01"}, {"since": "1997-12-31"}, {})
    assert told[0] == ["since: after as_of, and read as missing"]
    assert not any("after as_of" in line for lines in told[1:] for line in lines)


@pytest.mark.parametrize("query", ["", "?warnings=false"])
def test_nobody_is_warned_who_did_not_ask(client: Client, query: str) -> None:
    (prediction,) = ask(client, "churn", {"Total Charges": 11}, query=query).json()["predictions"]
    assert prediction.keys() == {"customer_id", "probability"}


def test_a_warning_changes_no_probability(client: Client) -> None:
    customers = ({"Total Charges": 11, "contract": "weekly"}, {"bill_1": 3})
    plain, warned = (
        [p["probability"] for p in ask(client, "churn", *customers, query=query).json()["predictions"]]
        for query in ("", "?warnings=true")
    )
    assert plain == warned


@pytest.mark.parametrize(
    "query",
    [
        "?warnings=yes",
        "?warnings=true&warnings=true",
        "?reasons=11",
        "?reasons=3&reasons=3",
        "?reasons=x",
        "?wranings=true",
        "?%00",
    ],
)
def test_another_query_is_refused(client: Client, query: str) -> None:
    body = problem(ask(client, "churn", {}, query=query), 422, "invalid-request")
    assert body["detail"] == (
        "the query may be warnings=true or false and reasons=1 to 10, each once, nothing else"
    )


def test_the_document_says_how_to_ask_and_what_comes(client: Client) -> None:
    document = client.get("/openapi.json").json()
    for path in ("/v1/models/churn/predict", "/v1/models/{name}/versions/{version}/predict"):
        parameters = document["paths"][path]["post"]["parameters"]
        (asked,) = [p for p in parameters if p["name"] == "warnings"]
        assert (asked["in"], asked["schema"]) == ("query", {"type": "boolean", "default": False})
        assert asked["description"]
    told = document["components"]["schemas"]["Prediction"]["properties"]["warnings"]
    assert told["items"] == {"type": "string"}
    assert "warnings=true" in told["description"]
    assert client.predict("churn", {"customers": [{}]}, headers=JSON).status_code == 200


@pytest.mark.parametrize(
    ("contract", "hint"),
    [
        ("contrct 7", "; did you mean contract 7?"),
        ("CONTRACT 7", "; did you mean contract 7?"),
        ("weekly", ""),
        (7, ""),
        ("\0" * 1_000, ""),
    ],
)
def test_a_new_category_is_told_with_the_nearest_known_one(client: Client, contract: Any, hint: str) -> None:
    (told,) = warnings(client, "churn", {"contract": contract})
    assert told == [f"contract: {NEW}{hint}"]


def test_so_many_new_categories_are_compared_and_no_more(client: Client) -> None:
    customers = [{"contract": f"contrct {number}"} for number in range(100)]
    told = [lines[0] for lines in warnings(client, "churn", *customers)]
    hinted = [line.endswith("?") for line in told]
    assert hinted == [True] * 8 + [False] * 92  # each was compared with 60 known ones
