"""Cutoffs lie at midnight of the study's zone, whatever its clocks do in between."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.task import LogTask
from model.times import days, format_instant, parse_time, to_instant
from training.question.labels import cutoff_grid, latest_complete_cutoff

ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Havana",
    "UTC",
]
HOUR = days(1) // 24
instants = st.integers(parse_time("2020-06-01"), parse_time("2023-06-01"))
tasks = st.builds(
    LogTask,
    outcome=st.just("occurs"),
    horizons_days=st.sampled_from([(1,), (30,), (30, 90)]),
    gap_days=st.sampled_from([0, 2]),
)


def start_of(day: date, zone: str) -> int:
    return to_instant(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)))


def naive_grid(first: int, data_end: int, task: LogTask, every_days: int, zone: str) -> list[int]:
    """Every midnight of the calendar, day by day, of which every so manieth is taken."""
    midnights = []
    day = datetime(2020, 1, 1, tzinfo=UTC).date()
    while day < date(2024, 1, 1):
        midnights.append(start_of(day, zone))
        day += timedelta(days=1)
    complete = max(n for n, t in enumerate(midnights) if t + days(task.window_days) <= data_end)
    return [
        t
        for n, t in enumerate(midnights)
        if (n - complete) % every_days == 0
        and first <= t
        and t + days(task.gap_days + task.horizons_days[0]) <= data_end
    ]


@given(instants, instants, tasks, st.sampled_from([1, 7, 30]), st.sampled_from(ZONES))
def test_the_grid_is_that_of_a_naive_walk_through_the_calendar(
    first: int, data_end: int, task: LogTask, every_days: int, zone: str
) -> None:
    grid = cutoff_grid(
        first_event=0, data_end=data_end, task=task, every_days=every_days, first=first, last=None, zone=zone
    )
    assert grid == naive_grid(first, data_end, task, every_days, zone)


@given(instants, tasks, st.sampled_from(ZONES))
def test_the_latest_complete_cutoff_is_the_last_midnight_whose_window_closed(
    data_end: int, task: LogTask, zone: str
) -> None:
    longest = task.model_copy(update={"horizons_days": task.horizons_days[-1:]})
    assert latest_complete_cutoff(task, data_end, zone) == naive_grid(0, data_end, longest, 1, zone)[-1]


@pytest.mark.parametrize(
    ("zone", "steps", "hour"),
    [("Europe/Berlin", [24, 23, 24], 23), ("UTC", [24, 24, 24], 0), ("Asia/Kathmandu", [24, 24, 24], 18)],
)
def test_a_day_on_which_clocks_go_forward_is_an_hour_short(zone: str, steps: list[int], hour: int) -> None:
    grid = cutoff_grid(
        first_event=0,
        data_end=parse_time("2021-04-01", zone=zone),
        task=LogTask(outcome="occurs", horizons_days=(2,)),
        every_days=1,
        first=parse_time("2021-03-27", zone=zone),
        last=parse_time("2021-03-30", zone=zone),
        zone=zone,
    )
    assert [(b - a) // HOUR for a, b in pairwise(grid)] == steps
    assert [format_instant(t, zone) for t in grid] == [f"2021-03-{day}" for day in (27, 28, 29, 30)]
    assert grid[0] // HOUR % 24 == hour


def test_a_day_that_a_zone_left_out_is_no_cutoff_of_its_own() -> None:
    grid = cutoff_grid(
        first_event=0,
        data_end=parse_time("2012-02-01"),
        task=LogTask(outcome="occurs", horizons_days=(2,)),
        every_days=1,
        first=parse_time("2011-12-28", zone="Pacific/Apia"),
        last=parse_time("2012-01-01", zone="Pacific/Apia"),
        zone="Pacific/Apia",
    )
    assert [format_instant(t, "Pacific/Apia") for t in grid] == [
        "2011-12-28",
        "2011-12-29",
        "2011-12-31",
        "2012-01-01",
    ]
