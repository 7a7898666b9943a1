"""Arrow streams in and out: types, sizes, and what is damaged or means harm."""

import datetime
import io
import random
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import ipc

from app.errors import Problem
from tests.app.client import Client
from tests.app.score.conftest import ARROW, Serve, scored
from tests.app.toys import AS_OF

EVENT = {"date": "1997-03-01", "amount": 12.5, "kind": "buy", "shop": None}
COLUMNS = ("Total Charges", "contract", "copy", "_senior", "since", "bill_1", "bill_2")


TIME = "a time in ISO 8601 such as 1997-03-01, or null, got a text that is no such time"
words = pa.DictionaryArray.from_arrays


def stream(table: Any, *, rows: int = 1_000, compression: str | None = None) -> bytes:
    """A table as an Arrow stream."""
    sink = io.BytesIO()
    with ipc.new_stream(sink, table.schema, options=ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table, max_chunksize=rows)
    return sink.getvalue()


def table(**columns: Any) -> Any:
    """A table of `churn`; the columns that are not given are empty."""
    given = {name.replace("Total_Charges", "Total Charges"): values for name, values in columns.items()}
    n_rows = max((len(values) for values in given.values()), default=1)
    return pa.table({**{name: pa.nulls(n_rows) for name in COLUMNS}, **given})


def log_table(**columns: Any) -> Any:
    return pa.table({"tenure": [3.0, 1.0, None], "events": [[EVENT, EVENT], [], None], **columns})


def read(content: bytes) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = ipc.open_stream(content).read_all().to_pylist()
    return told


def post(client: Client, content: bytes, name: str = "churn") -> list[dict[str, Any]]:
    path = f"/v1/models/{name}/score?as_of={AS_OF}"
    answer = client.request("POST", path, content=content, headers={"content-type": ARROW})
    assert answer.status_code == 200, answer.text
    return read(answer.content)


def refusal(client: Client, content: bytes, name: str = "churn") -> tuple[int, str]:
    answer = client.request(
        "POST", f"/v1/models/{name}/score", content=content, headers={"content-type": ARROW}
    )
    return answer.status_code, answer.json()["detail"]


def predicted(client: Client, name: str, rows: list[dict[str, Any]]) -> list[float]:
    body = client.predict(name, {"as_of": AS_OF, "customers": rows}).json()
    return [one["probability"] for one in body["predictions"]]


def test_a_table_is_scored_like_a_request(client: Client) -> None:
    told = post(
        client, stream(table(Total_Charges=[2.5, None], contract=["contract 7", None], _senior=[True, None]))
    )
    assert [(one["customer_id"], one["error"]) for one in told] == [("1", None), ("2", None)]
    asked = predicted(
        client, "churn", [{"Total Charges": 2.5, "contract": "contract 7", "_senior": True}, {}]
    )
    assert [one["probability"] for one in told] == pytest.approx(asked, abs=1e-6)


def test_events_are_lists_of_structs(client: Client) -> None:
    told = post(client, stream(log_table(customer_id=["a", "b", "c"])), "purchase")
    asked = predicted(client, "purchase", [{"tenure": 3, "events": [EVENT, EVENT]}, {"tenure": 1}, {}])
    assert [one["probability"] for one in told] == pytest.approx(asked, abs=1e-6)
    assert [one["customer_id"] for one in told] == ["a", "b", "c"]
    assert list(told[0]) == ["customer_id", "probability", "probability_30d", "probability_90d", "error"]


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
        ("since", pa.array([datetime.date(1996, 5, 4)]), "1996-05-04"),
        ("since", pa.array(["04.05.1996"]), "1996-05-04"),
        ("since", pa.array([831168000], pa.timestamp("s", "Europe/Berlin")), "1996-05-04T00:00:00Z"),
        ("since", pa.array([831168000], pa.timestamp("s")), "1996-05-04"),
    ],
)
def test_a_value_is_the_same_whatever_its_type(client: Client, field: str, array: Any, value: object) -> None:
    (told,) = post(client, stream(table(**{field.replace(" ", "_"): array})))
    assert told["error"] is None
    assert told["probability"] == pytest.approx(predicted(client, "churn", [{field: value}])[0], abs=1e-6)


@pytest.mark.parametrize(
    ("columns", "error"),
    [
        (
            {"bill_1": [float("inf")]},
            "row 1, bill_1 must be a finite number, or null, got a number that is not finite or too large",
        ),
        ({"bill_1": [True]}, "row 1, bill_1 must be a finite number, or null, got a boolean"),
        ({"_senior": [2]}, "row 1, _senior must be true, false, 1 or 0, or null, got a number"),
        (
            {"since": ["32.01.1996"]},
            f"row 1, since must be {TIME}",
        ),
    ],
)
def test_a_cell_at_fault(client: Client, columns: dict[str, Any], error: str) -> None:
    (told,) = post(client, stream(table(**columns)))
    assert (told["probability"], told["error"]) == (None, error)


