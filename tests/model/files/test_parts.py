"""Folders and globs: what is no data is passed over and named, the rest is one table or one log."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from model.errors import EmptyFileError
from model.files.dataset import load_dataset
from model.files.events import EventColumns
from model.files.table import read_table
from tests.model.files.written import plain, write


def fill(folder: Path, suffix: str) -> None:
    (folder / "_temporary").mkdir()
    for name in ("_SUCCESS", "._1.csv", ".2.crc", f"_temporary/9.{suffix}"):
        write(folder, b"\0\xff", name)


def test_a_folder_of_csv_parts_is_one_table(tmp_path: Path) -> None:
    fill(tmp_path, "csv")
    write(tmp_path, "id,n\na,1\n", "1.csv")
    write(tmp_path, "n,id\n2,b\n" + "3,c\n" * 30 + "4\n", "2.csv")
    write(tmp_path, "id,n\n", "3.csv")
    write(tmp_path, "", "4.csv")
    table = read_table(tmp_path)
    assert plain(table) == {"id": ["a", "b", *"c" * 30], "n": [1.0, 2.0, *[3.0] * 30]}
    assert list(table.unread) == [32]
    said = "\n".join(table.notes)
    for words in ("'_SUCCESS'", "'_temporary/9.csv'", "2 files without rows: '4.csv', '3.csv'"):
        assert words in said
    assert "row 33 (2.csv row 33) must have the header's 2 fields, got 1" in said


@pytest.mark.parametrize("form", ["*.csv", ""])
def test_empty_parts_of_a_log_are_passed_over(tmp_path: Path, form: str) -> None:
    fill(tmp_path, "csv")
    write(tmp_path, "id,t\na,2024-01-01\n", "1.csv")
    write(tmp_path, "id,t\n", "2.csv")
    write(tmp_path, "", "3.csv")
    dataset = load_dataset(None, tmp_path / form, event_columns=EventColumns("id", "t"))
    assert dataset.ids == ("a",)
    assert any(
        note.endswith(": passed over 2 files without rows: '3.csv', '2.csv'.") for note in dataset.notes
    )
    assert any("'._1.csv'" in note for note in dataset.notes)


def test_parquet_parts_of_other_types_are_one_column(tmp_path: Path) -> None:
    fill(tmp_path, "parquet")
    for number, column in enumerate((pa.array([1]), pa.array([2.5]), pa.array([], pa.string()))):
        pq.write_table(pa.table({"n": column}), tmp_path / f"{number}.parquet")
    assert plain(read_table(tmp_path)) == {"n": [1.0, 2.5]}


def test_a_folder_of_empty_parts_alone_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "", "1.csv")
    with pytest.raises(EmptyFileError):
        read_table(tmp_path)
