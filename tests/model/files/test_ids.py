"""Ids that differ in their spelling alone are told, each way once."""

import pytest

from model.files.ids import spelling_notes


@pytest.mark.parametrize(
    ("ids", "what"),
    [
        (["12", "12.0", "13"], "'.0' at the end, such as '12' and '12.0'"),
        (["a1", "A1"], "upper and lower case, such as 'a1' and 'A1'"),
        (["007", "7"], "zeros at the start, such as '007' and '7'"),
        (["x\u200b", "x"], "invisible characters or blanks, such as"),
    ],
)
def test_ids_that_differ_in_spelling(ids: list[str], what: str) -> None:
    (note,) = spelling_notes(ids)
    assert note.startswith(f"Of {len(ids)} ids, 1 differs from another only in {what}")


def test_the_example_differs_in_what_the_note_says() -> None:
    blanks, case = spelling_notes(["u1", "u1\u200b", "U1"])
    assert "such as 'u1' and 'u1\\u200b'" in blanks
    assert "such as 'u1' and 'U1'" in case


def test_other_ids_are_nothing_to_tell() -> None:
    assert spelling_notes(["a", "b", "1", "10", "1.5", "0"]) == []
    assert spelling_notes([]) == []


def test_ids_that_a_spreadsheet_rounded_are_told() -> None:
    (note,) = spelling_notes(["4.91521E+11", "491521000001", "1e5"])
    assert note.startswith("1 id such as '4.91521E+11' is rounded, as spreadsheets write long numbers")
