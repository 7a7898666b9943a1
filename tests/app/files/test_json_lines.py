"""NDJSON in, NDJSON out."""

import json
from typing import Any

import pytest

from tests.app.client import Client
from tests.app.files.forms import LOG_SCORES, NDJSON, post, predicted, refusal, scores


def test_a_line_is_a_customer_of_a_request(client: Client) -> None:
    rows: list[dict[str, Any]] = [
        {"customer_id": 17, "tenure": 3, "events": [{"date": "1997-03-01", "amount": 1}]},
        {"customer_id": "18"},
        {},
    ]
    read = scores(client, "\n".join(map(json.dumps, rows)), NDJSON, "purchase")
    assert [row["customer_id"] for row in read] == ["17", "18", "3"]
    assert list(read[0]) == LOG_SCORES
    assert [row["error"] for row in read] == [None] * 3
    wanted = predicted(client, "purchase", rows)
    assert [row["probability"] for row in read] == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    ("line", "id_", "error"),
    [
        ("no", None, "row 2 must be a JSON object, got something else (Input data was truncated"),
        ("{}, {}", None, "row 2 must be a JSON object, got something else (JSON is malformed"),
        ("[]", None, "row 2 must be a JSON object, got something else (Expected `object`, got `array`)"),
        ('{"customer_id": 7, "tenure": "x"}', "7", "row 2, tenure must be a number, got 'x'"),
        ('{"customer_id": 7, "tenure": [1]}', None, "row 2 must have a number, text, boolean or null in"),
        (
            '{"events": [{"date": "1997-01-01"}, {"date": "x"}]}',
            "2",
            "row 2, event 2, date must be a time in the format '%Y%m%d' or ISO 8601, got 'x'",
        ),
        ('{"events": [{"date": ["x"]}]}', "2", "row 2, event 1, date must be a number, text, boolean or"),
        ('{"events": 5}', "2", "row 2, events must be a JSON list of objects, got something else"),
        ('{"events": [{"amount": 5}]}', "2", "row 2, event 1, date must be a time in the format"),
        ('{"tenure": 1e400}', None, "row 2 must be a JSON object, got something else (Number out of range"),
        ("[" * 100_000, None, "row 2 must be a JSON object"),
    ],
)
def test_a_line_at_fault_has_an_error_and_its_neighbours_have_their_scores(
    client: Client, line: str, id_: object, error: str
) -> None:
    good = '{"customer_id": null, "tenure": 3}'
    alone = scores(client, good, NDJSON, "purchase")[0]["probability"]
    first, bad, last = scores(client, f"{good}\n{line}\n{good}", NDJSON, "purchase")
    assert [first["probability"], last["probability"]] == pytest.approx([alone] * 2, abs=1e-6)
    assert first["error"] is last["error"] is None
    assert bad["error"].startswith(error)
    assert (bad["customer_id"], bad["probability"], bad["probability_30d"]) == (id_, None, None)


def test_a_file_of_bad_lines_alone_has_errors_alone(client: Client) -> None:
    for name in ("churn", "purchase"):
        read = scores(client, "}\n[]\n", NDJSON, name)
        assert [bool(row["error"]) for row in read] == [True, True]


def test_a_byte_order_mark_blank_lines_and_line_ends_do_not_count(client: Client) -> None:
    read = scores(client, "\ufeff\n{}\r\n \n{}\n", NDJSON, "purchase")
    assert [(row["customer_id"], row["error"]) for row in read] == [("1", None), ("2", None)]
    assert refusal(client, "", NDJSON) == (422, "file.ndjson must hold rows, got an empty file")


def test_unknown_fields_are_ignored_and_named(client: Client) -> None:
    response = post(client, '{"tenure": 3}\n{"tenur": 3}\n', NDJSON, "purchase")
    assert response.headers["x-propense-ignored-columns"] == "tenur"
    assert [json.loads(line)["error"] for line in response.text.splitlines()] == [None, None]


def test_one_bad_line_of_many(client: Client) -> None:
    lines = [f'{{"customer_id": {n}, "tenure": {n % 7}}}' for n in range(10_000)]
    lines[8_500] = "}"
    read = scores(client, "\n".join(lines), NDJSON, "purchase")
    assert [row["customer_id"] for row in read] == [str(n) if n != 8_500 else None for n in range(10_000)]
    assert [n for n, row in enumerate(read) if row["error"]] == [8_500]
