"""The lines around a header that are no data, and delimiters at the ends of rows."""

from pathlib import Path

import pytest

from model.files.table import read_table
from tests.model.files.written import plain, read, refusal, write

TABLE = "id,age,spent\nx,31,2.5\ny,32,3\nz,33,4\nw,34,5\n"
COLUMNS = {"id": ["x", "y", "z", "w"], "age": [31.0, 32.0, 33.0, 34.0], "spent": [2.5, 3.0, 4.0, 5.0]}


@pytest.mark.parametrize(
    "above",
    [
        "# written by a tool, on Monday\n#\n",
        "Customers of May\n\n",
        "Customers of May,,\n,,\n",
        "sep=,\n",
        '"sep=,"\r\n# a\n',
    ],
)
def test_lines_above_the_header_are_passed_over_and_named(tmp_path: Path, above: str) -> None:
    table = read_table(write(tmp_path, above + TABLE))
    assert plain(table) == COLUMNS
    assert table.notes[0].startswith("t.csv: passed over ")
    assert " above the header: " in table.notes[0]


def test_the_separator_that_a_spreadsheet_states_is_used(tmp_path: Path) -> None:
    assert read(tmp_path, "sep=;\na,b;c\n1;2\n") == {"a,b": [1.0], "c": [2.0]}


def test_a_header_may_begin_with_the_mark_of_a_comment(tmp_path: Path) -> None:
    assert read(tmp_path, "#" + TABLE) == COLUMNS
    assert read(tmp_path, "# id,age,spent" + TABLE.removeprefix("id,age,spent")) == COLUMNS


def test_a_row_of_units_is_passed_over_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    rows = "x,31,2.5\n" * 30
    table = read_table(write(tmp_path, "id,age,spent\n,years,(EUR)\n" + rows + "1,2\n"))
    assert table.n_rows == 30
    assert table.notes[0] == (
        "t.csv: passed over row 2, which holds units or a second header: '', 'years', '(EUR)'."
    )
    assert "row 33 must have the header's 3 fields, got 2" in table.notes[1]


def test_a_first_customer_of_missing_values_is_no_row_of_units(tmp_path: Path) -> None:
    text = "id,age,spent\nv,NA,n/a\n" + TABLE.removeprefix("id,age,spent\n")
    assert read(tmp_path, text)["id"] == ["v", "x", "y", "z", "w"]


@pytest.mark.parametrize("header", ["id,age,spent,\n", "id,age,spent\n"])
def test_delimiters_at_the_ends_of_rows_make_no_column(tmp_path: Path, header: str) -> None:
    rows = TABLE.split("\n", 1)[1].replace("\n", ",\n")
    assert read(tmp_path, header + rows) == COLUMNS


def test_a_delimiter_at_the_end_of_the_header_alone_makes_no_column(tmp_path: Path) -> None:
    assert read(tmp_path, TABLE.replace("spent\n", "spent,\n")) == COLUMNS


def test_a_header_with_too_few_names_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = write(tmp_path, "age,spent\n" + TABLE.split("\n", 1)[1])
    assert refusal(path).endswith(". Its header has 2 names and its rows 3 fields: name each.")


def test_json_is_refused_with_the_remedy(tmp_path: Path) -> None:
    assert "must be delimited text, got JSON" in refusal(write(tmp_path, '[{"a": 1}]'))
