"""The formats of columns of dates: one order of day and month for a table, epochs, mixtures."""

import pytest

from model.files.dates import DateFormat, date_formats, mixed_formats
from model.values.columns import column_of

AMBIGUOUS = ["01/02/2024", "01/08/2024"]


def test_one_order_of_day_and_month_for_all_columns_of_a_table() -> None:
    found = date_formats({"end": column_of(AMBIGUOUS), "start": column_of(["21/06/2023", "01/02/2023"])})
    assert found["start"] == DateFormat("%d/%m/%Y")
    assert found["end"] == DateFormat(
        "%d/%m/%Y",
        "'end': dates that fit both %d/%m/%Y and %m/%d/%Y were read as %d/%m/%Y as in other columns. If "
        'that is wrong, set data.customers.dates: {end: "%m/%d/%Y"}.',
    )


def test_columns_that_nothing_decides_have_one_order() -> None:
    found = date_formats({"a": column_of(AMBIGUOUS), "b": column_of(["1-2-24", "3-4-24"])})
    assert [one.time_format for one in found.values()] == ["%m/%d/%Y", "%m-%d-%y"]


def test_what_the_study_states_is_not_guessed() -> None:
    columns = {"a": column_of(AMBIGUOUS), "b": column_of(["x"])}
    assert date_formats(columns, {"a": "%d/%m/%Y", "absent": "%Y"}) == {"a": DateFormat("%d/%m/%Y")}


def test_both_orders_in_one_column_are_noted() -> None:
    dates = [*(f"{day}/01/2024" for day in range(1, 29)), "01/31/2024"]
    assert date_formats({"a": column_of(dates)})["a"] == DateFormat(
        "%d/%m/%Y",
        "'a': dates of two formats: 16 values can be day-first only and 1 month-first only. They were read "
        "as %d/%m/%Y, the others as missing; write them in one format.",
    )


def test_dates_in_iso_8601_beside_a_format_are_noted() -> None:
    found = date_formats({"a": column_of([*(f"01/{day}/2024" for day in range(1, 29)), "2024-03-01"])})
    assert found["a"] == DateFormat(
        "%m/%d/%Y", "'a': read 1 cell in ISO 8601 beside those in the format '%m/%d/%Y'."
    )


@pytest.mark.parametrize(
    ("numbers", "time_format"),
    [
        ([1_672_649_503, 1_673_245_193], "unix"),
        ([1_672_649_503_000.0, None], "unix_ms"),
        (["1672649503000000", "?"] + ["1672649503000001"] * 9, "unix_us"),
        ([1_672_649_503_000_000_000], "unix_ns"),
        ([20240514, 20240601], "%Y%m%d"),
        ([202405, 202412], "%Y%m"),
        ([20240514083000, 20240514083001], "%Y%m%d%H%M%S"),
        (["202405140830", "202405140831"], "%Y%m%d%H%M"),
    ],
)
def test_numbers_that_are_times(numbers: list[object], time_format: str) -> None:
    assert date_formats({"at": column_of(numbers)})["at"].time_format == time_format


@pytest.mark.parametrize("numbers", [[20240514, 20241341], [202405, 202413], [1000.0, 2000.0], [1_700_000.5]])
def test_numbers_that_are_none(numbers: list[object]) -> None:
    assert date_formats({"at": column_of(numbers)}) == {}


def test_several_formats_in_one_column() -> None:
    column = column_of(["04/14/2025", "04/15/2025", "14-Apr-2025", "16 Apr 2025"])
    assert date_formats({"a": column}) == {}
    assert mixed_formats(column) == (
        "it holds dates of several formats: 50% have the format '%m/%d/%Y', 50% have the format '%d %b %Y'. "
        "Write them in one."
    )
    assert mixed_formats(column_of(["a", "04/14/2025"])) == mixed_formats(column_of(["04/14/2025"])) == ""
