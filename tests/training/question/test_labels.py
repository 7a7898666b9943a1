"""Labels agree with a walk through each customer's own events, with events exactly on every edge."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.task import ContractTask, EndedWhen, LogTask
from model.times import DAY, parse_time
from model.values.customers import Examples
from tests.strategies import Event, event_lists, instants, log_of
from tests.training.drawn_timelines import (
    N,
    ask,
    contract_tasks,
    contract_timeline_of,
    log_tasks,
    lone_contract_tasks,
    lone_timeline_of,
    owner_lists,
    row_lists,
    state_lists,
    timeline_of,
)
from tests.training.question.naive import Life, Row, labels_of, life_in_log, life_of_contract, life_of_row
from training.question.eligibility import count_eligible
from training.question.labels import Labels, compile_labels
from training.question.timeline import Timeline, log_timeline

data_ends = instants | st.just(60 * DAY)  # the latter completes every window


def assert_same(
    timeline: Timeline,
    task: LogTask | ContractTask,
    lives: Sequence[Life],
    cutoff: int,
    data_end: int,
) -> None:
    """The labels of all customers at a cutoff are the naive ones."""
    asked = Examples(np.arange(len(lives)), np.full(len(lives), cutoff))
    labels = compile_labels(timeline, task, asked, data_end=data_end)
    for customer, life in enumerate(lives):
        naive = labels_of(life, task, cutoff, data_end)
        assert labels.events[customer].tolist() == [one.event for one in naive]
        assert labels.at_risk[customer].tolist() == [one.at_risk for one in naive]
        assert labels.outcomes[customer].tolist() == [one.outcome for one in naive]
        assert labels.complete[customer].tolist() == [one.complete for one in naive]


@given(event_lists, log_tasks, instants, data_ends)
def test_labels_of_a_log_are_those_of_a_naive_count(
    listed: list[Event], task: LogTask, cutoff: int, data_end: int
) -> None:
    lives = [life_in_log(listed, customer, task) for customer in range(N)]
    assert_same(timeline_of(listed, task), task, lives, cutoff, data_end)


@given(event_lists, row_lists, contract_tasks, instants, data_ends)
def test_labels_of_contracts_beside_a_log_are_those_of_a_naive_count(
    listed: list[Event], table: list[Row], task: ContractTask, cutoff: int, data_end: int
) -> None:
    lives = [life_of_contract(listed, customer, table[customer], task) for customer in range(N)]
    assert_same(contract_timeline_of(listed, table, task), task, lives, cutoff, data_end)


WHEN = EndedWhen(column="state", value=("ended", "over"))


@given(event_lists, row_lists, state_lists, contract_tasks, instants, data_ends)
def test_only_contracts_that_have_ended_end(
    listed: list[Event], table: list[Row], states: list[str], task: ContractTask, cutoff: int, data_end: int
) -> None:
    running = [row if states[i].casefold() == "ended" else (row[0], None) for i, row in enumerate(table)]
    lives = [life_of_contract(listed, customer, running[customer], task) for customer in range(N)]
    stated = task.model_copy(update={"ended_when": WHEN})
    assert_same(contract_timeline_of(listed, table, stated, states), stated, lives, cutoff, data_end)


@given(row_lists, state_lists, owner_lists, lone_contract_tasks, instants, data_ends)
def test_only_rows_that_have_ended_end(
    table: list[Row],
    states: list[str],
    owners: list[str],
    task: ContractTask,
    cutoff: int,
    data_end: int,
) -> None:
    running = [row if states[i].casefold() == "ended" else (row[0], None) for i, row in enumerate(table)]
    everyone = Examples(np.arange(N), np.full(N, cutoff))
    stated = lone_timeline_of(table, owners, task.model_copy(update={"ended_when": WHEN}), states)
    found, wanted = (
        compile_labels(timeline, task, everyone, data_end=data_end)
        for timeline in (stated, lone_timeline_of(running, owners, task))
    )
    assert (found.events == wanted.events).all()
    assert (found.at_risk == wanted.at_risk).all()
    assert (found.complete == wanted.complete).all()


@given(row_lists, owner_lists, lone_contract_tasks, instants, data_ends)
def test_labels_of_a_table_of_contracts_are_those_of_a_naive_count(
    table: list[Row], owners: list[str], task: ContractTask, cutoff: int, data_end: int
) -> None:
    timeline = lone_timeline_of(table, owners, task)
    for mine, (start, _) in enumerate(table):
        if start is not None:  # else it is never asked about
            own = [i for i in range(N) if owners[i] == owners[mine]]
            naive = labels_of(
                life_of_row([table[i] for i in own], own.index(mine), task), task, cutoff, data_end
            )
            labels = compile_labels(timeline, task, ask(mine, cutoff), data_end=data_end)
            assert labels.events[0].tolist() == [one.event for one in naive]
            assert labels.at_risk[0].tolist() == [one.at_risk for one in naive]
            assert labels.complete[0].tolist() == [one.complete for one in naive]


def assert_known_for_good(early: Labels, late: Labels) -> None:
    assert late.complete[early.complete].all()
    assert late.outcomes[early.complete].tolist() == early.outcomes[early.complete].tolist()
    assert late.at_risk[early.at_risk].all()
    assert late.events[early.at_risk].tolist() == early.events[early.at_risk].tolist()


@given(event_lists, log_tasks, instants, st.integers(0, 30), st.integers(0, 30))
def test_a_label_that_is_known_never_changes_when_the_log_goes_on(
    listed: list[Event], task: LogTask, cutoff: int, end: int, more: int
) -> None:
    """Though the latest events may still be on their way: this is what lets training use it."""
    data_end = cutoff + end * DAY
    arrived = [e for e in listed if e.time <= data_end - task.ingestion_lag_days * DAY]
    everyone = Examples(np.arange(N), np.full(N, cutoff))
    early = compile_labels(timeline_of(arrived, task), task, everyone, data_end=data_end)
    late = compile_labels(timeline_of(listed, task), task, everyone, data_end=data_end + more * DAY)
    assert_known_for_good(early, late)


@given(event_lists, row_lists, contract_tasks, instants, st.integers(0, 30), st.integers(0, 30))
def test_a_label_of_a_contract_that_is_known_never_changes_when_the_data_go_on(
    listed: list[Event], table: list[Row], task: ContractTask, cutoff: int, end: int, more: int
) -> None:
    task = task.model_copy(update={"involuntary": ()})
    data_end = cutoff + end * DAY
    until = data_end - task.ingestion_lag_days * DAY
    arrived = [e for e in listed if e.time <= until]
    running: list[Row] = [(s, e if e is not None and e <= until else None) for s, e in table]
    everyone = Examples(np.arange(N), np.full(N, cutoff))
    early = compile_labels(contract_timeline_of(arrived, running, task), task, everyone, data_end=data_end)
    late = compile_labels(
        contract_timeline_of(listed, table, task), task, everyone, data_end=data_end + more * DAY
    )
    assert_known_for_good(early, late)


def edge_labels(event_at: int, outcome: Literal["occurs", "absent"] = "occurs") -> tuple[bool, bool]:
    """Outcome at 10 days and whether the window is complete, with a gap of 2 days after day 20."""
    timeline = log_timeline(
        log_of([Event(0, event_at, "buy", 1.0)], 1),
        task := LogTask(outcome=outcome, horizons_days=(10,), gap_days=2),
        None,
    )
    labels = compile_labels(timeline, task, ask(0, 20 * DAY), data_end=32 * DAY)
    return bool(labels.outcomes[0, 0]), bool(labels.complete[0, 0])


@pytest.mark.parametrize(
    ("event_at", "bought"),
    [
        (20 * DAY, False),  # at the cutoff: history
        (22 * DAY, False),  # at the end of the gap: still not in the window
        (22 * DAY + 1, True),
        (32 * DAY, True),  # at the end of the window: in it
        (32 * DAY + 1, False),
    ],
)
def test_the_window_is_open_at_its_start_and_closed_at_its_end(event_at: int, bought: bool) -> None:
    assert edge_labels(event_at) == (bought, True)
    assert edge_labels(event_at, "absent") == (not bought, True)


def test_a_customer_without_any_later_event_is_a_churner_not_a_gap() -> None:
    task = LogTask(outcome="absent", horizons_days=(5,))
    timeline = log_timeline(log_of([Event(0, 0, "buy", 1.0)], 1), task, None)
    examples = count_eligible(timeline, task, [DAY]).examples
    assert compile_labels(timeline, task, examples, data_end=20 * DAY).outcomes.tolist() == [[True]]


def labels_at(
    day: int, events: Sequence[tuple[float, str]], *, data_end: float = 100, **changes: Any
) -> Labels:
    """Labels of one customer whose life a cancellation ends, with horizons of 10 and 20 days."""
    task = LogTask(event="cancel", outcome="occurs", terminal=True, horizons_days=(10, 20), **changes)
    log = log_of([Event(0, round(at * DAY), kind, 1.0) for at, kind in events], 1)
    timeline = log_timeline(log, task, log.categories["type"])
    return compile_labels(timeline, task, ask(0, day * DAY), data_end=round(data_end * DAY))


@pytest.mark.parametrize(
    ("data_end", "complete"),
    [
        (19.99, [False, False]),
        (20, [True, False]),
        (29.99, [True, False]),
        (30, [True, True]),
    ],
)
def test_a_window_is_complete_once_a_return_and_late_events_would_be_known(
    data_end: float, complete: list[bool]
) -> None:
    labels = labels_at(5, [(8, "cancel")], data_end=data_end, reactivates_within_days=3, ingestion_lag_days=2)
    assert labels.complete.tolist() == [complete]
    assert labels.at_risk.tolist() == [[complete[0], False]]


def test_who_leaves_in_the_gap_is_masked_as_it_was_not_there_for_the_window() -> None:
    for kind in ("cancel", "fail"):
        events = [(7, kind), (7, "cancel")]
        labels = labels_at(5, events, gap_days=2, involuntary=("fail",) if kind == "fail" else ())
        assert labels.complete.tolist() == [[False, False]]
    back = labels_at(5, [(6, "cancel"), (7, "buy"), (9, "cancel")], gap_days=2, reactivates_within_days=1)
    assert back.complete.tolist() == [[True, True]]
    assert back.events.tolist() == [[True, False]]


def test_an_involuntary_ending_is_negative_and_stays_at_risk() -> None:
    late = labels_at(5, [(20, "fail"), (20, "cancel")], involuntary=("fail",))
    assert late.complete.all()
    assert late.at_risk.all()
    assert not late.outcomes.any()
    after = labels_at(5, [(9, "cancel"), (12, "buy"), (20, "fail"), (20, "cancel")], involuntary=("fail",))
    assert after.complete.tolist() == [[True, True]]  # what came first counts
    assert after.outcomes.tolist() == [[True, True]]


def test_no_examples_have_empty_labels() -> None:
    task = LogTask(outcome="occurs", horizons_days=(1, 2))
    nobody = Examples(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    labels = compile_labels(log_timeline(log_of([], 1), task, None), task, nobody, data_end=0)
    assert labels.events.shape == labels.complete.shape == (0, 2)


def test_a_window_is_so_many_days_of_24_hours() -> None:
    """From Saturday midnight in Berlin, on the night of whose Sunday the clock goes forward."""
    cutoff, task = (
        parse_time("2024-03-30", zone="Europe/Berlin"),
        LogTask(outcome="occurs", horizons_days=(2,)),
    )
    for at, inside in (("2024-04-01T01:00", True), ("2024-04-01T01:00:01", False)):
        log = log_of([Event(0, parse_time(at, zone="Europe/Berlin"), "buy", 1.0)], 1)
        labels = compile_labels(
            log_timeline(log, task, None), task, ask(0, cutoff), data_end=cutoff + 9 * DAY
        )
        assert labels.outcomes.tolist() == [[inside]]
