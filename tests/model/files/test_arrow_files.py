"""Parquet of every type -> the same columns as a CSV file would give."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from model.errors import DataError
from model.files.cells import column_from
from model.files.table import read_table
from model.times import DAY
from model.values.columns import as_dates
from tests.model.files.written import plain, refusal, write, written

HOUR = DAY // 24


def test_parquet_types(tmp_path: Path) -> None:
    moment = datetime(1997, 3, 1, 10, 30, tzinfo=UTC)
    table = pa.table(
        {
            "flag": [True, None, False],
            "day": [date(1997, 3, 1), None, date(1998, 1, 1)],
            "moment": pa.array([moment, None, moment], pa.timestamp("ns", "Europe/Paris")),
            "price": [Decimal("1.50"), None, Decimal("2.00")],
            "count": [1, None, 3],
            "float": pa.array([1.5, float("nan"), float("inf")], pa.float32()),
            "spelt": ["1", " 2.5", "N/A"],
            "code": ["007", "1", None],
            "word": pa.array(["a", None, "b"]).dictionary_encode(),
            "large": pa.array(["a", "b", None], pa.large_string()),
            "nothing": pa.nulls(3),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    raw = read_table(tmp_path / "t.parquet")
    assert plain(raw) == {
        "flag": ["true", None, "false"],
        "day": ["1997-03-01", None, "1998-01-01"],
        "moment": ["1997-03-01T10:30:00Z", None, "1997-03-01T10:30:00Z"],
        "price": [1.5, None, 2.0],
        "count": [1.0, None, 3.0],
        "float": [1.5, None, None],
        "spelt": [1.0, 2.5, None],
        "code": ["007", "1", None],
        "word": ["a", None, "b"],
        "large": ["a", "b", None],
        "nothing": [None, None, None],
    }
    assert raw.notes == ("'float': read 1 cell without a finite number, such as 'inf', as missing.",)


def test_times_say_whether_they_know_their_zone(tmp_path: Path) -> None:
    """Midnight in Z is no plain date: read in another zone, that would be another instant."""
    moments = [datetime(2021, 7, 1), datetime(2021, 7, 1, 10, 30, 0, 7)]  # noqa: DTZ001 - naive is meant
    columns = {
        "naive": pa.array(moments, pa.timestamp("us")),
        "aware": pa.array(
            [moment.replace(tzinfo=UTC) for moment in moments], pa.timestamp("us", "Asia/Tokyo")
        ),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    raw = read_table(tmp_path / "t.parquet")
    assert plain(raw) == {
        "naive": ["2021-07-01", "2021-07-01T10:30:00.000007"],
        "aware": ["2021-07-01T00:00:00Z", "2021-07-01T10:30:00.000007Z"],
    }
    naive, aware = (as_dates(raw.columns[name], None, "Europe/Berlin") for name in columns)
    assert (aware - naive).tolist() == [2 * HOUR, 2 * HOUR]


def test_parquet_ids_are_exact(tmp_path: Path) -> None:
    columns = {"whole": [2**53 + 1, None], "float": [17.0, None], "decimal": [Decimal(2**60), None]}
    places = {"places": pa.array([Decimal(10**28 + 1), Decimal(0)], pa.decimal128(38, 9))}
    pq.write_table(pa.table({**columns, **places}), tmp_path / "t.parquet")
    raw = read_table(tmp_path / "t.parquet", texts=[*columns, *places])
    assert plain(raw) == {
        "whole": ["9007199254740993", None],
        "float": ["17", None],
        "decimal": [str(2**60), None],
        "places": [str(10**28 + 1), "0"],
    }


def test_nested_parquet_columns_are_left_out_with_a_note(tmp_path: Path) -> None:
    pq.write_table(pa.table({" a.b ": [1], "list": [[1]], "raw": [b"\xff"]}), tmp_path / "t.parquet")
    raw = read_table(tmp_path / "t.parquet")
    assert plain(raw) == {"a.b": [1.0]}
    assert raw.notes == ("t.parquet: left out columns that are nested or binary: 'list', 'raw'.",)


def test_unusable_parquet(tmp_path: Path) -> None:
    assert refusal(write(tmp_path, "a,b\n1,2\n", "t.parquet")).startswith(
        "t.parquet cannot be read as Parquet: "
    )
    pq.write_table(pa.table({"a": pa.nulls(0)}), tmp_path / "t.parquet")
    assert refusal(tmp_path / "t.parquet") == "t.parquet must hold rows, got none"
    pq.write_table(pa.table({"a": [1], "a ": [2]}), tmp_path / "t.parquet")
    assert refusal(tmp_path / "t.parquet").startswith("t.parquet must name each column once, got 'a' again")


def test_an_arrow_stream_with_a_damaged_byte_is_read_or_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "t.arrows", pa.table({"a": ["x"]}))
    data, reasons = path.read_bytes(), []
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 64]) + data[place + 1 :])
        try:
            read_table(path)
        except DataError as error:
            reasons.append(str(error))
    assert any(reason.startswith("t.arrows is damaged: it names a length") for reason in reasons)


def test_a_csv_and_the_parquet_file_of_its_columns_read_alike(tmp_path: Path) -> None:
    path = write(tmp_path, "n,word,when\n1.5,x,1997-03-01\n,y,\n-2,,1998-01-01\n")
    columns = {
        "n": [1.5, None, -2.0],
        "word": ["x", "y", None],
        "when": [date(1997, 3, 1), None, date(1998, 1, 1)],
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    assert plain(read_table(path)) == plain(read_table(tmp_path / "t.parquet"))


@pytest.mark.parametrize("kind", [pa.float32(), pa.decimal128(12, 2), pa.float64()], ids=str)
def test_a_price_is_the_number_that_a_request_spells_whatever_its_type(kind: pa.DataType) -> None:
    prices = [0.1, 19.99, 1234.56, 0.0]
    array = pa.chunked_array([pa.array(prices).cast(kind, safe=False)])
    column = column_from(array)
    assert isinstance(column, np.ndarray)
    assert column.tolist() == prices


def test_bytes_that_are_texts_are_read_as_texts(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [b"a", None, "\u00e9".encode()]}), tmp_path / "t.parquet")
    assert plain(read_table(tmp_path / "t.parquet")) == {"id": ["a", None, "\u00e9"]}


def test_the_first_bytes_tell_the_form_whatever_the_name(tmp_path: Path) -> None:
    table = pa.table({"a": [1, 2]})
    pq.write_table(table, tmp_path / "parquet.csv")
    with pa.ipc.new_file(tmp_path / "file.arrow", table.schema) as file:
        file.write_table(table)
    for name in ("parquet.csv", "file.arrow"):
        assert plain(read_table(tmp_path / name)) == {"a": [1.0, 2.0]}
