"""CSV in, CSV out."""

import csv
import io
import json
from typing import Any

import pytest

from app.errors import Problem
from app.score.csv_file import CsvReader
from tests.app.client import Client
from tests.app.score.conftest import CSV, Serve, scored
from tests.app.toys import AS_OF, CONTRACTS

NUMBER = "a finite number, or null, got a number that is not finite or too large"
TIME = "a time in ISO 8601 such as 1997-03-01, or null, got a text that is no such time"
HEAD = "customer_id,Total Charges,contract,copy,_senior,since,bill_1,bill_2\n"


def post(client: Client, text: str | bytes, name: str = "churn", query: str = "") -> list[dict[str, Any]]:
    content = text.encode() if isinstance(text, str) else text
    path = f"/v1/models/{name}/score?as_of={AS_OF}{query}"
    answer = client.request("POST", path, content=content, headers={"content-type": CSV})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == CSV
    return list(csv.DictReader(io.StringIO(answer.text)))


def refused(client: Client, text: str, name: str = "churn", status: int = 422) -> dict[str, Any]:
    answer = client.request(
        "POST", f"/v1/models/{name}/score", content=text.encode(), headers={"content-type": CSV}
    )
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    return body


def test_a_row_is_scored_like_a_request(client: Client) -> None:
    (told,) = post(client, HEAD + "17,2.50,contract 7,1.0,Yes,31.12.1996, 3 ,NA\n")
    row = {
        "Total Charges": 2.5,
        "contract": "contract 7",
        "copy": 1,
        "_senior": True,
        "since": "1996-12-31",
        "bill_1": 3,
    }
    (one,) = client.predict("churn", {"as_of": AS_OF, "customers": [row]}).json()["predictions"]
    assert list(told) == ["customer_id", "probability", "error"]
    assert (told["customer_id"], told["error"]) == ("17", "")
    assert float(told["probability"]) == pytest.approx(one["probability"], abs=1e-6)


def test_a_model_of_a_log_has_a_column_of_events_in_json(client: Client) -> None:
    events = [{"date": "1997-03-01", "amount": 12.5, "kind": "buy"}, {"date": "1997-05-01T10:00:00+02:00"}]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows(
        [["customer_id", "tenure", "events"], ["17", "3", json.dumps(events, indent=1)], ["18", "", ""]]
    )
    told = post(client, text.getvalue(), "purchase")
    rows = [{"tenure": 3, "events": events}, {}]
    asked = client.predict("purchase", {"as_of": AS_OF, "customers": rows}).json()["predictions"]
    assert list(told[0]) == ["customer_id", "probability", "probability_30d", "probability_90d", "error"]
    for one, other in zip(told, asked, strict=True):
        assert float(one["probability"]) == pytest.approx(other["probability"], abs=1e-6)
        assert float(one["probability_30d"]) == pytest.approx(other["horizons"]["30"], abs=1e-6)


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("1,abc,,,,,,", "row 2, Total Charges must be a finite number, or null, got a text"),
        (
            "1,1e39,,,,,,",
            f"row 2, Total Charges must be {NUMBER}",
        ),
        (
            "1,,,,,,inf,",
            f"row 2, bill_1 must be {NUMBER}",
        ),
        ("1,,,,maybe,,,", "row 2, _senior must be true, false, 1 or 0, or null, got a text"),
        ("1,,,,2,,,", "row 2, _senior must be true, false, 1 or 0, or null, got a number"),
        (
            "1,,,,,soon,,",
            f"row 2, since must be {TIME}",
        ),
        (
            "1,2,3",
            "row 2 must be a row of 8 cells, as the first has, got one of 3; "
            "put quotes around texts with delimiters",
        ),
    ],
)
def test_a_row_at_fault_has_no_score_and_its_neighbours_have_theirs(
    client: Client, row: str, error: str
) -> None:
    good = "a,3,contract 1,,,,,\n"
    alone = post(client, HEAD + good)[0]["probability"]
    told = post(client, f"{HEAD}{good}{row}\n{good}")
    assert [one["error"] for one in told] == ["", error, ""]
    assert [float(one["probability"] or "nan") for one in told[::2]] == pytest.approx(
        [float(alone)] * 2, abs=1e-6
    )
    assert told[1]["probability"] == ""


def test_bytes_that_are_not_utf8_are_a_fault_of_their_row(client: Client) -> None:
    told = post(client, HEAD.encode() + b"1,3,contract 1,,,,,\n2,3,\xff,,,,,\n3,3,contract 1,,,,,\n")
    assert [one["error"] for one in told] == [
        "",
        "row 2, contract must be a text in UTF-8, got other bytes",
        "",
    ]
    assert told[0]["probability"] == told[2]["probability"]


