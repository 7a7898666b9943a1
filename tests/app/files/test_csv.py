"""CSV in, CSV out."""

import csv
import io
import json
from urllib.parse import unquote

import pytest

from app.routes.score import notes_header
from tests.app.client import Client
from tests.app.files.forms import CSV, HEAD, LOG_SCORES, SCORES, post, predicted, refusal, scores


def test_a_row_is_scored_like_a_request(client: Client) -> None:
    (row,) = scores(client, HEAD + "17,2.50,contract 7,1.0,Yes,31.12.1996, 3 ,NA\n", CSV)
    sent = {"Total Charges": 2.5, "contract": "contract 7", "copy": 1, "_senior": True, "bill_1": 3}
    assert list(row) == SCORES
    assert (row["customer_id"], row["error"]) == ("17", "")
    wanted = predicted(client, "churn", [{**sent, "since": "1996-12-31"}])
    assert [float(row["probability"])] == pytest.approx(wanted, abs=1e-6)


def test_a_model_of_a_log_has_a_column_of_events_in_json(client: Client) -> None:
    events = [{"date": "1997-03-01", "amount": 12.5, "kind": "buy"}, {"date": "1997-12-01T10:00:00+02:00"}]
    text = io.StringIO()
    table = [["customer_id", "tenure", "events"], ["17", "3", json.dumps(events, indent=1)], ["18", "", ""]]
    csv.writer(text).writerows(table)
    rows = scores(client, text.getvalue(), CSV, "purchase")
    assert list(rows[0]) == LOG_SCORES
    wanted = predicted(client, "purchase", [{"tenure": 3, "events": events}, {}])
    assert [float(row["probability"]) for row in rows] == pytest.approx(wanted, abs=1e-6)
    assert [float(row["probability_90d"]) for row in rows] == pytest.approx(wanted, abs=1e-6)
    assert [row["eligible"] for row in rows] == ["true", "false"]
    assert [row["not_eligible_because"] for row in rows] == ["", "not yet a customer"]


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("1,abc,,,,,,", "row 2, Total Charges must be a number, got 'abc'"),
        ("1,,,,,,inf,", "row 2, bill_1 must be a number, got inf"),
        ("1,,,,maybe,,,", "row 2, _senior must be yes or no, got 'maybe'"),
        ("1,,,,2,,,", "row 2, _senior must be yes or no, got 2"),
        ("1,,,,,soon,,", "row 2, since must be a date ('%d.%m.%Y' or ISO 8601), got 'soon'"),
        ("1,2,3", "row 2 must have the header's 8 fields, got 3"),
    ],
)
def test_a_row_at_fault_has_no_score_and_its_neighbours_have_theirs(
    client: Client, row: str, error: str
) -> None:
    good = "a,3,contract 1,,,,,\n"
    alone = scores(client, HEAD + good, CSV)[0]["probability"]
    first, bad, last = scores(client, f"{HEAD}{good}{row}\n{good}", CSV)
    assert (first["error"], last["error"]) == ("", "")
    assert bad["error"].startswith(error.replace("got 2", "got "))
    assert bad["probability"] == ""
    both = [float(first["probability"]), float(last["probability"])]
    assert both == pytest.approx([float(alone)] * 2, abs=1e-6)


def test_an_event_at_fault_has_its_place(client: Client) -> None:
    cells = ['[{""date"": ""x""}]', "no", '[{""date"": ""1997-01-01"", ""amount"": ""much""}]', "[]"]
    text = "tenure,events\n" + "".join(f'1,"{cell}"\n' for cell in cells)
    time = "a time in the format '%Y%m%d' or ISO 8601"
    assert [row["error"][:70] for row in scores(client, text, CSV, "purchase")] == [
        f"row 1, event 1, date must be {time}, got 'x'"[:70],
        "row 2, events must be a JSON list of objects, got something else (Input data was truncated"[:70],
        "row 3, event 1, amount must be a finite number, got 'much'",
        "",
    ]


def test_bytes_that_are_not_utf8_are_refused_with_their_place(client: Client) -> None:
    content = HEAD.encode() + b"1,3,contract 1,,,,,\n2,3,\xff,,,,,\n"
    status, detail = refusal(client, content, CSV)
    assert status == 422
    assert "file.csv must be UTF-8 text, got the byte 0xff in line 3" in detail


def test_quoted_line_breaks_crlf_a_bom_formulas_and_blank_lines_are_read(client: Client) -> None:
    rows = ['"=1+1",3,"contract\n1",,,,,', "", "@b,3,contract 1,,,,,", '"c ""q""",3,,,,,,']
    read = scores(client, "\r\n".join(["\ufeff" + HEAD.strip(), *rows]), CSV)
    assert [row["customer_id"] for row in read] == ["=1+1", "@b", 'c "q"']
    assert [row["error"] for row in read] == ["", "", ""]
    assert len({row["probability"] for row in read}) == 3


