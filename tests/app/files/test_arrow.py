"""Arrow streams in and out: types, and what is damaged or means harm."""

import datetime
import random
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from tests.app.client import Client
from tests.app.files.forms import (
    ARROW,
    EVENT,
    LOG_SCORES,
    log_table,
    post,
    predicted,
    refusal,
    rows_of,
    scores,
    stream,
    table,
)

words = pa.DictionaryArray.from_arrays


def test_a_table_is_scored_like_a_request(client: Client) -> None:
    sent = table(Total_Charges=[2.5, None], contract=["contract 7", None], _senior=[True, None])
    read = scores(client, stream(sent), ARROW)
    assert [(row["customer_id"], row["error"]) for row in read] == [("1", None), ("2", None)]
    wanted = predicted(
        client, "churn", [{"Total Charges": 2.5, "contract": "contract 7", "_senior": True}, {}]
    )
    assert [row["probability"] for row in read] == pytest.approx(wanted, abs=1e-6)


def test_events_are_lists_of_structs(client: Client) -> None:
    read = scores(client, stream(log_table(customer_id=["a", "b", "c"])), ARROW, "purchase")
    wanted = predicted(client, "purchase", [{"tenure": 3, "events": [EVENT, EVENT]}, {"tenure": 1}, {}])
    assert [row["probability"] for row in read] == pytest.approx(wanted, abs=1e-6)
    assert [row["customer_id"] for row in read] == ["a", "b", "c"]
    assert list(read[0]) == LOG_SCORES


@pytest.mark.parametrize(
    ("field", "array", "value"),
    [
        ("Total Charges", pa.array([2.5], pa.float32()), 2.5),
        ("Total Charges", pa.array([0.1], pa.float32()), 0.1),
        ("Total Charges", pa.array([3], pa.uint8()), 3),
        ("Total Charges", pa.array([Decimal("7.50")], pa.decimal128(5, 2)), 7.5),
        ("Total Charges", pa.array([" 7.5 "]), 7.5),
        ("Total Charges", pa.array(["7.5"], pa.string_view()), 7.5),
        ("bill_1", pa.array([2.5], pa.float16()), 2.5),
        ("bill_1", pa.array([3.0]).dictionary_encode(), 3),
        ("contract", pa.array(["contract 9"], pa.large_string()), "contract 9"),
        ("contract", pa.array(["contract 9"], pa.string_view()), "contract 9"),
        ("contract", words(pa.array([1], pa.uint32()), ["x", "contract 9"]), "contract 9"),
        ("contract", words(pa.array([0], pa.int8()), pa.array([None], pa.string())), None),
        ("copy", pa.array([1.0]), "1"),
        ("copy", pa.array([1], pa.int64()), "1"),
        ("copy", pa.array([True]), True),
        ("_senior", pa.array([1.0]), True),
        ("_senior", pa.array(["no"]), False),
        ("contract", pa.array([datetime.time(9, 30)]), "09:30:00.000000"),
        ("since", pa.array([datetime.date(1996, 5, 4)]), "1996-05-04"),
        ("since", pa.array(["04.05.1996"]), "1996-05-04"),
        ("since", pa.array([831168000], pa.timestamp("s", "Europe/Berlin")), "1996-05-04T00:00:00Z"),
        ("since", pa.array([831168000], pa.timestamp("s")), "1996-05-04"),
    ],
)
def test_a_value_is_the_same_whatever_its_type(client: Client, field: str, array: Any, value: object) -> None:
    (row,) = scores(client, stream(table(**{field.replace(" ", "_"): array})), ARROW)
    assert row["error"] is None
    assert [row["probability"]] == pytest.approx(predicted(client, "churn", [{field: value}]), abs=1e-6)


@pytest.mark.parametrize(
    ("columns", "error"),
    [
        ({"bill_1": [float("inf")]}, "row 1, bill_1 must be a number, got inf"),
        ({"bill_1": [True]}, "row 1, bill_1 must be a number, got 'true'"),
        ({"_senior": [2]}, "row 1, _senior must be yes or no, got 2"),
        ({"since": ["32.01.1996"]}, "row 1, since must be a date ('%d.%m.%Y' or ISO 8601), got '32.01.1996'"),
    ],
)
def test_a_cell_at_fault(client: Client, columns: dict[str, Any], error: str) -> None:
    (told,) = scores(client, stream(table(**columns)), ARROW)
    assert (told["probability"], told["error"]) == (None, error)


