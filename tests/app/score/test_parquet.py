"""Parquet in and out, by way of the disk."""

import io
import random
import tempfile
from typing import Any

import pytest
from pyarrow import parquet as pq

from app.errors import Problem
from app.score.parquet_file import ParquetReader
from app.score.spool import Spool
from tests.app.client import Client
from tests.app.score.conftest import PARQUET, Serve, scored
from tests.app.score.test_arrow import EVENT, log_table, predicted, table
from tests.app.toys import AS_OF


def file(content: Any, **options: Any) -> bytes:
    """A table as a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(content, sink, **options)
    return sink.getvalue()


def read(content: bytes) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = pq.read_table(io.BytesIO(content)).to_pylist()
    return told


def test_a_file_is_scored_like_a_request(client: Client) -> None:
    path, headers = f"/v1/models/purchase/score?as_of={AS_OF}", {"content-type": PARQUET}
    answer = client.request("POST", path, content=file(log_table(), row_group_size=2), headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, PARQUET)
    told = read(answer.content)
    asked = predicted(client, "purchase", [{"tenure": 3, "events": [EVENT, EVENT]}, {"tenure": 1}, {}])
    assert [one["probability"] for one in told] == pytest.approx(asked, abs=1e-6)
    assert [(one["customer_id"], one["error"]) for one in told] == [("1", None), ("2", None), ("3", None)]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zstd", "data_page_size": 1_000},
        {"use_dictionary": False},
        {"data_page_version": "2.0", "write_statistics": True, "write_page_index": True},
        {"compression": "none", "row_group_size": 5_000},
        {"version": "1.0", "store_schema": False},
    ],
)
def test_many_rows_however_they_are_laid_out(served: Serve, options: dict[str, Any]) -> None:
    n_rows = 20_000
    content = file(
        table(customer_id=list(map(str, range(n_rows))), bill_1=[n % 9 for n in range(n_rows)]), **options
    )
    told = read(scored(served("churn"), PARQUET, [content[:1_000], content[1_000:]]))
    assert [one["customer_id"] for one in told] == list(map(str, range(n_rows)))
    assert len({round(one["probability"], 6) for one in told[::9]}) == 1
    assert len({round(one["probability"], 6) for one in told[:9]}) == 9


def test_what_is_no_parquet_or_cut_off_is_refused(served: Serve) -> None:
    content = file(table(bill_1=[1.0]))
    for body in (
        b"",
        b"PAR1",
        b"customer_id\n1\n",
        content[:-1],
        content[4:],
        content[:300] + content[-300:],
    ):
        with pytest.raises(
            Problem, match="the body must be a Parquet file, got something damaged or cut off"
        ):
            scored(served("churn"), PARQUET, [body])


def test_pages_too_large_are_refused_before_they_are_uncompressed(served: Serve) -> None:
    words = ["x" * 30_000_000, "y" * 30_000_000]
    content = file(table(contract=words), compression="zstd", use_dictionary=False, data_page_size=1 << 30)
    assert len(content) < 100_000
    with pytest.raises(Problem, match="pages of the Parquet file are too large") as told:
        scored(served("churn"), PARQUET, [content])
    assert told.value.status == 413


def test_a_file_larger_than_its_room_is_refused(served: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    content = file(table(bill_1=[float(n) for n in range(1_000)]))
    with pytest.raises(Problem, match="may have 1024 bytes") as told:
        scored(served("churn"), PARQUET, [content], spool_bytes=1_024)
    assert told.value.status == 413

    def fails(*_: object, **__: object) -> None:
        raise FileNotFoundError("no usable temporary directory")

    monkeypatch.setattr("app.score.spool.tempfile.TemporaryFile", fails)
    assert len(read(scored(served("churn"), PARQUET, [content]))) == 1_000
    monkeypatch.setattr("app.score.spool._IN_MEMORY", 1_024)
    with pytest.raises(Problem, match="the service has no folder to write to") as told:
        scored(served("churn"), PARQUET, [content])
    assert told.value.status == 503


def test_nothing_stays_on_disk(served: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []
    real = tempfile.TemporaryFile

    def listened() -> Any:
        opened.append(real())
        return opened[-1]

    monkeypatch.setattr("app.score.spool.tempfile.TemporaryFile", listened)
    scored(served("churn"), PARQUET, [file(table(bill_1=[1.0]))])
    with pytest.raises(Problem):
        scored(served("churn"), PARQUET, [b"nothing"])
    assert [one.closed for one in opened] == [True, True]


def test_no_damage_does_harm(served: Serve) -> None:
    """Bits are flipped, most of them in the footer and the heads of pages, which are most of a small file."""
    model, draw = served("purchase"), random.Random(0)
    refused: list[int] = []
    content = file(log_table(customer_id=["a", "b", "a"]), row_group_size=2)
    for number in range(300):
        damaged = bytearray(content[: draw.randrange(len(content))] if number % 10 == 0 else content)
        for _ in range(draw.choice([1, 1, 4])):
            if damaged:
                damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        try:
            scored(model, PARQUET, [bytes(damaged)])
        except Problem as problem:
            refused.append(problem.status)
    assert len(refused) > 100
    assert set(refused) <= {400, 413, 422}


def test_a_footer_that_would_end_the_process_is_refused(served: Serve) -> None:
    """pyarrow 26 reads a column's metadata without catching C++'s exceptions; this is read without it."""
    content = file(log_table(), write_page_index=True)
    spool = Spool.open(1 << 20)
    reader = ParquetReader(served("purchase"), 0, 1 << 22, spool)
    list(reader.feed(content[:-8] + b"\x00" * 4 + content[-4:]))
    with pytest.raises(Problem):
        list(reader.end())
    spool.close()