def test_an_event_at_fault(client: Client) -> None:
    histories = [[EVENT], [EVENT, {**EVENT, "date": "x"}], [EVENT, EVENT, {**EVENT, "date": None}, EVENT]]
    told = post(client, stream(log_table(events=histories)), "purchase")
    allowed = "date must be a time in ISO 8601 such as 1997-03-01, got"
    assert [one["error"] for one in told] == [
        None,
        f"row 2, event 2, {allowed} a text that is no such time",
        f"row 3, event 3, {allowed} nothing",
    ]
    large = pa.table({"tenure": [1], "events": [[{**EVENT, "amount": 1e39}]]})
    (one,) = post(client, stream(large), "purchase")
    assert one["error"].startswith(
        "row 1, event 1, amount must be a finite number, or null, got a number that"
    )


@pytest.mark.parametrize("compression", [None, "zstd", "lz4"])
def test_however_the_bytes_come_the_answer_is_the_same(served: Serve, compression: str | None) -> None:
    model = served("purchase")
    ids = pa.array(["a", "b", "a"]).dictionary_encode()
    content = stream(log_table(customer_id=ids), rows=2, compression=compression)
    whole = read(scored(model, ARROW, [content]))
    assert len(whole) == 3
    for size in (1, 13, 500):
        assert (
            read(scored(model, ARROW, [content[at : at + size] for at in range(0, len(content), size)]))
            == whole
        )


def test_columns_and_types_are_checked_at_the_head(client: Client) -> None:
    lists = pa.array([[1.0]])
    assert refusal(client, stream(table(bill_1=lists))) == (
        422,
        "bill_1 must be a column of values, got one of type list<item: double>",
    )
    assert refusal(client, stream(table(bill1=[1.0]))) == (
        422,
        "bill1 must be one of customer_id, Total Charges, contract, copy, _senior, since, bill_1, bill_2, "
        "got an unknown field; did you mean bill_1?",
    )
    assert refusal(client, stream(pa.table({"tenure": [1.0], "events": [1.0]})), "purchase") == (
        422,
        "events must be a column of lists of structs, or of JSON texts, got one of type double",
    )
    less = [[{"date": "1997-03-01", "amount": 1.0, "kind": "buy", "shap": None}]]
    status, detail = refusal(client, stream(pa.table({"tenure": [1.0], "events": less})), "purchase")
    assert (status, detail.partition(", got ")[2]) == (422, "an unknown field; did you mean shop?")


def test_what_is_no_stream_or_cut_off_is_refused(client: Client) -> None:
    content = stream(table(bill_1=[1.0, 2.0]))
    said = (400, "the body must be an Arrow IPC stream, got something damaged or cut off")
    for body in (b"", b"customer_id\n1\n", content[:100], content[:-30]):
        assert refusal(client, body) == said
    sink = io.BytesIO()
    with ipc.new_file(sink, pa.schema([("bill_1", pa.float64())])):
        pass
    assert refusal(client, sink.getvalue()) == said


def test_a_stream_without_rows(client: Client) -> None:
    assert post(client, stream(table(bill_1=pa.array([], pa.float64())))) == []


@pytest.mark.parametrize("compression", [None, "zstd", "lz4"])
def test_a_batch_too_large_is_refused_before_it_is_uncompressed(
    served: Serve, compression: str | None
) -> None:
    model, zeros = served("churn"), [0.0] * 100_000
    content = stream(table(bill_1=zeros), rows=100_000, compression=compression)
    assert compression is None or len(content) < 20_000
    with pytest.raises(Problem, match="a record batch must have at most 700000 bytes") as told:
        scored(model, ARROW, [content], batch_bytes=700_000)
    assert told.value.status == 413
    assert len(read(scored(model, ARROW, [content], batch_bytes=1_700_000))) == 100_000


def test_a_dictionary_too_large_is_refused(served: Serve) -> None:
    many = pa.array([f"{n}" * 100 for n in range(1_000)]).dictionary_encode()
    content = stream(table(contract=many), compression="zstd")
    with pytest.raises(Problem, match="at most 100000 bytes"):
        scored(served("churn"), ARROW, [content], batch_bytes=100_000)


def test_rows_that_take_no_bytes_are_counted_too(served: Serve) -> None:
    with pytest.raises(Problem, match="a record batch must have at most 1048576 rows"):
        scored(served("churn"), ARROW, [stream(table(bill_1=pa.nulls(1 << 21)), rows=1 << 21)])


def test_a_large_dictionary_is_not_spread_over_the_rows(served: Serve) -> None:
    """A text of a megabyte in every row would be eight gigabytes."""
    spread = words(pa.array([0] * 8_000, pa.int32()), ["x" * 1_000_000, "y"])
    assert len(read(scored(served("churn"), ARROW, [stream(table(contract=spread), rows=8_000)]))) == 8_000


@pytest.mark.parametrize("compression", [None, "zstd"])
def test_no_damage_does_harm(served: Serve, compression: str | None) -> None:
    """Bits are flipped and ends cut off: a refusal, or the scores of what the bytes now say."""
    model, draw = served("purchase"), random.Random(0)
    ids = pa.array(["a", "b", "a"]).dictionary_encode()
    content = stream(log_table(customer_id=ids), rows=2, compression=compression)
    refused: list[int] = []
    for number in range(300):
        damaged = bytearray(content[: draw.randrange(len(content))] if number % 4 == 0 else content)
        for _ in range(draw.choice([1, 1, 4])):
            if damaged:
                damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        try:
            scored(model, ARROW, [bytes(damaged)])
        except Problem as problem:
            refused.append(problem.status)
    assert len(refused) > 100
    assert set(refused) <= {400, 413, 422}