def test_an_event_at_fault(client: Client) -> None:
    histories = [[EVENT], [EVENT, {**EVENT, "date": "x"}], [EVENT, EVENT, {**EVENT, "date": None}, EVENT]]
    rule = "date must be a time in the format '%Y%m%d' or ISO 8601"
    read = scores(client, stream(log_table(events=histories)), ARROW, "purchase")
    assert [row["error"] for row in read] == [
        None,
        f"row 2, event 2, {rule}, got 'x'",
        f"row 3, event 3, {rule}, got nothing",
    ]


@pytest.mark.parametrize("compression", [None, "zstd", "lz4"])
def test_compressed_batches_of_any_size_are_read(client: Client, compression: str | None) -> None:
    ids = pa.array(["a", "b", "a"]).dictionary_encode()
    whole = scores(client, stream(log_table(customer_id=ids)), ARROW, "purchase")
    parts = stream(log_table(customer_id=ids), rows=2, compression=compression)
    assert scores(client, parts, ARROW, "purchase") == whole


def test_columns_and_types_are_checked_before_any_row(client: Client) -> None:
    assert refusal(client, stream(table(bill_1=pa.array([[1.0]]))), ARROW) == (
        422,
        "file.arrows: bill_1 must be a column of values, got one of type list<item: double>",
    )
    assert refusal(client, stream(pa.table({"tenure": [1.0], "events": [1.0]})), ARROW, "purchase") == (
        422,
        "file.arrows: events must be lists of structs, or JSON texts, got double",
    )
    less = [[{"date": "1997-03-01", "amount": 1.0, "kind": "buy", "shap": None}]]
    response = post(client, stream(pa.table({"tenure": [1.0], "events": less})), ARROW, "purchase")
    detail = "file.arrows: events has no column 'shop'; did you mean 'shap'? its columns are"
    assert (response.status_code, response.json()["detail"].startswith(detail)) == (422, True)


def test_the_index_column_of_pandas_is_ignored(client: Client) -> None:
    response = post(client, stream(table(__index_level_0__=[7])), ARROW)
    assert response.headers["x-propense-ignored-columns"] == "__index_level_0__"


def test_what_is_no_stream_or_cut_off_is_refused(client: Client) -> None:
    content = stream(table(bill_1=[1.0, 2.0]))
    for body in (b"customer_id\n1\n", content[:100], content[:-30]):
        status, detail = refusal(client, body, ARROW)
        assert status == 422
        assert detail.startswith("file.arrows cannot be read as an Arrow IPC stream: ")


def test_a_stream_without_rows(client: Client) -> None:
    assert scores(client, stream(table(bill_1=pa.array([], pa.float64()))), ARROW) == []


def test_a_large_dictionary_is_not_spread_over_the_rows(client: Client) -> None:
    """A text of a megabyte in every row would be eight gigabytes."""
    spread = words(pa.array([0] * 8_000, pa.int32()), ["x" * 1_000_000, "y"])
    assert len(scores(client, stream(table(contract=spread), rows=8_000), ARROW)) == 8_000


@pytest.mark.parametrize(
    ("compression", "n"), [(None, 100), ("zstd", 10), pytest.param("zstd", 200, marks=pytest.mark.heavy)]
)
def test_no_damage_does_harm(client: Client, compression: str | None, n: int) -> None:
    """Bits are flipped and ends cut off: a refusal, or the scores of what the bytes now say.

    A size that is damaged within zstd may cost the child its life, and the next file waits for another.
    """
    draw = random.Random(0)
    ids = pa.array(["a", "b", "a"]).dictionary_encode()
    content = stream(log_table(customer_id=ids), rows=2, compression=compression)
    statuses = []
    for number in range(n):
        damaged = bytearray(content[: draw.randrange(len(content))] if number % 4 == 0 else content)
        for _ in range(draw.choice([1, 1, 4])):
            if damaged:
                damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        statuses.append(post(client, bytes(damaged), ARROW, "purchase").status_code)
    assert set(statuses) <= {200, 422}
    assert len(rows_of(post(client, content, ARROW, "purchase").content, ARROW)) == 3
