import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.app.client import JSON, Client

NUMBER = "a finite number, or null"


def problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """The body of a refusal, once its form was checked."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.content)
    title = kind.replace("-", " ").capitalize()
    assert body.keys() - {"errors"} == {"type", "title", "status", "detail", "instance"}
    assert body["instance"] == f"urn:propense:request:{answer.headers['x-request-id']}"
    assert (body["type"], body["title"], body["status"]) == (f"urn:propense:{kind}", title, status)
    return body


def faults(client: Client, name: str, *rows: Any) -> list[dict[str, Any]]:
    answer = client.predict(name, {"customers": list(rows)})
    errors: list[dict[str, Any]] = problem(answer, 422, "invalid-request")["errors"]
    return errors


def faults_of_text(client: Client, row: str) -> list[dict[str, Any]]:
    answer = client.predict("churn", b'{"customers": [%s]}' % row.encode())
    errors: list[dict[str, Any]] = problem(answer, 422, "invalid-request")["errors"]
    return errors


@pytest.mark.parametrize(
    ("field", "value", "got"),
    [
        ("Total Charges", "5", "a text"),
        ("Total Charges", True, "a boolean"),
        ("Total Charges", [], "a list"),
        ("contract", {}, "an object"),
        ("contract", [1], "a list"),
        ("contract", 1e15, "a number that is too large"),
        ("_senior", 2, "a number"),
        ("_senior", "yes", "a text"),
        ("since", 19970301, "a number"),
        ("since", "01.03.1997", "a text that is no such time"),
        ("since", "", "a text that is no such time"),
        ("bill_2", "x", "a text"),
        ("customer_id", "", "an empty text"),
        ("customer_id", "x" * 257, "a text that is too long"),
        ("customer_id", 1.5, "a number"),
    ],
)
def test_a_value_of_the_wrong_kind_names_row_and_field(
    client: Client, field: str, value: object, got: str
) -> None:
    (fault,) = faults(client, "churn", {}, {field: value})
    assert (fault["row"], fault["field"], fault["got"]) == (2, field, got)
    assert fault["allowed"].endswith(", or null")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "1" * 400])
def test_a_number_that_is_not_finite_is_refused(client: Client, number: str) -> None:
    (fault,) = faults_of_text(client, f'{{"Total Charges": {number}}}')
    assert fault["got"] == "a number that is not finite or too large"
    (fault,) = faults_of_text(client, f'{{"contract": {number}}}')
    assert fault["field"] == "contract"


@pytest.mark.parametrize(("number", "got"), [("1e39", "large"), ("-1e39", "small"), ("9" * 39, "large")])
def test_a_number_beyond_float32_is_refused(client: Client, number: str, got: str) -> None:
    (fault,) = faults_of_text(client, f'{{"Total Charges": {number}}}')
    assert fault == {
        "row": 1,
        "field": "Total Charges",
        "got": f"a number that is too {got}",
        "allowed": NUMBER,
    }


def test_rows_beyond_the_limit_are_not_looked_at(client: Client) -> None:
    rows = [{"Total Charges": "x"}, *[{}] * 2_500, {"Total Charges": "x"}]
    assert [fault["row"] for fault in faults(client, "churn", *rows)] == [1]


def test_every_fault_of_every_row_is_told_at_once(client: Client) -> None:
    listed = faults(client, "churn", {"Total Charges": "x", "bill_1": "y"}, {}, {"since": 3}, 5, None)
    assert [(f["row"], f.get("field"), f["got"]) for f in listed] == [
        (1, "Total Charges", "a text"),
        (1, "bill_1", "a text"),
        (3, "since", "a number"),
        (4, None, "a number"),
        (5, None, "null"),
    ]


def test_the_detail_is_the_first_fault_as_a_sentence(client: Client) -> None:
    body = client.predict("churn", {"customers": [{}, {"Total Charges": "secret"}]}).json()
    assert body["detail"] == f"row 2, Total Charges must be {NUMBER}, got a text"
    assert "secret" not in str(body)


def test_at_most_100_faults_are_listed(client: Client) -> None:
    body = client.predict("churn", {"customers": [{"Total Charges": "x"}] * 300}).json()
    assert len(body["errors"]) == 100
    assert body["detail"].endswith("; the first 100 faults are listed")


@pytest.mark.parametrize(
    ("event", "field", "got"),
    [
        ({"amount": 3}, "date", "nothing"),
        ({"date": None}, "date", "null"),
        ({"date": "soon"}, "date", "a text that is no such time"),
        ({"date": "1997-01-01", "amount": "3"}, "amount", "a text"),
        ({"date": "1997-01-01", "kind": []}, "kind", "a list"),
        (3, None, "a number"),
    ],
)
def test_a_fault_of_an_event_names_row_and_event(
    client: Client, event: Any, field: str | None, got: str
) -> None:
    good = {"date": "1997-01-01"}
    (fault,) = faults(client, "purchase", {}, {"events": [good, event, event]})
    assert (fault["row"], fault["event"], fault.get("field"), fault["got"]) == (2, 2, field, got)


def test_events_must_be_a_list(client: Client) -> None:
    (fault,) = faults(client, "purchase", {"events": {"date": "1997-01-01"}})
    assert fault == {"row": 1, "field": "events", "got": "an object", "allowed": "a list of events or null"}


def test_an_unknown_field_is_refused_with_the_nearest_name(client: Client) -> None:
    (fault,) = faults(client, "purchase", {"tenur": 3})
    assert fault == {
        "row": 1,
        "field": "tenur",
        "got": "an unknown field",
        "allowed": "one of customer_id, tenure, events",
        "hint": "did you mean tenure?",
    }
    (fault,) = faults(client, "purchase", {"events": [{"date": "1997-01-01", "zzzzz": 1}]})
    assert (fault["event"], fault["field"], fault["hint"]) == (1, "zzzzz", "leave it out")
    (fault,) = faults(client, "churn", {"events": []})
    assert fault["field"] == "events"


def test_a_misspelt_field_of_the_body_is_refused(client: Client) -> None:
    body = problem(client.predict("churn", {"customer": [{}]}), 422, "invalid-request")
    assert [(e["field"], e["hint"]) for e in body["errors"]] == [("customer", "did you mean customers?")]
    body = problem(client.predict("churn", {"customers": [{}], "asof": "x"}), 422, "invalid-request")
    assert [(e["field"], e["hint"]) for e in body["errors"]] == [("asof", "did you mean as_of?")]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ([], "the body must be an object with the fields as_of, customers, columns, got a list"),
        ({"customers": []}, "customers must be a list of 1 to 2000 customers, got an empty list"),
        ({"customers": {}}, "customers must be a list of 1 to 2000 customers, got an object"),
        (
            {"as_of": "soon", "customers": [{}]},
            "as_of must be a time in ISO 8601 such as 1997-03-01, or null, got a text that is no such time",
        ),
        (
            {"as_of": "0001-01-01T00:00+14:00", "customers": [{}]},
            "as_of must be a time in ISO 8601 such as 1997-03-01, or null, got a text that is no such time",
        ),
    ],
)
def test_a_fault_of_the_body_itself(client: Client, body: Any, detail: str) -> None:
    assert problem(client.predict("churn", body), 422, "invalid-request")["detail"] == detail


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"customers",
        b'{"customers": [{"contract": "\\ud800"}]}',
        b'{"customers": [{"contract": "\xff"}]}',
        b'{"customers": [{"Total Charges": ' + b"1" * 5_000 + b"}]}",
        b'{"customers": ' + b"[" * 100_000,
        b'{"customers": [{"contract": ' + b"[" * 100_000,
        '{"customers": [{}]}'.encode("utf-16"),
    ],
)
def test_a_body_that_is_no_json(client: Client, body: bytes) -> None:
    detail = problem(client.predict("churn", body), 400, "invalid-json")["detail"]
    assert detail.startswith("the body must be JSON in UTF-8: ")


def test_a_field_of_many_unknown_names_costs_one_error(client: Client) -> None:
    (fault,) = faults(client, "churn", {f"f{n}": 1 for n in range(10_000)})
    assert fault["field"] == "f0"


def test_too_many_customers(client: Client) -> None:
    answer = client.predict("churn", {"customers": [{}] * 2_001})
    detail = problem(answer, 413, "too-many-rows")["detail"]
    assert detail == "customers must be a list of 1 to 2000 customers; send several requests"


def test_a_body_over_the_limit_is_refused_before_it_is_read(client: Client) -> None:
    body = problem(client.predict("churn", b" " * 200_001), 413, "body-too-large")
    assert body["detail"] == "a body may have 200000 bytes; send the customers in several requests"
    assert client.predict("churn", b'{"customers": [{}]}'.ljust(200_000)).status_code == 200


def test_a_body_without_a_length_is_refused_once_it_grows_too_large(client: Client) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 10_000
            yield b" " * 10_000

    answer = client.request("POST", "/v1/models/churn/predict", content=chunks(), headers=JSON)
    problem(answer, 413, "body-too-large")
    assert sent == 210_000


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/csv"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_another_media_type(client: Client, headers: dict[str, str]) -> None:
    problem(client.predict("churn", b'{"customers": [{}]}', headers=headers), 415, "unsupported-media-type")


def test_an_unknown_model_is_told_with_the_nearest_name(client: Client) -> None:
    body = problem(client.predict("churm", {"customers": [{}]}), 404, "unknown-model")
    assert body["detail"] == "there is no model 'churm'; did you mean churn?"
    body = problem(client.get("/v1/models/zzz"), 404, "unknown-model")
    assert body["detail"] == "there is no model 'zzz'; GET /v1/models lists the models"


@pytest.mark.parametrize("name", ["..", "%2e%2e", "%00", "churn%2f1", "%ed%a0%80", "x" * 5_000])
def test_a_name_that_is_none_is_unknown(client: Client, name: str) -> None:
    answer = client.request("POST", f"/v1/models/{name}/predict", json={"customers": [{}]})
    assert answer.status_code == 404
    assert len(json.loads(answer.content)["detail"]) < 400


def test_an_unknown_version_is_told_with_those_there_are(client: Client) -> None:
    body = problem(client.predict("churn", {"customers": [{}]}, version=3), 404, "unknown-version")
    assert body["detail"] == "churn has no version 3; it has 1, 2"


@pytest.mark.parametrize("version", ["0", "-1", "x", "1.5", "9" * 5_000])
def test_a_version_that_is_no_number(client: Client, version: str) -> None:
    answer = client.request("POST", f"/v1/models/churn/versions/{version}/predict", json={"customers": [{}]})
    assert problem(answer, 404, "not-found")["detail"] == "version must be a whole number from 1"


def test_another_path_or_method(client: Client) -> None:
    problem(client.get("/v1/nothing"), 404, "not-found")
    problem(client.get("/v1/models/"), 404, "not-found")
    answer = client.get("/v1/models/churn/predict")
    assert problem(answer, 405, "method-not-allowed")["detail"] == "this path takes POST only"
    assert answer.headers["allow"] == "POST"


def test_a_broken_model_is_not_in_service(client: Client) -> None:
    for version in (None, 1):
        body = problem(
            client.predict("broken", {"customers": [{}]}, version=version), 503, "model-not-in-service"
        )
        assert body["detail"] == "broken is not in service; GET /v1/models/broken says why"


def test_a_byte_order_mark_is_passed_over(client: Client) -> None:
    body = b'\xef\xbb\xbf{"as_of": "1998-01-01", "customers": [{}]}'
    assert client.predict("churn", body).content == client.predict("churn", body[3:]).content


@pytest.mark.parametrize(
    "kind",
    [
        *(
            "application/json; charset=utf8",
            "application/json; charset=UTF-8;",
            "application/json; version=1",
        ),
        *(
            'Application/JSON;charset="utf-8"',
            "application/json;version=1;charset=utf-8",
            "application/json;",
        ),
    ],
)
def test_media_types_are_read_as_clients_write_them(client: Client, kind: str) -> None:
    answer = client.predict("churn", b'{"customers": [{}]}', headers={"content-type": kind})
    assert answer.status_code == 200


@pytest.mark.parametrize(("word", "wanted"), [("True", True), ("1", True), ("False", False), ("0", False)])
def test_a_boolean_is_read_as_clients_write_it(client: Client, word: str, *, wanted: bool) -> None:
    answer = client.predict("churn", {"customers": [{}]}, params={"warnings": word})
    assert ("warnings" in answer.json()["predictions"][0]) is wanted


def test_one_of_the_two_forms_may_be_null(client: Client) -> None:
    forms: tuple[dict[str, Any], ...] = (
        {"customers": [{}], "columns": None},
        {"columns": {"copy": [1]}, "customers": None},
    )
    for body in forms:
        assert client.predict("churn", body).status_code == 200
    problem(client.predict("churn", {"customers": None, "columns": None}), 422, "invalid-request")
