"""The cutoffs of a study: evenly spaced, at midnight, the latest complete one among them."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.task import LogTask
from model.times import DAY, days
from tests.training.drawn_timelines import (
    log_tasks,
)
from training.question.labels import cutoff_grid


def grid_of(task: LogTask, **changes: Any) -> list[float]:
    """The cutoffs of a year's log, in days."""
    options: dict[str, Any] = {"first_event": 0, "data_end": 365 * DAY, "every_days": 30}
    cutoffs = cutoff_grid(**{**options, "first": None, "last": None, "task": task, **changes})
    return [t / DAY for t in cutoffs]


def test_the_grid_holds_the_latest_complete_cutoff_and_goes_on_to_partly_observed_ones() -> None:
    task = LogTask(outcome="occurs", horizons_days=(30, 90))
    assert grid_of(task, data_end=365 * DAY + 5) == [35, 65, 95, 125, 155, 185, 215, 245, 275, 305, 335]
    assert 275 + 90 == 365


def test_the_grid_waits_for_returns_and_late_events() -> None:
    task = LogTask(
        event="x", outcome="occurs", terminal=True, horizons_days=(30, 90), reactivates_within_days=7,
        ingestion_lag_days=3, gap_days=5,
    )  # fmt: skip
    assert grid_of(task)[-3:] == [260, 290, 320]
    assert 260 + 5 + 90 + 7 + 3 == 365
    assert 320 + 5 + 30 + 7 + 3 == 365


def test_the_grid_obeys_first_and_last() -> None:
    task = LogTask(outcome="occurs", horizons_days=(30,))
    assert grid_of(task, every_days=50, first=100 * DAY, last=210 * DAY) == [110, 160, 210]


bounds = st.none() | st.integers(0, 120).map(lambda day: day * DAY)


@given(
    first_event=st.integers(0, 40).map(days),
    length=st.integers(0, 5_000).map(lambda hours: hours * DAY // 24),
    task=log_tasks,
    every_days=st.integers(1, 40),
    first=bounds,
    last=bounds,
)
def test_a_grid_is_evenly_spaced_within_what_was_observed(
    first_event: int, length: int, task: LogTask, every_days: int, first: int | None, last: int | None
) -> None:
    data_end = first_event + length
    grid = cutoff_grid(
        first_event=first_event, data_end=data_end, task=task, every_days=every_days, first=first, last=last
    )
    shortest = (task.gap_days + task.horizons_days[0] + task.wait_days) * DAY
    longest = (task.gap_days + task.horizons_days[-1] + task.wait_days) * DAY
    lowest = first_event + every_days * DAY if first is None else first
    highest = (data_end - shortest) // DAY * DAY if last is None else last
    assert all(lowest <= t <= highest for t in grid)
    assert np.diff(grid).tolist() == [every_days * DAY] * (len(grid) - 1)
    if grid:
        assert grid[0] - every_days * DAY < lowest
        assert grid[-1] + every_days * DAY > highest
    complete = [t for t in range(0, highest + 1, DAY) if t + longest <= data_end]
    if complete and complete[-1] >= lowest:
        assert complete[-1] in grid  # a test cutoff asks as late as it can
