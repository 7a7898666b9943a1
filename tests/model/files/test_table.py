"""Tables on disk -> raw columns: what cells mean, choosing columns, chunks, paths."""

import csv
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.errors import DataError
from model.files.cells import read_column
from model.files.parts import find_files
from model.files.source import StrictRows, open_source, parts
from model.files.table import read_table
from model.values.columns import is_missing
from tests.model.files.written import listed, read, refusal, write, written


def test_numbers_written_as_text_are_numbers(tmp_path: Path) -> None:
    content = 'a,b,c,d\n"1", 2,1e3,-.5\n"2.5",3 ,NA,+4\n,nan,7,0.5\n'
    assert read(tmp_path, content) == {
        "a": [1.0, 2.5, None],
        "b": [2.0, 3.0, None],
        "c": [1000.0, None, 7.0],
        "d": [-0.5, 4.0, 0.5],
    }


def test_codes_and_mixed_columns_stay_texts(tmp_path: Path) -> None:
    content = 'zip,mixed,grouped,underscored\n007,1,"1,234",1_0\n12,x,2,3\n'
    assert read(tmp_path, content) == {
        "zip": ["007", "12"],
        "mixed": ["1", "x"],
        "grouped": ["1,234", "2"],
        "underscored": ["1_0", "3"],
    }


def test_texts_asked_for_are_exact(tmp_path: Path) -> None:
    content = "id,n\n9007199254740993,1.50\n1,2\n"
    assert read(tmp_path, content, texts=["id", "n"]) == {"id": ["9007199254740993", "1"], "n": ["1.50", "2"]}


@pytest.mark.parametrize("mark", ["", "NA", "n/a", "#N/A", "nan", "NULL", "None", "<NA>", "nUlL", "  "])
def test_missing_marks(tmp_path: Path, mark: str) -> None:
    assert read(tmp_path, f"a,b\n1,x\n{mark},{mark}\n") == {"a": [1.0, None], "b": ["x", None]}


def test_a_column_of_missing_marks_has_no_value(tmp_path: Path) -> None:
    assert read(tmp_path, "a,b,c\n1,,NA\n2,,nUll\n")["b"] == [None, None]


def test_infinite_numbers_are_counted_and_missing(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "a,b\n1,inf\n1e400,2\n-Infinity,3\n"))
    assert listed(table.columns["a"]) == [1.0, None, None]
    assert table.notes == (
        "'a': read 2 cells without a finite number, such as 'inf', as missing.",
        "'b': read 1 cell without a finite number, such as 'inf', as missing.",
    )


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    assert (
        refusal(tmp_path / "no.csv")
        == f"{tmp_path / 'no.csv'} must be a file, got a path where there is none"
    )
    assert refusal(tmp_path) == f"{tmp_path} must be a file, a folder of files or a glob; no file matches"


def test_columns_can_be_excluded_or_chosen(tmp_path: Path) -> None:
    content = "a,b,c\n1,x,2\n"
    assert read(tmp_path, content, exclude=["b"]) == {"a": [1.0], "c": [2.0]}
    assert read(tmp_path, content, exclude=["c"]) == {"a": [1.0], "b": ["x"]}
    assert read(tmp_path, content, only=["c", "a"]) == {"a": [1.0], "c": [2.0]}


def test_columns_that_are_not_there(tmp_path: Path) -> None:
    path = write(tmp_path, "customer_id,Plan\n1,x\n")
    listing = "its columns are 'customer_id', 'Plan'"
    assert refusal(path, only=["plan"]) == f"t.csv has no column 'plan'; did you mean 'Plan'? {listing}"
    assert refusal(path, exclude=["zzz"]) == f"t.csv has no column 'zzz'; {listing}"
    assert refusal(path, texts=["customer"]).startswith(
        "t.csv has no column 'customer'; did you mean 'customer_id'?"
    )
    assert (
        refusal(path, exclude=["Plan", "customer_id"]) == "t.csv must have a column to read; all are excluded"
    )
    assert refusal(path, exclude=["Plan"], texts=["Plan"]) == (
        "t.csv must have a column read or excluded, got 'Plan' as both"
    )


