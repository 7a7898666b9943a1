"""How many of those who count as gone come back, against a walk through their lives and by hand."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from model.task import ContractTask, LogTask
from model.times import DAY
from model.values.columns import column_of
from tests.strategies import Event, event_lists, instants, log_of
from tests.training.audit.plans import plan_of
from tests.training.drawn_timelines import OTHERS, N, log_tasks, terminal_tasks, timeline_of
from tests.training.question.naive import is_asked, labels_of, life_in_log
from training.audit.facts import came_back
from training.question.timeline import Timeline, contract_timeline

grids = st.lists(instants, min_size=1, max_size=4, unique=True).map(sorted)
silences = log_tasks.filter(lambda task: task.outcome == "absent")


def facts(backs: Sequence[bool], task: LogTask, of: str) -> dict[str, Any]:
    share = sum(backs) / len(backs) if backs else None
    within = 2 * task.horizons_days[-1]
    return {"within_days": within, "of": of, "left": len(backs), "back": sum(backs), "share": share}


@given(event_lists, silences, grids, instants)
def test_the_silent_come_back_within_another_horizon(
    listed: list[Event], task: LogTask, grid: list[int], data_end: int
) -> None:
    lives = [life_in_log([*listed, *OTHERS], customer, task) for customer in range(N + 1)]
    horizon, backs = task.horizons_days[-1] * DAY, []
    for cutoff in grid:
        closes = cutoff + task.window_days * DAY
        if closes + horizon + task.ingestion_lag_days * DAY > data_end:
            continue
        for life in lives:
            label = labels_of(life, task, cutoff, data_end)[-1]
            if is_asked(life, task, cutoff) and label.complete and label.outcome:
                backs.append(any(closes < time <= closes + horizon for time in life.targets))
    found = plan_of(timeline_of(listed, task), task, grid, data_end)
    assert came_back(*found) == facts(backs, task, "example")


@given(event_lists, terminal_tasks, grids, instants)
def test_who_cancelled_is_followed_from_then_on(
    listed: list[Event], task: LogTask, grid: list[int], data_end: int
) -> None:
    lives = [life_in_log([*listed, *OTHERS], customer, task) for customer in range(N + 1)]
    span = 2 * task.horizons_days[-1] * DAY
    endings = [e for life in lives for e in life.endings if e.real and not e.forced]
    followed = [e for e in endings if e.time + span + task.ingestion_lag_days * DAY <= data_end]
    backs = [e.back is not None and e.back <= e.time + span for e in followed]
    found = plan_of(timeline_of(listed, task), task, grid, data_end)
    assert came_back(*found) == (facts(backs, task, "ending") if endings else None)


def test_a_purchase_leaves_nobody_gone() -> None:
    task = LogTask(outcome="occurs", horizons_days=(5,))
    found = plan_of(timeline_of([Event(0, DAY, "buy", 1.0)], task), task, [2 * DAY], 40 * DAY)
    assert came_back(*found) is None


CONTRACT = ContractTask(ends="ends", starts="starts", horizons_days=(5, 10))


def told(timeline: Timeline, task: ContractTask, data_end: int) -> tuple[int, int] | None:
    """How many left and how many of them were back."""
    back = came_back(*plan_of(timeline, task, [5 * DAY], data_end * DAY))
    return (back["left"], back["back"]) if back else None


def with_events(*events: tuple[float, str], ends: str = "1970-01-11", **changes: Any) -> Timeline:
    """One contract from day 2 to day 10, and events."""
    log = log_of([Event(0, round(day * DAY), kind, 1.0) for day, kind in [(5, "visit"), *events]], 1)
    columns = {"starts": column_of(["1970-01-03"]), "ends": column_of([ends])}
    task = CONTRACT.model_copy(update=changes)
    return contract_timeline(log, task, columns, ["a"], log.categories["type"], "UTC")


def test_an_event_after_the_day_of_the_end_is_a_return() -> None:
    assert told(with_events(), CONTRACT, 40) == (1, 0)
    assert told(with_events((10.9, "buy")), CONTRACT, 40) == (1, 0)  # still on the last day
    assert told(with_events((11, "buy")), CONTRACT, 40) == (1, 1)
    assert told(with_events((30, "buy")), CONTRACT, 40) == (1, 1)
    assert told(with_events((30.1, "buy")), CONTRACT, 40) == (1, 0)


def test_only_endings_that_were_followed_so_long_count() -> None:
    assert told(with_events((11, "buy")), CONTRACT, 30) == (1, 1)
    assert told(with_events((11, "buy")), CONTRACT, 29) == (0, 0)
    late = CONTRACT.model_copy(update={"ingestion_lag_days": 2})
    assert told(with_events((11, "buy")), late, 31) == (0, 0)
    assert told(with_events((11, "buy")), late, 32) == (1, 1)


def test_an_ending_that_was_taken_back_or_forced_is_none() -> None:
    taken_back = with_events((12, "buy"), reactivates_within_days=2)
    assert told(taken_back, CONTRACT, 40) is None
    assert told(with_events((13, "buy"), reactivates_within_days=2), CONTRACT, 40) == (1, 1)
    forced = with_events((9, "fail"), (20, "buy"), involuntary=("fail",))
    assert told(forced, CONTRACT, 40) is None


def rows(*table: tuple[str, int, int | None], grace: int = 0) -> Timeline:
    """Contracts of ids, from day to day, without a log."""
    dates = [[f"1970-01-{1 + day:02d}" if day is not None else None for day in row[1:]] for row in table]
    starts, ends = (column_of([date[i] for date in dates]) for i in (0, 1))
    task = CONTRACT.model_copy(update={"reactivates_within_days": grace})
    columns = {"starts": starts, "ends": ends}
    return contract_timeline(None, task, columns, [row[0] for row in table], None, "UTC")


def test_another_contract_of_the_same_id_is_a_return() -> None:
    assert told(rows(("a", 2, 6), ("b", 2, 6)), CONTRACT, 30) == (2, 0)
    assert told(rows(("a", 2, 6), ("b", 9, None)), CONTRACT, 30) == (1, 0)
    assert told(rows(("a", 2, 6), ("a", 9, None)), CONTRACT, 30) == (1, 1)
    assert told(rows(("a", 2, 4), ("a", 25, None)), CONTRACT, 30) == (1, 0)
    assert told(rows(("a", 2, 4), ("a", 9, 10), ("a", 20, None)), CONTRACT, 30) == (2, 2)


def test_a_renewed_contract_ends_once() -> None:
    assert told(rows(("a", 2, 6), ("a", 6, 9)), CONTRACT, 30) == (1, 0)
    assert told(rows(("a", 2, 6), ("a", 8, 9), ("a", 11, 12), grace=2), CONTRACT, 35) == (1, 0)
    assert told(rows(("a", 2, 6), ("a", 8, None), grace=2), CONTRACT, 30) is None
