"""A file of scores appears whole or not at all."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from model.errors import DataError
from model.files.writers import open_scores

SCHEMA = pa.schema([("customer_id", pa.string()), ("probability", pa.float64())])


def rows(*ids: str) -> pa.Table:
    return pa.table({"customer_id": list(ids), "probability": [0.1] * len(ids)}, schema=SCHEMA)


def write(path: Path, blocks: Iterable[pa.Table]) -> None:
    with open_scores(path, SCHEMA) as writer:
        for block in blocks:
            writer.write_table(block)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["out.csv", "OUT.CSV"])
def test_csv(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, [rows("007", 'a "b", c'), rows("größer")])
    assert (tmp_path / name).read_text(encoding="utf-8") == (
        'customer_id,probability\n"007",0.1\n"a ""b"", c",0.1\n"größer",0.1\n'
    )
    assert names(tmp_path) == [name]


def test_parquet(tmp_path: Path) -> None:
    write(tmp_path / "out.parquet", [rows("007"), rows("8")])
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert table.to_pydict() == {"customer_id": ["007", "8"], "probability": [0.1, 0.1]}
    assert table.schema.equals(SCHEMA)
    assert names(tmp_path) == ["out.parquet"]


def test_no_row_at_all_is_a_file_with_a_header(tmp_path: Path) -> None:
    write(tmp_path / "out.csv", [])
    assert (tmp_path / "out.csv").read_text() == "customer_id,probability\n"


def test_a_file_that_was_there_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("old " * 1_000)
    write(tmp_path / "out.csv", [rows("1")])
    assert (tmp_path / "out.csv").read_text() == 'customer_id,probability\n"1",0.1\n'


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_an_error_half_way_leaves_what_was_there(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("old")
    with pytest.raises(ZeroDivisionError):
        write(tmp_path / name, (rows(str(1 // left)) for left in (1, 0)))
    assert (tmp_path / name).read_text() == "old"
    assert names(tmp_path) == [name]


@pytest.mark.parametrize("name", ["out.txt", "out", "out.csv.gz", ".csv"])
def test_another_suffix_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError) as caught:
        write(tmp_path / name, [rows("1")])
    assert str(caught.value) == f"--out must end in .csv or .parquet, got {name!r}"
    assert names(tmp_path) == []


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"--out must lie in a folder that is there, got .*nowhere/out\.csv"):
        write(tmp_path / "nowhere" / "out.csv", [rows("1")])