def test_a_wide_table(tmp_path: Path) -> None:
    names = [f"c{n}" for n in range(1000)]
    content = (
        ",".join(names) + "\n" + "\n".join(",".join(str(n * row) for n in range(1000)) for row in range(5))
    )
    table = read_table(write(tmp_path, content))
    assert list(table.columns) == names
    assert listed(table.columns["c999"]) == [0.0, 999.0, 1998.0, 2997.0, 3996.0]
    with pytest.raises(DataError, match=r"did you mean 'c999'\? its columns are 'c0', .*'c29' and 970 more$"):
        read_table(tmp_path / "t.csv", only=["C999"])


@pytest.mark.parametrize("suffix", ["csv", "parquet", "ndjson", "arrows"])
@pytest.mark.parametrize("rows", [1, 7, 20, 100])
def test_parts_are_the_whole(tmp_path: Path, suffix: str, rows: int) -> None:
    table = pa.table(
        {"id": [f"{n:03}" for n in range(40)], "n": [n / 2 for n in range(40)], "skipped": [""] * 40}
    )
    path = written(tmp_path / f"t.{suffix}", table)
    whole = read_table(path, exclude=["skipped"], texts=["id"])
    batches = list(parts(open_source(path).batches(["id", "n"]), rows))
    assert [batch.n_rows for batch in batches] == [min(rows, 40 - start) for start in range(0, 40, rows)]
    for name, column in whole.columns.items():
        read = [read_column(batch.cells[name], exact=name == "id") for batch in batches]
        assert [value for part in read for value in listed(part)] == listed(column)


def test_unread_rows_keep_their_places_in_parts(tmp_path: Path) -> None:
    lines = ["a,b", "1,2", "3", "4,5", "6", "7", "8,9", "1"]
    path = write(tmp_path, "\n".join(lines))
    found = [
        (part.n_rows, part.cells["a"].to_pylist(), part.places.tolist(), sorted(part.unread))
        for part in parts(open_source(path).batches(["a"]), 3)
    ]
    assert found == [(3, ["1", "4"], [0, 2], [1]), (3, ["8"], [2], [0, 1]), (1, [], [], [0])]


def test_batches_may_be_given_up_early(tmp_path: Path) -> None:
    batches = open_source(write(tmp_path, "a,b\n" + "1,2\n" * 1000)).batches(["a"])
    assert next(batches).n_rows == 1000
    batches.close()  # type: ignore[attr-defined]


def test_the_number_of_a_row_counts_the_header_and_unread_rows(tmp_path: Path) -> None:
    rows = StrictRows(open_source(write(tmp_path, "a,b\n1\n" + "1,2\n" * 40)))
    assert sum(len(batch.cells) for batch in rows.batches(["a"])) == 40
    assert [rows.row_name(index) for index in (0, 39)] == ["row 3", "row 42"]


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log" / "part").mkdir(parents=True)
    for name in ["log/2.parquet", "log/part/1.parquet", "log/_SUCCESS", "1997.csv", "1998.csv"]:
        write(tmp_path, "", name)
    assert find_files(tmp_path / "1997.csv").files == [tmp_path / "1997.csv"]
    assert find_files(tmp_path / "199?.csv").files == [tmp_path / "1997.csv", tmp_path / "1998.csv"]
    assert find_files(tmp_path / "log").files == [tmp_path / "log/2.parquet", tmp_path / "log/part/1.parquet"]
    assert find_files(tmp_path / "*" / "*.parquet").files == [tmp_path / "log/2.parquet"]
    monkeypatch.chdir(tmp_path)
    assert find_files(Path("*.csv")).files == [Path("1997.csv"), Path("1998.csv")]
    with pytest.raises(DataError, match=r"\*\.json must be a file, a folder of files or a glob; no file"):
        find_files(tmp_path / "*.json")


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(2, 4).flatmap(
        lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1)
    )
)
def test_what_is_written_as_csv_comes_back(tmp_path: Path, rows: list[list[str]]) -> None:
    names = [f"c{n}" for n in range(len(rows[0]))]
    with (tmp_path / "t.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([names, *rows])
    table = read_table(tmp_path / "t.csv", texts=names)
    wanted = [[cell.strip() for cell in row] for row in rows]
    assert [listed(table.columns[name]) for name in names] == [
        [None if is_missing(row[n]) else row[n] for row in wanted] for n in range(len(names))
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_come_back_exactly(tmp_path: Path, numbers: list[float | None]) -> None:
    rows = "".join(f"{'' if number is None else repr(number)},x\n" for number in numbers)
    table = read_table(write(tmp_path, "n,x\n" + rows))
    assert listed(table.columns["n"]) == numbers