def test_quoted_line_breaks_crlf_a_bom_formulas_and_blank_lines_are_read(client: Client) -> None:
    rows = ['"=1+1",3,"contract\n1",,,,,', "", "@b,3,contract 1,,,,,", '"c ""q""",3,,,,,,']
    text = "\r\n".join(["\ufeff", HEAD.strip(), *rows])
    told = post(client, text)
    assert [one["customer_id"] for one in told] == ["=1+1", "@b", 'c "q"']
    assert [one["error"] for one in told] == ["", "", ""]
    assert len({one["probability"] for one in told}) == 3


def test_a_row_without_an_id_is_called_by_its_number(client: Client) -> None:
    assert [one["customer_id"] for one in post(client, HEAD + "a,,,,,,,\n ,,,,,,,\nNA,,,,,,,\n")] == [
        "a",
        "2",
        "3",
    ]
    without = HEAD.partition(",")[2] + ",,,,,,\n" * 2
    assert [one["customer_id"] for one in post(client, without)] == ["1", "2"]


def test_an_id_that_is_too_long_is_a_fault(client: Client) -> None:
    (told,) = post(client, HEAD + "x" * 257 + ",,,,,,,\n")
    assert told["error"].startswith("row 1, customer_id must be a text of 1 to 256 characters")


def test_a_quote_that_is_never_closed_is_one_fault(client: Client) -> None:
    told = post(client, HEAD + '1,,,,,,,\n2,,"never,,,,,\n3,,,,,,,\n')
    assert [one["error"] for one in told] == [
        "",
        "row 2 must be a row of whole cells, got a quote that is never closed",
    ]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_found(client: Client, delimiter: str) -> None:
    comma = HEAD + "1,3,contract 1,,,,,\n"
    assert post(client, comma.replace(",", delimiter)) == post(client, comma)


def test_columns_that_are_not_the_models_are_refused_at_once(client: Client) -> None:
    body = refused(client, "customer_id,tenur,events,Churn\n1,2,,Yes\n", "purchase")
    assert body["type"] == "urn:propense:invalid-columns"
    assert [(e["field"], e["got"], e.get("hint")) for e in body["errors"]] == [
        ("tenur", "an unknown field", "did you mean tenure?"),
        ("Churn", "an unknown field", "leave it out"),
        ("tenure", "nothing", None),
    ]
    (fault,) = refused(client, "tenure,events,tenure\n1,2,3\n", "purchase")["errors"]
    assert (fault["field"], fault["got"]) == ("tenure", "the column twice")


def test_a_file_without_a_header_or_rows(client: Client) -> None:
    assert refused(client, "")["detail"] == "a CSV file must begin with a row of the columns' names, got none"
    assert post(client, HEAD) == []


def test_however_the_bytes_come_the_answer_is_the_same(served: Serve) -> None:
    rows = [f'{n},{n % 11},"{CONTRACTS[n % 60]}","x\r\ny",yes,31.12.199{n % 8},{n},2\n' for n in range(60)]
    rows[7], rows[30] = "short,row\n", '30,"a ""b""",,,,,,\n'
    text = (HEAD + "".join(rows)).encode()
    model = served("churn")
    whole = scored(model, CSV, [text])
    assert whole.count(b"\n") == 61
    for size in (1, 7, 100):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        told, wanted = (
            list(csv.DictReader(io.StringIO(b.decode()))) for b in (scored(model, CSV, pieces), whole)
        )
        assert [(r["customer_id"], r["error"]) for r in told] == [
            (r["customer_id"], r["error"]) for r in wanted
        ]
        assert [float(r["probability"] or -1) for r in told] == pytest.approx(
            [float(r["probability"] or -1) for r in wanted], abs=1e-6
        )


def test_many_rows_keep_their_order_and_numbers(client: Client) -> None:
    n_rows = 20_000
    lines = [f"{n},{n % 9},,,,,,\n" for n in range(n_rows)]
    lines[12_345] = "bad\n"
    told = post(client, HEAD + "".join(lines))
    assert [one["customer_id"] for one in told] == [str(n) if n != 12_345 else "" for n in range(n_rows)]
    assert [n for n, one in enumerate(told) if one["error"]] == [12_345]
    assert told[12_345]["error"].startswith("row 12346 must be a row of 8 cells")
    assert len({told[n]["probability"][:8] for n in range(0, n_rows, 9)}) == 1


def test_a_row_too_long_is_refused(served: Serve) -> None:
    reader = CsvReader(served("churn"), as_of=0, max_row=1_000)
    list(reader.feed(HEAD.encode()))
    with pytest.raises(Problem, match="row 1 must have at most 1000 bytes") as told:
        list(reader.feed(b'"' + b"x" * 1_001))
    assert told.value.status == 413
