"""Who is asked, positive, masked and left out at each cutoff is what a walk through every life counts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.task import ContractTask, Eligible, LogTask
from model.times import DAY, format_instant
from tests.strategies import Event, event_lists, instants, log_of
from tests.training.audit.plans import NOBODY, plan_of
from tests.training.drawn_timelines import (
    OTHERS,
    N,
    contract_tasks,
    contract_timeline_of,
    log_tasks,
    row_lists,
    timeline_of,
)
from tests.training.question.naive import Life, Row, is_asked, labels_of, life_in_log, life_of_contract
from training.audit.facts import cutoff_table, dropped
from training.question.question import Question
from training.question.timeline import log_timeline
from training.split.plan import Plan

Task = LogTask | ContractTask
grids = st.lists(instants, min_size=1, max_size=4, unique=True).map(sorted)


def refusal(life: Life, task: Task, cutoff: int) -> str:
    """Why a customer who is not asked is not, the first of the reasons in their order."""
    past = [time for time in life.events or () if time <= cutoff]
    left = [e for e in life.endings if e.time <= cutoff]
    back = max(left, key=lambda e: e.time).back if left else None
    within = task.eligible_within_days
    if life.began is None or life.began > cutoff:
        return "not yet a customer"
    if left and (back is None or back > cutoff):
        return "has left"
    if within is not None and not any(time > cutoff - within * DAY for time in past):
        return f"no event within {within} days"
    if len(past) < task.eligible.min_events:
        return f"fewer than {task.eligible.min_events} events"
    if life.began > cutoff - task.eligible.min_history_days * DAY:
        return f"less than {task.eligible.min_history_days} days of history"
    return f"more than {task.eligible.max_history_days} days of history"


def naive_row(lives: Sequence[Life], task: Task, cutoff: int, data_end: int) -> dict[str, Any]:
    asked = [life for life in lives if is_asked(life, task, cutoff)]
    refused = [life for life in lives if not is_asked(life, task, cutoff)]
    row: dict[str, Any] = {
        "cutoff": format_instant(cutoff),
        "eligible": len(asked),
        "positives": {},
        "rates": {},
        "masked": {},
        "refused": dict(Counter(refusal(life, task, cutoff) for life in refused)),
    }
    for k, name in enumerate(task.output_names):
        labels = [labels_of(life, task, cutoff, data_end)[k] for life in asked]
        complete = [label for label in labels if label.complete]
        row["masked"][name] = len(asked) - len(complete)
        if complete:
            row["positives"][name] = sum(label.outcome for label in complete)
            row["rates"][name] = row["positives"][name] / len(complete)
    return row


def check(lives: Sequence[Life], task: Task, found: tuple[Question, Plan], grid: list[int]) -> None:
    question, plan = found
    told = cutoff_table(question, plan, tuple(grid), refit=True)
    naive = [naive_row(lives, task, cutoff, question.data_end) for cutoff in grid]
    assert [{key: value for key, value in row.items() if key != "role"} for row in told] == naive
    never = [life for life in lives if not any(is_asked(life, task, cutoff) for cutoff in grid)]
    assert dropped(question, plan) == {
        "customers": len(never),
        "reasons": dict(Counter(refusal(life, task, grid[-1]) for life in never)),
    }


@given(event_lists, log_tasks, grids, instants)
def test_customers_of_a_log_are_counted_as_their_lives_say(
    listed: list[Event], task: LogTask, grid: list[int], data_end: int
) -> None:
    lives = [life_in_log([*listed, *OTHERS], customer, task) for customer in range(N + 1)]
    check(lives, task, plan_of(timeline_of(listed, task), task, grid, data_end), grid)


@given(event_lists, row_lists, contract_tasks, grids, instants)
def test_contracts_are_counted_as_their_lives_say(
    listed: list[Event], table: list[Row], task: ContractTask, grid: list[int], data_end: int
) -> None:
    rows = [*table, (0, 0)]
    lives = [life_of_contract([*listed, *OTHERS], n, row, task) for n, row in enumerate(rows)]
    check(lives, task, plan_of(contract_timeline_of(listed, table, task), task, grid, data_end), grid)


TASK = LogTask(
    outcome="occurs", horizons_days=(5, 10), eligible_within_days=20, eligible=Eligible(min_events=2)
)
# 0 buys all along, 1 is new on day 19, 2 falls silent, 3 bought but once, 4 is there from day 31 on
DAYS = [(0, d) for d in range(1, 50, 3)] + [(1, 19), (1, 19.5)] + [(2, 1), (2, 2)] + [(3, 18), (4, 31)]


def example() -> tuple[Question, Plan]:
    listed = [Event(customer, round(day * DAY), "buy", 1.0) for customer, day in DAYS]
    timeline = log_timeline(log_of(listed, 5), TASK, None)
    return plan_of(timeline, TASK, [20 * DAY, 40 * DAY], 45 * DAY)


def roles(plan: Plan, *, refit: bool = True) -> list[str]:
    question, _ = example()
    table = cutoff_table(question, plan, (20 * DAY, 40 * DAY), refit=refit)
    return [row["role"] for row in table]


def test_a_row_tells_who_is_asked_and_why_others_are_not() -> None:
    question, plan = example()
    early, late = cutoff_table(replace(question, zone="Asia/Tokyo"), plan, (20 * DAY, 40 * DAY), refit=True)
    assert early == {
        "cutoff": "1970-01-21T09:00:00+09:00",
        "role": "train",
        "eligible": 3,
        "positives": {"5": 1, "10": 1},
        "rates": {"5": 1 / 3, "10": 1 / 3},
        "masked": {"5": 0, "10": 0},
        "refused": {"not yet a customer": 1, "fewer than 2 events": 1},
    }
    assert late["masked"] == {"5": 0, "10": 1}
    assert late["rates"] == {"5": 1.0}  # of a horizon that is not over nothing is told
    assert late["refused"] == {"no event within 20 days": 3, "fewer than 2 events": 1}
    assert dropped(question, plan) == {
        "customers": 2,
        "reasons": {"no event within 20 days": 1, "fewer than 2 events": 1},
    }


def test_a_cutoff_s_role_is_what_its_examples_are_for() -> None:
    _, plan = example()
    assert roles(plan) == ["train", "train and test"]
    early = plan.examples.cutoffs == 20 * DAY
    unlearnt = replace(plan.measured_labels, at_risk=plan.measured_labels.at_risk & early[:, None])
    later = replace(plan, measured_labels=unlearnt)
    assert roles(later) == ["train", "test"]
    assert roles(replace(later, test=NOBODY)) == ["train", "published model only"]
    assert roles(replace(later, test=NOBODY), refit=False) == ["train", "none"]
    assert np.array_equal(plan.test, np.flatnonzero(~early))
