"""Groups by the values of a column: spellings together, rare values together, numbers and dates in ranges."""

from collections.abc import Sequence

import numpy as np

from model.files.dates import DateFormat
from model.values.columns import column_of
from training.fairness.groups import MOST, Groups, groups_by


def groups(values: Sequence[object], date: DateFormat | None = None) -> Groups:
    column = column_of(values)
    return groups_by("g", column, np.arange(len(column)), date=date, zone="UTC")


def sizes(found: Groups) -> dict[str, int]:
    return dict(zip(found.names, np.bincount(found.codes).tolist(), strict=True))


def test_spellings_of_a_value_are_one_group_and_missing_the_last() -> None:
    found = groups(["F"] * 6 + ["m"] * 9 + ["M", "M "] + [None] * 3)
    assert sizes(found) == {"m": 11, "F": 6, "missing": 3}
    assert found.codes[:6].tolist() == [1] * 6


def test_values_of_few_customers_are_one_group() -> None:
    assert sizes(groups(["a"] * 9 + ["b"] * 4 + ["c"])) == {"a": 9, "2 other values": 5}


def test_a_customer_counts_once_however_many_examples_there_are() -> None:
    column = column_of(["a"] * 6 + ["b"])
    found = groups_by("g", column, np.array([0, 1, 2, 3, 4, 5, *[6] * 10]), date=None, zone="UTC")
    assert sizes(found) == {"a": 6, "1 other value": 10}


def test_values_beyond_the_most_common_are_one_group() -> None:
    values = [f"v{i}" for i in range(MOST + 3) for _ in range(30 - i)]
    found = sizes(groups(values))
    assert list(found)[-1] == "3 other values"
    assert len(found) == MOST + 1


def test_many_numbers_are_cut_at_their_quartiles_and_few_are_values() -> None:
    found = groups([float(n) for n in range(40, 0, -1)] + [None])
    assert sizes(found) == {"1 to 10": 10, "11 to 20": 10, "21 to 30": 10, "31 to 40": 10, "missing": 1}
    assert sizes(groups([1, 0, 1, 1] * 5)) == {"1": 15, "0": 5}


def test_numbers_that_are_mostly_one_have_fewer_ranges() -> None:
    assert sizes(groups([0.0] * 90 + [float(n) for n in range(1, 11)])) == {"0": 90, "1 to 10": 10}


def test_dates_are_cut_at_their_quartiles() -> None:
    days = [f"{1960 + n}-01-01" for n in range(20)]
    found = groups(days, DateFormat(None))
    assert sizes(found)["1960-01-01 to 1964-01-01"] == 5
    assert len(found.names) == 4
