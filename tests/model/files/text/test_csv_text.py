"""Text files -> cells: delimiters, quotes, encodings, and rows that do not fit the header."""

import gzip
from pathlib import Path

import pytest

from model.files.table import read_table
from tests.model.files.written import listed, plain, read, refusal, write

CDNOW = (
    " customer_id  date number_of_cds  dollar_value\r\n"
    " 00001 19970101  1   11.77\r\n"
    " 00002 19970112  1   12.00\r\n"
    " 00002 19970112  5   77.00\r\n"
)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(tmp_path: Path, delimiter: str) -> None:
    content = "name,plan,spent\nAnn,gold,2.5\nBob,,3\n".replace(",", delimiter)
    assert read(tmp_path, content) == {"name": ["Ann", "Bob"], "plan": ["gold", None], "spent": [2.5, 3.0]}


def test_a_delimiter_inside_quotes_is_text(tmp_path: Path) -> None:
    assert read(tmp_path, '"a;b;c",d\n"1;2",3\n') == {"a;b;c": ["1;2"], "d": [3.0]}


def test_runs_of_blanks_delimit_where_nothing_else_does(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, CDNOW, "CDNOW_master.txt"), texts=["date"])
    assert plain(table) == {
        "customer_id": ["00001", "00002", "00002"],
        "date": ["19970101", "19970112", "19970112"],
        "number_of_cds": [1.0, 1.0, 5.0],
        "dollar_value": [11.77, 12.0, 77.0],
    }
    assert table.n_rows == 3
    assert table.notes == ()


def test_one_column_whose_name_holds_a_blank(tmp_path: Path) -> None:
    assert read(tmp_path, "customer id\nx\ny\n") == {"customer id": ["x", "y"]}


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeffid,é\n1,ü\n") == {"id": [1.0], "é": ["ü"]}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_line_ending_will_do(tmp_path: Path, newline: str) -> None:
    assert read(tmp_path, newline.join(["a,b", "1,x", "2,y"])) == {"a": [1.0, 2.0], "b": ["x", "y"]}


def test_quoted_cells_may_hold_newlines_and_quotes(tmp_path: Path) -> None:
    content = '"the\nname",note\n1,"two\nlines"\n2,"say ""hi"""\n'
    assert read(tmp_path, content) == {"the\nname": [1.0, 2.0], "note": ["two\nlines", 'say "hi"']}


def test_names_are_kept_but_for_outer_blanks(tmp_path: Path) -> None:
    assert list(read(tmp_path, "  Call  Failure ,emp.var.rate\n1,2\n")) == ["Call  Failure", "emp.var.rate"]


def test_a_column_without_a_name_gets_one(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, ",a\n0,1\n"))
    assert list(table.columns) == ["column 1", "a"]
    assert table.notes == ("t.csv: named 1 column without a name 'column 1'.",)


def test_a_header_below_blank_lines(tmp_path: Path) -> None:
    assert read(tmp_path, "\n\na,b\n\n1,x\n\n2,y\n\n") == {"a": [1.0, 2.0], "b": ["x", "y"]}


def test_gzip_is_known_by_its_bytes(tmp_path: Path) -> None:
    zipped = gzip.compress(b"a,b\n1,x\n") + gzip.compress(b"2,y\n")
    assert read(tmp_path, zipped, "t.csv.gz") == {"a": [1.0, 2.0], "b": ["x", "y"]}
    assert read(tmp_path, zipped, "t.csv") == {"a": [1.0, 2.0], "b": ["x", "y"]}


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(b"a,b\n" + b"1,x\n" * 1000)[:-12], "t.csv.gz")
    assert refusal(path).startswith("t.csv.gz is damaged and cannot be unpacked (")


def test_rows_with_too_many_or_few_fields_are_counted(tmp_path: Path) -> None:
    rows = [f"{n},x" for n in range(60)]
    rows[1:1], rows[40:40] = ["1"], ["\n5,6,7"]
    table = read_table(write(tmp_path, "a,b\n" + "\n".join(rows)))
    assert table.n_rows == 60
    assert listed(table.columns["a"]) == list(range(60))
    assert table.notes == (
        "t.csv: left out 2 rows of 62: row 3 must have the header's 2 fields, got 1; "
        "row 42 must have the header's 2 fields, got 3.",
    )


def test_the_header_is_row_1_however_many_lines_it_has(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, '\n"a\nb",c\n' + "1\n" + "1,2\n" * 20))
    assert table.notes == ("t.csv: left out 1 row of 21: row 2 must have the header's 2 fields, got 1.",)


def test_only_the_first_bad_rows_are_shown(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "a,b\n" + "1\n" * 7 + "1,2\n" * 200))
    shown = "; ".join(f"row {n} must have the header's 2 fields, got 1" for n in range(2, 7))
    assert table.notes == (f"t.csv: left out 7 rows of 207: {shown}; and 2 more.",)


