"""Rows end where Arrow's parser sees their ends, however the text is cut."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv

from app.score.rows_of_text import ends

TEXTS = st.lists(st.sampled_from(["a", ",", '"', "\n", "\r", "\r\n", '"a\nb"', '""', " "]), max_size=30).map(
    lambda parts: "".join(parts).encode()
)
WIDE = 40  # more cells than a text can have


def rows(text: bytes) -> list[list[str]]:
    """The cells that Arrow reads, blank rows aside."""
    read: list[list[str]] = []

    def note(row: csv.InvalidRow) -> str:
        read.append([str(row.actual_columns), row.text])
        return "skip"

    if text.strip(b"\r\n"):
        csv.read_csv(
            pa.BufferReader(text),
            csv.ReadOptions(column_names=[str(n) for n in range(WIDE)], use_threads=False),
            csv.ParseOptions(newlines_in_values=True, invalid_row_handler=note),
        )
    return read


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.integers(0, 60))
def test_what_is_cut_at_the_end_of_a_row_holds_the_same_rows(text: bytes, at: int) -> None:
    first_end, last_end = ends(",")
    head, rest = text[:at], text[at:]
    end = last_end(head)
    assert first_end(head) <= end
    assert rows(head[:end]) + rows(head[end:] + rest) == rows(text)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        (b"a,b\nc", 4, 4),
        (b'"a\nb",c\nd', 8, 8),
        (b'a"\nb"\n', 3, 6),
        (b'"a""\n"\n"', 7, 7),
        (b'"a', 0, 0),
        (b"", 0, 0),
        (b"\r\n\r\na\r\nb", 2, 7),
    ],
)
def test_ends(text: bytes, first: int, last: int) -> None:
    first_end, last_end = ends(",")
    assert (first_end(text), last_end(text)) == (first, last)


def test_a_long_text_is_read_once() -> None:
    _, last_end = ends(";")
    assert last_end(b'a;"b\n"\n' * 100_000 + b'"' + b"c" * 1_000_000) == 700_000
