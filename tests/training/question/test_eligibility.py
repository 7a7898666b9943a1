"""Who is asked about is told by a walk through each customer's own past, and by nothing after it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.scoring.eligible import ELIGIBLE, refusals, standing
from model.task import ContractTask, Eligible, LogTask
from model.times import DAY
from model.values.columns import column_of
from model.values.customers import Examples
from model.values.history import EventLog
from tests.strategies import Event, event_lists, instants, log_of
from tests.training.drawn_timelines import (
    ASIDE,
    N,
    ask,
    contract_tasks,
    contract_timeline_of,
    log_tasks,
    lone_contract_tasks,
    lone_timeline_of,
    owner_lists,
    row_lists,
    timeline_of,
)
from tests.training.question.naive import Row, is_asked, life_in_log, life_of_contract, life_of_row
from training.question.eligibility import count_eligible
from training.question.timeline import Timeline, contract_timeline, log_timeline

cutoff_lists = st.lists(instants, max_size=4, unique=True)
TASK = LogTask(outcome="occurs", horizons_days=(5,), eligible_within_days=10)
CANCEL = LogTask(event="cancel", outcome="occurs", terminal=True, horizons_days=(5,), eligible_within_days=30)


def asked_of(
    timeline: Timeline, task: LogTask | ContractTask, cutoffs: Sequence[int]
) -> list[tuple[int, int]]:
    """Who is asked when, without the customer aside."""
    examples = count_eligible(timeline, task, cutoffs).examples
    pairs = zip(examples.customers.tolist(), examples.cutoffs.tolist(), strict=True)
    return [pair for pair in pairs if pair[0] != ASIDE]


@given(event_lists, log_tasks, cutoff_lists)
def test_customers_of_a_log_are_asked_as_their_past_says(
    listed: list[Event], task: LogTask, cutoffs: list[int]
) -> None:
    lives = [life_in_log(listed, customer, task) for customer in range(N)]
    naive = [(c, t) for t in cutoffs for c in range(N) if is_asked(lives[c], task, t)]
    assert asked_of(timeline_of(listed, task), task, cutoffs) == naive


@given(event_lists, row_lists, contract_tasks, cutoff_lists)
def test_customers_under_contract_are_asked_while_it_runs(
    listed: list[Event], table: list[Row], task: ContractTask, cutoffs: list[int]
) -> None:
    lives = [life_of_contract(listed, customer, table[customer], task) for customer in range(N)]
    naive = [(c, t) for t in cutoffs for c in range(N) if is_asked(lives[c], task, t)]
    assert asked_of(contract_timeline_of(listed, table, task), task, cutoffs) == naive


@given(row_lists, owner_lists, lone_contract_tasks, cutoff_lists)
def test_a_row_is_asked_about_while_it_runs_whatever_follows_it(
    table: list[Row], owners: list[str], task: ContractTask, cutoffs: list[int]
) -> None:
    lives = [life_of_row([row], 0, task) for row in table]
    naive = [(c, t) for t in cutoffs for c in range(N) if is_asked(lives[c], task, t)]
    examples = count_eligible(lone_timeline_of(table, owners, task), task, cutoffs).examples
    assert list(zip(examples.customers.tolist(), examples.cutoffs.tolist(), strict=True)) == naive


@given(event_lists, log_tasks, cutoff_lists)
def test_a_roll_call_counts_everybody_once_at_each_cutoff(
    listed: list[Event], task: LogTask, cutoffs: list[int]
) -> None:
    timeline = timeline_of(listed, task)
    roll = count_eligible(timeline, task, cutoffs)
    for row, cutoff in enumerate(cutoffs):
        everyone = Examples(np.arange(N + 1), np.full(N + 1, cutoff))
        stands = standing(timeline, task, everyone)
        assert roll.counts[row].tolist() == [
            (stands == code).sum() for code in range(1 + len(refusals(task)))
        ]
        assert row + 1 < len(cutoffs) or roll.last.tolist() == stands.tolist()


def log_with(*events: tuple[float, str], customers: int = 1) -> EventLog:
    return log_of([Event(0, round(day * DAY), kind, 1.0) for day, kind in events], customers)


def stands(log: EventLog, task: LogTask, day: float = 20) -> str:
    """Why customer 0 is not asked about; empty where it is."""
    timeline = log_timeline(log, task, log.categories["type"])
    code = int(standing(timeline, task, ask(0, round(day * DAY)))[0])
    return "" if code == ELIGIBLE else refusals(task)[code - 1]


@pytest.mark.parametrize(
    ("at", "asked"), [(10 * DAY, False), (10 * DAY + 1, True), (20 * DAY, True), (20 * DAY + 1, False)]
)
def test_a_recent_event_lies_after_the_start_of_the_window_or_at_its_end(at: int, asked: bool) -> None:
    log = log_of([Event(0, 0, "buy", 1.0), Event(0, at, "buy", 1.0)], 1)
    timeline = log_timeline(log, TASK, None)
    assert (standing(timeline, TASK, ask(0, 20 * DAY)) == ELIGIBLE).tolist() == [asked]


def test_the_first_rule_that_fits_is_told() -> None:
    task = CANCEL.model_copy(
        update={"eligible": Eligible(min_events=3, min_history_days=8, max_history_days=14)}
    )
    assert refusals(task) == (
        "not yet a customer",
        "has left",
        "no event within 30 days",
        "fewer than 3 events",
        "less than 8 days of history",
        "more than 14 days of history",
    )
    assert stands(log_with((21, "buy")), task) == "not yet a customer"
    assert stands(log_with(), task) == "not yet a customer"
    assert stands(log_with((1, "buy"), (2, "cancel")), task) == "has left"
    assert stands(log_with((1, "buy")), task, day=40) == "no event within 30 days"
    assert stands(log_with((1, "buy"), (2, "visit")), task) == "fewer than 3 events"
    assert stands(log_with((13, "buy"), (13, "buy"), (13, "buy")), task) == "less than 8 days of history"
    assert stands(log_with((5, "buy"), (12, "buy"), (12, "buy")), task) == "more than 14 days of history"
    assert stands(log_with((12, "buy"), (12, "buy"), (12, "buy")), task) == ""


def test_who_left_is_asked_again_from_the_instant_of_its_return() -> None:
    log = log_with((1, "join"), (10, "cancel"), (20, "buy"))
    assert stands(log, CANCEL, 9.9) == ""
    assert stands(log, CANCEL, 10) == "has left"
    assert stands(log, CANCEL, 19.9) == "has left"
    assert stands(log, CANCEL, 20) == ""


def test_a_return_that_takes_an_ending_back_later_was_not_known_before_it() -> None:
    task = CANCEL.model_copy(update={"reactivates_within_days": 30})
    log = log_with((1, "join"), (10, "cancel"), (20, "buy"))
    assert not len(log_timeline(log, task, log.categories["type"]).targets.times)
    assert stands(log, task, 15) == "has left"
    assert stands(log, task, 20) == ""


def test_events_at_one_instant_all_count() -> None:
    task = TASK.model_copy(update={"eligible": Eligible(min_events=3)})
    assert stands(log_with((20, "buy"), (20, "buy")), task) == "fewer than 3 events"
    assert stands(log_with((20, "buy"), (20, "buy"), (20, "buy")), task) == ""


def contract(
    row: tuple[str | None, str | None], events: Sequence[Event] | None, **changes: Any
) -> list[bool]:
    """Whether one contract is asked about on each day from 0 to 12."""
    task = ContractTask(ends="ends", starts="starts", horizons_days=(5,), **changes)
    log = None if events is None else log_of(events, 1)
    columns = {"starts": column_of([row[0]]), "ends": column_of([row[1]])}
    types = log.categories["type"] if log else None
    timeline = contract_timeline(log, task, columns, ["a"], types, "UTC")
    days = np.arange(13) * DAY
    found = standing(timeline, task, Examples(np.zeros(13, dtype=np.int64), days))
    return [one == ELIGIBLE for one in found.tolist()]


def spans(*days: int) -> list[bool]:
    return [day in days for day in range(13)]


@pytest.mark.parametrize(
    ("row", "asked"),
    [
        (("1970-01-03", "1970-01-06"), range(2, 5)),
        (("1970-01-03", None), range(2, 13)),
        (("1970-01-03", "2999-01-01"), range(2, 13)),
        ((None, "1970-01-06"), []),
        (("1970-01-06", "1970-01-03"), []),
        (("1970-01-03", "1970-01-03"), []),
        (("1970-01-02T12:00", "1970-01-06T12:00"), range(2, 6)),
    ],
)
def test_a_contract_is_asked_about_from_its_start_until_before_its_end(
    row: tuple[str | None, str | None], asked: Sequence[int]
) -> None:
    assert contract(row, None) == spans(*asked)
    assert contract(row, []) == spans(*asked)


def test_history_of_a_contract_counts_from_its_start_and_not_from_events() -> None:
    events = [Event(0, 5 * DAY, "buy", 1.0)]
    row = ("1970-01-03", None)
    assert contract(row, events, eligible=Eligible(min_history_days=4)) == spans(*range(6, 13))
    assert contract(row, events, eligible=Eligible(min_events=1)) == spans(*range(5, 13))
    assert contract(row, events, eligible_within_days=3) == spans(5, 6, 7)


@pytest.mark.parametrize(("grace", "asked"), [(0, []), (2, []), (3, range(8, 13))])
def test_a_contract_taken_back_is_asked_about_again(grace: int, asked: Sequence[int]) -> None:
    events = [Event(0, 8 * DAY, "buy", 1.0)]
    assert contract(("1970-01-03", "1970-01-06"), events, reactivates_within_days=grace) == spans(
        2, 3, 4, *asked
    )


def test_no_cutoff_asks_about_nobody() -> None:
    timeline = log_timeline(log_with((1, "buy")), TASK, None)
    examples = count_eligible(timeline, TASK, []).examples
    assert len(examples) == len(examples.cutoffs) == 0
    assert examples.customers.dtype == examples.cutoffs.dtype == np.int64


def test_a_log_without_events_asks_about_nobody() -> None:
    assert not len(count_eligible(log_timeline(log_of([], 3), TASK, None), TASK, [0, 10 * DAY]).examples)
