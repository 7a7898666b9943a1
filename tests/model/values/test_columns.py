"""A value means the same from any source and beside any other values of its column."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.errors import DataError
from model.times import MISSING_TIME, parse_time
from model.values.columns import (
    Column,
    RowIndex,
    Texts,
    as_booleans,
    as_codes,
    as_instants,
    as_numbers,
    as_texts,
    column_of,
    format_number,
    gather,
    is_missing,
    parse_number,
    take,
    texts_of,
)

MARKS = ["", "NA", "na", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None", "none", "<NA>", "<na>"]

# --- missing


@pytest.mark.parametrize("mark", [None, math.nan, *MARKS, *(f" \t{mark} " for mark in MARKS)])
def test_every_missing_mark_is_missing_to_every_reader(mark: object) -> None:
    column = column_of([mark, "1"])
    assert np.isnan(as_numbers(column)).tolist() == [True, False]
    assert np.isnan(as_booleans(column)).tolist() == [True, False]
    assert as_codes(column, ("1", "nan", "")).tolist() == [0, 2]
    assert as_instants(column, "unix").tolist() == [MISSING_TIME, parse_time("1", "unix")]
    texts = as_texts(column)
    assert texts.codes.tolist() == [-1, 0]
    assert texts.values == ("1",)


@pytest.mark.parametrize("text", ["-", "?", "unknown", "n a", "none of these", "0", "false", "nil", "nat"])
def test_other_texts_are_values(text: str) -> None:
    assert not is_missing(text)
    assert as_codes(column_of([text]), (text,)).tolist() == [2]


def test_a_column_of_nothing_but_missing_values_is_one_of_numbers() -> None:
    column = column_of([None, None])
    assert isinstance(column, np.ndarray)
    assert np.isnan(as_numbers(column)).all()
    assert as_codes(column, ("nan",)).tolist() == [0, 0]
    assert as_instants(column).tolist() == [MISSING_TIME, MISSING_TIME]


def test_a_missing_value_is_not_an_unknown_one() -> None:
    assert as_codes(column_of([None, "gone", "a", "b", ""]), ("b", "a")).tolist() == [0, 1, 3, 2, 0]
    assert as_codes(column_of([None, 7, 8]), ("7",)).tolist() == [0, 2, 1]
    assert as_codes(column_of(["a", None]), ()).tolist() == [1, 0]


# --- one category for all its spellings


@pytest.mark.parametrize(
    "cells",
    [[3], [3.0], ["3"], [" 3 "], [3, None], [3.0, "x"], [3, "x"], ["3", 4], [3.0, 2.5], [3, True]],
)
def test_three_is_one_category(cells: list[object]) -> None:
    assert as_codes(column_of(cells), ("2.5", "3"))[0] == 3


@pytest.mark.parametrize("cells", [[2.5], ["2.5"], [2.5, "x"], [2.5, None]])
def test_two_and_a_half_is_one_category(cells: list[object]) -> None:
    assert as_codes(column_of(cells), ("2.5", "3"))[0] == 2


@pytest.mark.parametrize("cells", [[True], [True, 3], [True, "x"], ["true"]])
def test_true_is_one_category_and_not_the_number_one(cells: list[object]) -> None:
    assert as_codes(column_of(cells), ("1", "true"))[0] == 3


def test_case_and_inner_blanks_tell_categories_apart() -> None:
    assert as_codes(column_of(["Basic", "basic", "ba sic"]), ("basic",)).tolist() == [1, 2, 1]


@pytest.mark.parametrize(
    ("number", "text"),
    [(3.0, "3"), (-3.0, "-3"), (-0.0, "0"), (2.5, "2.5"), (0.1, "0.1"), (1e15 - 1, "999999999999999")],
)
def test_numbers_are_spelt_as_a_file_would(number: float, text: str) -> None:
    assert format_number(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_spelt_number_reads_back_as_itself(number: float) -> None:
    assert parse_number(format_number(number)) == number


cells = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.sampled_from(["3", " yes "])
)


@given(cells, st.lists(cells, max_size=4))
@example(own=10**15, others=["x"])
@example(own=2**60 + 1, others=["x"])
@example(own=1e15, others=["x"])
def test_what_a_cell_means_does_not_depend_on_the_cells_beside_it(own: Any, others: list[Any]) -> None:
    def meanings(column: Column) -> list[float]:
        (alone,) = as_texts(column_of([own])).values or ("absent",)
        readings = (as_numbers, as_booleans, lambda c: as_codes(c, ("zzz", alone)))
        return [float(read(column)[0]) for read in readings]

    alone, crowded = meanings(column_of([own])), meanings(column_of([own, *others]))
    assert np.array_equal(alone, crowded, equal_nan=True)


# --- readers


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12.5", 12.5),
        (" -3 ", -3.0),
        ("1e3", 1000.0),
        ("+4", 4.0),
        (".5", 0.5),
        ("007", 7.0),
        ("1e300", 1e300),
    ],
)
def test_texts_that_are_numbers(text: str, number: float) -> None:
    assert as_numbers(column_of([text, "x"])).tolist()[0] == number


@pytest.mark.parametrize(
    "cell", ["1,234.5", "1_000", "inf", "-Infinity", "1e400", "12 EUR", "0x10", True, math.inf, 10**400]
)
def test_what_is_not_a_finite_number_is_missing(cell: object) -> None:
    assert math.isnan(as_numbers(column_of([cell]))[0])


@pytest.mark.parametrize("cell", [True, 1, 1.0, "1", "true", " TRUE ", "t", "Yes", "y", "Y"])
def test_what_is_true(cell: object) -> None:
    assert as_booleans(column_of([cell]))[0] == 1.0
    assert as_booleans(column_of([cell, "x"]))[0] == 1.0


@pytest.mark.parametrize("cell", [False, 0, 0.0, "0", "false", "FALSE", " f", "No", "n"])
def test_what_is_false(cell: object) -> None:
    assert as_booleans(column_of([cell]))[0] == 0.0
    assert as_booleans(column_of([cell, "x"]))[0] == 0.0


@pytest.mark.parametrize("cell", [2, -1, 0.5, "maybe", "on", None, ""])
def test_what_is_neither_true_nor_false(cell: object) -> None:
    assert math.isnan(as_booleans(column_of([cell]))[0])


@pytest.mark.parametrize(
    ("cells", "time_format"),
    [
        (["1997-03-01"], None),
        ([" 1997-03-01T02:00:00+02:00 "], None),
        (["01.03.1997"], "%d.%m.%Y"),
        ([19970301, None], "%Y%m%d"),
        ([19970301.0, "x"], "%Y%m%d"),
        ([857174400], "unix"),
        ([857174400.0, "x"], "unix"),
        (["857174400"], "unix"),
    ],
)
def test_times_in_every_format_and_form(cells: list[object], time_format: str | None) -> None:
    assert as_instants(column_of(cells), time_format)[0] == parse_time("1997-03-01")


def test_a_text_that_is_no_time_of_the_format_is_missing() -> None:
    got = as_instants(column_of(["01.03.1997", "1997-03-01", "31.02.1997", "soon", None]), "%d.%m.%Y")
    assert got.tolist() == [parse_time("1997-03-01"), *[MISSING_TIME] * 4]
    assert got.dtype == np.int64


def test_each_distinct_text_is_parsed_once() -> None:
    parsed: list[str] = []

    def parse(text: str) -> float:
        parsed.append(text)
        return float(text)

    texts = texts_of(np.array([1, 0, -1, 1, 1]), ("2", "5"))
    np.testing.assert_array_equal(gather(texts, parse, math.nan), [5.0, 2.0, math.nan, 5.0, 5.0])
    assert parsed == ["2", "5"]


# --- building columns


def test_raw_codes_are_stripped_merged_and_rid_of_missing_marks() -> None:
    texts = texts_of(np.array([0, 1, 2, 3, -1, 4]), (" a", "a ", "NaN", "b", "A"))
    assert texts.values == ("a", "b", "A")
    assert texts.codes.tolist() == [0, 0, -1, 1, -1, 2]
    assert texts.codes.dtype == np.int32


def test_texts_without_values_or_rows() -> None:
    assert texts_of(np.array([-1, -1]), ()).codes.tolist() == [-1, -1]
    assert len(texts_of(np.array([], dtype=np.int64), ("a",))) == 0
    assert len(column_of([])) == 0


def test_numbers_alone_stay_numbers() -> None:
    column = column_of([1, 2.5, None])
    assert isinstance(column, np.ndarray)
    assert column.dtype == np.float64


def test_a_whole_number_too_long_for_a_float_keeps_its_digits() -> None:
    assert as_texts(column_of([9007199254740993, 1])).values == ("9007199254740993", "1")


@pytest.mark.parametrize(("value", "kind"), [([1], "list"), ({"a": 1}, "dict"), (b"x", "bytes")])
def test_a_value_that_is_no_scalar_is_refused(value: object, kind: str) -> None:
    with pytest.raises(DataError) as error:
        column_of([1, value])
    assert str(error.value) == f"a value must be a number, text, boolean or null, got {kind}"


@pytest.mark.parametrize("rows", [slice(1, 3), np.array([3, 0, 0]), np.array([], dtype=np.int64)])
@pytest.mark.parametrize("column", [column_of([1, None, 3, 4]), column_of(["a", None, "c", "d"])])
def test_rows_taken_of_a_column_are_its_rows(column: Column, rows: RowIndex) -> None:
    taken, known = take(column, rows), ("1", "3", "a", "c")
    assert as_codes(taken, known).tolist() == as_codes(column, known)[rows].tolist()
    assert isinstance(taken, Texts) == isinstance(column, Texts)