@pytest.mark.parametrize("n_bad", [3, 5000])
def test_many_bad_rows_are_refused(tmp_path: Path, n_bad: int) -> None:
    path = write(tmp_path, "a,b\n" + "1,2\n" * 40 + "1,2,3\n" * n_bad + "1,2\n" * n_bad)
    assert refusal(path).startswith("t.csv must hold rows that can be read, got ")
    assert " lines that cannot: row 42 must have the header's 2 fields, got 3; row 43 " in refusal(path)
    assert refusal(path).endswith(". Put texts that hold the delimiter ',' in quotes.")


def test_a_quote_that_is_never_closed_swallows_no_rows_in_silence(tmp_path: Path) -> None:
    in_last_column = write(tmp_path, 'a,b\n1,"x\n' + "2,y\n" * 40)
    assert refusal(in_last_column) == 't.csv has a quote (") that is never closed. Close or remove it.'
    assert refusal(in_last_column, only=["a"]) == refusal(in_last_column)
    in_first_column = write(tmp_path, "a,b\n" + "2,y\n" * 40 + '"1,x\n' + "2,y\n" * 40)
    assert refusal(in_first_column) == refusal(in_last_column)


def test_a_row_longer_than_the_parser_s_block_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.files.text.csv_text._BLOCK", 1 << 20)
    path = write(tmp_path, 'a,b\n"' + "1,2\n" * (1 << 20))
    assert refusal(path) == (
        "t.csv must have rows of at most 1 MiB, got a longer one. "
        'Close the quote (") that may stand open in it.'
    )


def test_other_encodings_are_refused_with_the_place(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1,é\n2,André\n".encode() + "3,Müller\n".encode("latin-1"))
    assert refusal(path) == (
        "t.csv must be UTF-8 text, got the byte 0xfc in line 4 (byte 22 of the file). "
        "Save it as UTF-8, or convert it: iconv -f windows-1252 -t utf-8 OLD > NEW"
    )
    assert "the byte 0xc3 in line 3 (byte 9 of the file)" in refusal(write(tmp_path, b"a,b\n1,2\n\xc3"))


@pytest.mark.parametrize("bad_row", [b"\xe9\n", b"\xe9,2,3\n"])
def test_a_bad_row_in_another_encoding(tmp_path: Path, bad_row: bytes) -> None:
    assert "the byte 0xe9 in line 3" in refusal(write(tmp_path, b"a,b\n1,2\n" + bad_row + b"1,2\n" * 50))


def test_characters_may_lie_across_two_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.files.text.csv_text._BLOCK", 1001)
    table = read_table(write(tmp_path, "a,b\n" + "é,x\n" * 5000), only=["a"])
    assert table.n_rows == 5000
    assert table.columns["a"].values == ("é",)  # type: ignore[union-attr]


@pytest.mark.parametrize("ending", ["", "\n"])
def test_blank_separated_lines_may_lie_across_two_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr("model.files.text.csv_text._BLOCK", 1001)
    table = read_table(write(tmp_path, " a  b" + "\n  12   x " * 5000 + ending))
    assert table.n_rows == 5000
    assert table.columns["b"].values == ("x",)  # type: ignore[union-attr]
    assert (table.columns["a"] == 12).all()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "t.csv must hold rows, got an empty file"),
        ("\n \n\n", "t.csv must hold a header and rows, got an empty file"),
        ("a,b", "t.csv must hold rows, got none"),
        ("a,b\n\n\n", "t.csv must hold rows, got none"),
        (
            "a,b,a,c,b\n1,2,3,4,5\n",
            "t.csv must name each column once, got 'a', 'b' again. Rename them.",
        ),
        ("a, a\n1,2\n", "t.csv must name each column once, got 'a' again. Rename them."),
    ],
)
def test_unusable_headers(tmp_path: Path, content: str, message: str) -> None:
    assert refusal(write(tmp_path, content)) == message


def test_a_header_in_mid_file_is_no_row(tmp_path: Path) -> None:
    lines = ["name,plan", "Ann,gold", "name,plan", "Bob", "Cid,plan", "name,plan"]
    table = read_table(write(tmp_path, "\n".join([*lines, *["Dee,x"] * 20])))
    assert plain(table) == {"name": ["Ann", "Cid", *["Dee"] * 20], "plan": ["gold", "plan", *["x"] * 20]}
    assert list(table.unread) == [1, 2, 4]
    assert table.unread[4] == "must hold values, got the header again"
    assert "row 3 must hold values, got the header again; row 4 must have the header's" in table.notes[0]
    assert plain(read_table(tmp_path / "t.csv", only=["plan"]))["plan"][:2] == ["gold", "plan"]


def test_many_headers_are_no_reason_to_refuse_a_file(tmp_path: Path) -> None:
    assert read(tmp_path, "a,b\n1,2\n" * 5) == {"a": [1.0] * 5, "b": [2.0] * 5}
    assert read(tmp_path, "a,b,\n1,2,\n" * 5) == {"a": [1.0] * 5, "b": [2.0] * 5}
    assert read(tmp_path, "a\na\nb\n") == {"a": ["a", "b"]}
