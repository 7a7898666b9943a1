"""`?reasons=3`: why a customer has its probability."""

import math
from typing import Any

import pytest

from tests.app.client import Client
from tests.app.server.test_refusals import problem

CUSTOMERS: dict[str, list[dict[str, Any]]] = {
    "churn": [{"Total Charges": 11, "contract": "weekly"}, {"bill_1": 3}],
    "purchase": [{"tenure": 3, "events": [{"date": "19971229", "kind": "buy", "amount": 99}]}],
}


def ask(client: Client, name: str, query: str, body: dict[str, Any]) -> Any:
    return client.request("POST", f"/v1/models/{name}/predict{query}", json={"as_of": "1997-12-31", **body})


def logit(p: float) -> float:
    return math.log(p / (1 - p))


@pytest.mark.parametrize("name", CUSTOMERS)
def test_all_reasons_sum_to_the_difference_from_a_typical_customer(client: Client, name: str) -> None:
    told = ask(client, name, "?reasons=10&warnings=true", {"customers": CUSTOMERS[name]}).json()
    bases = []
    for one in told["predictions"]:
        assert "warnings" in one
        assert {"group", "logit", "points", "input", "has", "usual", "text"} == one["reasons"][0].keys()
        sizes = [abs(reason["logit"]) for reason in one["reasons"]]
        assert sizes == sorted(sizes, reverse=True)
        bases.append(logit(one["probability"]) - sum(reason["logit"] for reason in one["reasons"]))
    assert bases == pytest.approx([bases[0]] * len(bases), abs=1e-6)


def test_columns_have_the_same_reasons(client: Client) -> None:
    columns = {"Total Charges": [11, None], "contract": ["weekly", None], "bill_1": [None, 3]}
    by_row, by_column = (
        [one["reasons"] for one in ask(client, "churn", "?reasons=1", body).json()["predictions"]]
        for body in ({"customers": CUSTOMERS["churn"]}, {"columns": columns})
    )
    assert by_row == by_column
    assert [len(reasons) for reasons in by_row] == [1, 1]


def test_too_many_customers_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.request.reasons.MOST_MIXTURES", 1)
    body = problem(ask(client, "churn", "?reasons=1", {"customers": [{}, {}]}), 422, "invalid-request")
    assert body["detail"] == "a request for reasons may have 1 customers, got 2; send fewer at a time"
    assert ask(client, "churn", "?reasons=1", {"customers": [{}]}).status_code == 200


def test_nobody_gets_reasons_who_did_not_ask(client: Client) -> None:
    (told,) = ask(client, "churn", "", {"customers": [{}]}).json()["predictions"]
    assert "reasons" not in told
