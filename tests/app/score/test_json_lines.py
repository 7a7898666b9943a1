"""NDJSON in, NDJSON out."""

import json
from typing import Any

import pytest

from app.errors import Problem
from app.score.json_lines import LinesReader
from tests.app.client import Client
from tests.app.score.conftest import NDJSON, Serve
from tests.app.toys import AS_OF


def post(client: Client, lines: list[str | bytes], name: str = "purchase") -> list[dict[str, Any]]:
    content = b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    path = f"/v1/models/{name}/score?as_of={AS_OF}"
    answer = client.request("POST", path, content=content, headers={"content-type": NDJSON})
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_line_is_a_customer_of_a_request(client: Client) -> None:
    rows = [
        {"customer_id": 17, "tenure": 3, "events": [{"date": "1997-03-01", "amount": 1}]},
        {"customer_id": "17"},
        {},
    ]
    told = post(client, [json.dumps(row) for row in rows])
    asked = client.predict("purchase", {"as_of": AS_OF, "customers": rows}).json()["predictions"]
    assert [one["customer_id"] for one in told] == [17, "17", "3"]
    assert list(told[0]) == ["customer_id", "probability", "probability_30d", "probability_90d", "error"]
    for one, other in zip(told, asked, strict=True):
        assert one["error"] is None
        assert one["probability_90d"] == one["probability"] == pytest.approx(other["probability"], abs=1e-6)
        assert one["probability_30d"] == pytest.approx(other["horizons"]["30"], abs=1e-6)


@pytest.mark.parametrize(
    ("line", "id_", "error"),
    [
        (
            "no",
            None,
            "row 2 must be a JSON object in UTF-8, got something else (expected ident at line 1 column 2)",
        ),
        ("{}, {}", None, "row 2 must be a JSON object in UTF-8, got something else (trailing characters"),
        (
            b'{"tenure": "\xff"}',
            None,
            "row 2 must be a JSON object in UTF-8, got something else (invalid unicode",
        ),
        ("[]", None, "row 2 must be an object with the fields customer_id, tenure, events, got a list"),
        (
            '{"customer_id": 7, "tenure": "x"}',
            7,
            "row 2, tenure must be a finite number, or null, got a text",
        ),
        (
            '{"customer_id": 7, "tenure": 1, "tenure": 2}',
            7,
            "row 2, tenure must be given once, got the field twice",
        ),
        (
            '{"tenur": 1}',
            None,
            "row 2, tenur must be one of customer_id, tenure, events, got an unknown field; did",
        ),
        (
            '{"events": [{"date": "1997-01-01"}, {"date": "x"}]}',
            None,
            "row 2, event 2, date must be a time in ISO 8601 such as 1997-03-01, got a text that is no",
        ),
        ('{"tenure": 1e400}', None, "row 2, tenure must be a finite number"),
        ("[" * 100_000, None, "row 2 must be a JSON object in UTF-8"),
    ],
)
def test_a_line_at_fault_has_an_error_and_its_neighbours_have_their_scores(
    client: Client, line: str | bytes, id_: object, error: str
) -> None:
    good = '{"tenure": 3}'
    alone = post(client, [good])[0]["probability"]
    first, bad, last = post(client, [good, line, good])
    assert [first["probability"], last["probability"]] == pytest.approx([alone] * 2, abs=1e-6)
    assert first["error"] is last["error"] is None
    assert bad["error"].startswith(error)
    assert (bad["customer_id"], bad["probability"], bad["probability_30d"]) == (id_, None, None)


def test_blank_lines_and_line_ends_do_not_count(client: Client) -> None:
    told = post(client, ["", "{}\r", " ", "{}", ""])
    assert [one["customer_id"] for one in told] == ["1", "2"]
    assert post(client, []) == []


def test_one_bad_line_of_many(client: Client) -> None:
    lines: list[str | bytes] = [f'{{"customer_id": {n}, "tenure": {n % 7}}}' for n in range(10_000)]
    lines[8_500] = "}"
    told = post(client, lines)
    assert [one["customer_id"] for one in told] == [n if n != 8_500 else None for n in range(10_000)]
    assert [n for n, one in enumerate(told) if one["error"]] == [8_500]


def test_a_line_too_long_is_refused(served: Serve) -> None:
    reader = LinesReader(served("churn"), as_of=0, max_row=100)
    assert len(list(reader.feed(b'{}\n{"contract": '))) == 1
    with pytest.raises(Problem, match="row 2 must have at most 100 bytes") as told:
        list(reader.feed(b" " * 100))
    assert told.value.status == 413
