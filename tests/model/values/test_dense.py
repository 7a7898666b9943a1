"""A few dates far after all others are no end."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.times import DAY, Instants
from model.values.dense import dense_end


def daily(n_days: int, each: int = 5) -> Instants:
    """So many dates on each of so many days."""
    return np.repeat(np.arange(n_days), each) * DAY + np.tile(np.arange(each), n_days)


def end_with(times: Instants, *later: float) -> int:
    return dense_end(np.concatenate([np.array(later) * DAY, times]).astype(np.int64))


@pytest.mark.parametrize("later", [(500,), (300, 400, 9_000), (210.5,), tuple(range(300, 1300, 40))])
def test_strays_are_no_end(later: tuple[float, ...]) -> None:
    assert end_with(daily(200), *later) == daily(200).max()


@pytest.mark.parametrize(
    "later", [(201,), (206,), (300,) * 5 + (301,) * 5, tuple(np.arange(300, 360, 0.25)), (300,) * 60]
)
def test_the_end_is_the_last_date_where_it_is_near_or_as_dense_as_before(later: tuple[float, ...]) -> None:
    assert end_with(daily(200), *later) == max(later) * DAY


def test_long_gaps_that_are_usual_separate_nothing() -> None:
    monthly = np.repeat(np.arange(0, 900, 30), 40) * DAY
    assert end_with(monthly, 900 + 60) == 960 * DAY
    assert end_with(monthly, 900 + 200) == monthly.max()


def test_one_gap_before_hides_no_stray() -> None:
    times = np.concatenate([daily(200), daily(200) + 260 * DAY])
    assert end_with(times, 560) == times.max()


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=60))
def test_the_end_is_one_of_the_dates_and_few_are_later(days: list[int]) -> None:
    times = np.array(days) * DAY
    end = dense_end(times)
    assert end in times
    assert (times > end).sum() <= max(3, 0.05 * len(times))
