"""Texts that are strange, and keys that stand twice."""

import json
import time

import pytest

from tests.app.abuse.conftest import Target
from tests.app.abuse.wire import ask, posted, predict, refused, scores
from tests.app.process import HANGS

STRANGE = {
    "nul": "\0",
    "controls": "\x01\x1b[31m\x7f\x85",
    "emoji": "👩‍👩‍👧‍👦",
    "right to left": "\u202e\u05ea\u05d5\u05db\u05df\u202c",
    "line breaks": "a\r\n\u2028b",
    "noncharacters": "\uffff\U0010ffff",
    "a million": "x" * 1_000_000,
    "a million of four bytes": "🦄" * 250_000,
}


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE.keys())
def test_a_strange_category_counts_as_unknown(target: Target, text: str) -> None:
    def score(category: str) -> float:
        asked = {"as_of": "1997-12-31", "customers": [{"contract": category, "copy": category}]}
        (probability,) = scores(predict(target.port, json.dumps(asked, ensure_ascii=False).encode()))
        return probability

    assert score(text) == score("never seen")


def test_a_strange_id_comes_back_as_it_was_sent(target: Target) -> None:
    for text in STRANGE.values():
        if 0 < len(text) <= 256:
            body = json.dumps({"customers": [{"customer_id": text}]}, ensure_ascii=False).encode()
            assert json.loads(predict(target.port, body).body)["predictions"][0]["customer_id"] == text


@pytest.mark.parametrize(
    "text",
    [b"\\ud800", b"\\udc00", b"\\ud800\\ud800", b"\xed\xa0\x80", b"\xc0\xaf", b"\xff", b"\xf5\x80\x80\x80"],
)
@pytest.mark.parametrize(
    "body",
    [
        b'{"customers": [{"contract": "%s"}]}',
        b'{"customers": [{"customer_id": "%s"}]}',
        b'{"customers": [{"since": "%s"}]}',
        b'{"customers": [{"%s": 1}]}',
        b'{"columns": {"contract": ["%s"]}}',
        b'{"as_of": "%s", "customers": [{}]}',
    ],
)
def test_a_text_that_is_no_unicode_is_refused(target: Target, text: bytes, body: bytes) -> None:
    refused(predict(target.port, body % text), 400)


@pytest.mark.parametrize(
    ("name", "body", "place"),
    [
        ("churn", b'{"customers": [{}], "customers": [{}]}', (None, None, "customers")),
        ("churn", b'{"as_of": null, "as_of": null, "customers": [{}]}', (None, None, "as_of")),
        ("churn", b'{"customers": [{}, {"bill_1": 1, "bill_1": 1}]}', (2, None, "bill_1")),
        ("churn", b'{"customers": [{"bill_1": 1, "bill\\u005f1": 2}]}', (1, None, "bill_1")),
        ("churn", b'{"columns": {"bill_1": [1], "bill_1": [2]}}', (None, None, "bill_1")),
        (
            "purchase",
            b'{"customers": [{"events": [{"date": "1997-01-01", "amount": 1, "amount": 2}]}]}',
            (1, 1, "amount"),
        ),
        (
            "purchase",
            b'{"columns": {"events": [[], [{"date": "1997-01-01", "kind": "a:b", "kind": ":"}]]}}',
            (2, 1, "kind"),
        ),
    ],
)
def test_a_key_that_stands_twice_is_refused(
    target: Target, name: str, body: bytes, place: tuple[int | None, int | None, str]
) -> None:
    (fault,) = refused(predict(target.port, body, name), 422)["errors"]
    assert (fault.get("row"), fault.get("event"), fault["field"]) == place
    assert fault["got"] == "the field twice"


@pytest.mark.parametrize("name", ["k" * 1_000_000, "\0", "🦄", "__proto__", "__class__", "{0}", "%s", ""])
def test_a_strange_field_is_refused_and_shown_in_part(target: Target, name: str) -> None:
    body = json.dumps({"customers": [{}, {name: 1}]}).encode()
    (fault,) = refused(predict(target.port, body), 422)["errors"]
    assert (fault["row"], fault["field"], fault["got"]) == (2, name[:64], "an unknown field")


@pytest.mark.parametrize("id_", ["a b", "x" * 65, "\xff", "a;b", '"', "{}", "\\n", "id\tid"])
def test_a_strange_request_id_is_replaced(target: Target, id_: str) -> None:
    answer = ask(target.port, posted(b"{}", f"X-Request-ID: {id_}"))
    refused(answer, 422)
    assert answer.headers["x-request-id"].isalnum()
    assert len(answer.headers["x-request-id"]) == 16


def test_the_log_stays_json_and_shows_no_customer(target: Target) -> None:
    secret = 's3cret\n\r\u2028\\"'
    body = json.dumps({"customers": [{"bill_1": secret, "contract": secret}]}).encode()
    time.sleep(1.1)  # of all the refusals before, the log may have written as many as it does in a second
    id_ = refused(predict(target.port, body), 422)["instance"].rpartition(":")[2]
    until = time.monotonic() + HANGS
    while not any(id_ in line for line in target.log) and time.monotonic() < until:
        time.sleep(0.01)
    lines = [json.loads(line) for line in target.log]
    assert [line["status"] for line in lines if line.get("request_id") == id_] == [422]
    assert "s3cret" not in json.dumps(lines)