def test_a_row_without_an_id_has_its_number(client: Client) -> None:
    read = scores(client, HEAD + "a,,,,,,,\n ,,,,,,,\nNA,,,,,,,\n1,2\n", CSV)
    assert [row["customer_id"] for row in read] == ["a", "2", "3", ""]
    without = scores(client, HEAD.partition(",")[2] + ",,,,,,\n1\n", CSV)
    assert [row["customer_id"] for row in without] == ["1", "2"]


def test_a_quote_that_is_never_closed_is_refused(client: Client) -> None:
    text = HEAD + '1,,,,,,,\n2,,"never,,,,,\n3,,,,,,,\n'
    assert refusal(client, text, CSV) == (
        422,
        'file.csv has a quote (") that is never closed. Close or remove it.',
    )


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_found(client: Client, delimiter: str) -> None:
    comma = HEAD + "1,3,contract 1,,,,,\n"
    assert scores(client, comma.replace(",", delimiter), CSV) == scores(client, comma, CSV)


def test_missing_columns_are_one_refusal(client: Client) -> None:
    response = post(client, "customer_id,tenur,Churn\n1,2,Yes\n", CSV, "purchase")
    body = response.json()
    assert (response.status_code, body["type"]) == (422, "urn:propense:invalid-columns")
    assert [(e["field"], e["got"], e.get("hint")) for e in body["errors"]] == [
        ("tenure", "nothing", "did you mean tenur?"),
        ("events", "nothing", None),
    ]
    status, detail = refusal(client, "tenure,events,tenure\n1,2,3\n", CSV, "purchase")
    assert (status, detail) == (422, "file.csv must name each column once, got 'tenure' again. Rename them.")


def test_other_columns_are_ignored_and_named(client: Client) -> None:
    names = ["größe", "a,b", *(f"column number {n}" for n in range(200))]
    head = f"{HEAD.strip()},{','.join(chr(34) + name + chr(34) for name in names)}\n"
    response = post(client, head + "1,3,,,,,," + ",x" * len(names) + "\n", CSV)
    listed = response.headers["x-propense-ignored-columns"]
    assert response.status_code == 200
    assert listed.startswith("gr%C3%B6%C3%9Fe,a%2Cb,column number 0,")
    assert listed.endswith(",...")
    assert len(listed) < 1024
    assert "x-propense-ignored-columns" not in post(client, HEAD + "1,3,,,,,,\n", CSV).headers


def test_the_notes_of_score_are_in_a_header(client: Client) -> None:
    good = "1,3,contract 1,,,,,\n"
    response = post(client, "Äpfel\n" + HEAD + good + "2,3,n\u00e9w,,,,,\n3,x,,,,,,\n4,70,,,,,,\n", CSV)
    header = response.headers["x-propense-notes"]
    assert header.isascii()
    assert [line.partition(", such as ")[0] for line in unquote(header).splitlines()] == [
        "file.csv: passed over 1 line above the header: 'Äpfel'.",
        "1 row without a score: the column 'error' says why.",
        "missing more often than in training: 'copy' in 4 of 4 rows (training: 0%); '_senior' in 4 of 4 rows "
        "(training: 0%); 'since' in 4 of 4 rows (training: 0%); 'bill_1' in 4 of 4 rows (training: 0%); "
        "'bill_2' in 4 of 4 rows (training: 0%).",
        "1 of 2 values of 'contract' is no category that training knew",
        "beyond what training saw: 'Total Charges' in 1 of 3 rows",
    ]
    full = HEAD + "1,3,contract 1,1,Yes,28.12.1997,3,4\n"
    assert "x-propense-notes" not in post(client, full, CSV).headers


def test_notes_that_are_too_long_for_a_header_are_counted() -> None:
    notes = [f"{n}: 100 % of 'äöü'." for n in range(500)]
    header = notes_header(notes)
    *kept, last = unquote(header.decode("ascii")).splitlines()
    assert 1_900 < len(header) < 2_048
    assert [*kept, last] == [*notes[: len(kept)], f"and {500 - len(kept)} more."]


def test_a_file_without_a_header_or_rows(client: Client) -> None:
    assert refusal(client, "", CSV) == (422, "file.csv must hold rows, got an empty file")
    assert scores(client, HEAD, CSV) == []


def test_a_header_of_a_million_commas_is_refused_in_one_sentence(client: Client) -> None:
    response = post(client, "a" + "," * 1_000_000 + "\n1\n", CSV)
    assert response.status_code == 422
    assert len(response.content) < 10_000


def test_many_rows_keep_their_order_and_numbers(client: Client) -> None:
    n_rows = 40_000
    lines = [f"{n},{n % 9},,,,,,\n" for n in range(n_rows)]
    lines[32_345] = "bad\n"
    read = scores(client, HEAD + "".join(lines), CSV)
    assert [row["customer_id"] for row in read] == [str(n) if n != 32_345 else "" for n in range(n_rows)]
    assert [n for n, row in enumerate(read) if row["error"]] == [32_345]
    assert read[32_345]["error"].startswith("row 32346 must have the header's 8 fields")
    assert len({read[n]["probability"][:6] for n in range(0, n_rows, 9) if n != 32_345}) == 1
