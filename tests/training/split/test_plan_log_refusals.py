"""A log from which nothing can be learnt is refused, with what would help."""

from typing import Any

import pytest

from model.errors import DataError
from model.task import LogTask
from model.times import DAY
from model.values.history import EventLog
from tests.strategies import Event, log_of
from tests.training.log_plans import TASK, drawn_log, planned


def refusal(log: EventLog, task: LogTask, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        planned(log, task, **options)
    return str(caught.value)


def test_a_log_without_a_complete_cutoff_is_refused_with_the_dates_that_would_work() -> None:
    assert refusal(drawn_log(0, 40), TASK, first=30 * DAY) == (
        "a cutoff must have 15 observed days after it (gap + longest horizon), got data from 1970-01-01 to "
        "1970-02-10 and the cutoffs '1970-02-05'. Shorten horizons_days, or set target.cutoffs.first and "
        "last for a cutoff at or before 1970-01-26."
    )


def test_a_log_shorter_than_its_windows_is_refused() -> None:
    task = LogTask(outcome="occurs", horizons_days=(90,), gap_days=10)
    assert refusal(drawn_log(0, 40), task) == (
        "a cutoff must have 100 observed days after it (gap + longest horizon), got data from 1970-01-01 "
        "to 1970-02-10 and the cutoffs none. Shorten horizons_days: the data span 40 days."
    )


def test_the_days_until_a_label_is_certain_are_told() -> None:
    task = LogTask(
        event="buy", outcome="occurs", terminal=True, horizons_days=(30,), reactivates_within_days=7,
        ingestion_lag_days=3,
    )  # fmt: skip
    assert refusal(drawn_log(0, 39), task) == (
        "a cutoff must have 40 observed days after it (gap + longest horizon + 10 days of waiting), got "
        "data from 1970-01-01 to 1970-02-09 and the cutoffs none. Shorten horizons_days: the data span 39 "
        "days."
    )


def test_cutoffs_at_which_nobody_is_eligible_are_refused() -> None:
    log = log_of([Event(0, 0, "buy", 1.0), Event(1, 40 * DAY, "visit", 1.0)], 2)
    task = LogTask(outcome="occurs", horizons_days=(5,), eligible_within_days=3)
    assert refusal(log, task, first=20 * DAY, last=30 * DAY) == (
        "a customer must be eligible at a cutoff, got none; not eligible at 1970-01-31: not yet a customer "
        "(1), no event within 3 days (1). Loosen target.eligible_within_days or target.eligible, or set "
        "target.cutoffs."
    )


@pytest.mark.parametrize(("kind", "verdict"), [("buy", "all"), ("visit", "none")])
def test_a_log_with_one_outcome_is_refused(kind: str, verdict: str) -> None:
    daily = [Event(customer, day * DAY, kind, 1.0) for customer in range(20) for day in range(21)]
    log = log_of([*daily, Event(0, 0, "buy", 1.0)], 20)
    assert refusal(log, TASK, first=5 * DAY, last=5 * DAY) == (
        f"the examples must have both outcomes, got 20 complete examples of which {verdict} are positive at "
        "15 days. Check target.event, outcome and horizons_days."
    )


def test_an_outcome_by_the_longest_horizon_is_what_counts() -> None:
    """All buy within 15 days, some within 5: the first interval alone has both."""
    events = [Event(c, day * DAY, "buy", 1.0) for c in range(20) for day in (0, 3 if c % 2 else 12, 20)]
    assert "got 20 complete examples of which all are positive at 15 days" in refusal(
        log_of(events, 20), TASK, first=1 * DAY, last=1 * DAY
    )


def test_windows_that_nobody_completes_are_refused() -> None:
    """Whoever is asked at the only complete cutoff leaves in the gap."""
    events = [Event(c, day * DAY, kind, 1.0) for c in range(9) for day, kind in ((0, "buy"), (24, "cancel"))]
    events += [Event(9, 40 * DAY, "buy", 1.0)]
    task = LogTask(event="cancel", outcome="occurs", terminal=True, horizons_days=(5, 15), gap_days=3)
    assert refusal(log_of(events, 10), task, first=22 * DAY) == (
        "the window of 15 days must be complete for some examples, got none of 9. Shorten horizons_days, "
        "or set target.cutoffs."
    )
