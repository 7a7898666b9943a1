"""Endings, returns and involuntary marks are those of a walk through each customer's own events."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import DataError
from model.scoring.presence import NEVER, events_of, first_after
from model.task import ContractTask, LogTask
from model.times import DAY
from model.values.columns import column_of, texts_of
from model.values.history import EventLog
from tests.strategies import Event, event_lists, instants, log_of, within
from tests.training.drawn_timelines import (
    N,
    contract_tasks,
    contract_timeline_of,
    lone_contract_tasks,
    lone_timeline_of,
    owner_lists,
    plain_tasks,
    row_lists,
    terminal_tasks,
    timeline_of,
)
from tests.training.question.naive import Life, Row, life_in_log, life_of_contract, life_of_row
from training.question.timeline import Timeline, followed_share, log_timeline

CANCEL = LogTask(event="cancel", outcome="occurs", terminal=True, horizons_days=(10,))
CONTRACT = ContractTask(ends="ends", starts="starts", horizons_days=(10,))


def own_times(log: EventLog, customer: int) -> list[int]:
    return [int(time) for time in log.part(customer, customer + 1).times]


def assert_same(timeline: Timeline, customer: int, life: Life) -> None:
    """The timeline of one customer is the naive one."""
    assert own_times(timeline.targets, customer) == life.targets
    assert own_times(timeline.involuntary, customer) == life.forced
    assert own_times(timeline.gone, customer) == [e.time for e in life.endings]
    first = timeline.gone.offsets[customer]
    back = timeline.back[first : first + len(life.endings)].tolist()
    assert back == [NEVER if e.back is None else e.back for e in life.endings]


@given(event_lists, plain_tasks)
def test_events_of_the_named_types_are_targets_and_nobody_goes(listed: list[Event], task: LogTask) -> None:
    timeline = timeline_of(listed, task)
    for customer in range(N):
        assert_same(timeline, customer, life_in_log(listed, customer, task))


@given(event_lists, terminal_tasks)
def test_endings_in_a_log_are_those_of_a_walk_through_it(listed: list[Event], task: LogTask) -> None:
    timeline = timeline_of(listed, task)
    for customer in range(N):
        assert_same(timeline, customer, life_in_log(listed, customer, task))


@given(event_lists, row_lists, contract_tasks)
def test_ends_of_contracts_beside_a_log_are_those_of_a_walk_through_it(
    listed: list[Event], table: list[Row], task: ContractTask
) -> None:
    timeline = contract_timeline_of(listed, table, task)
    for customer in range(N):
        assert_same(timeline, customer, life_of_contract(listed, customer, table[customer], task))


@given(row_lists, owner_lists, lone_contract_tasks)
def test_the_last_end_of_a_period_is_that_of_the_rows_that_join(
    table: list[Row], owners: list[str], task: ContractTask
) -> None:
    timeline = lone_timeline_of(table, owners, task)
    for mine, (start, _) in enumerate(table):
        own = [i for i in range(N) if owners[i] == owners[mine]]
        if start is not None:
            wanted = life_of_row([table[i] for i in own], own.index(mine), task)
            assert own_times(timeline.targets, mine) == wanted.targets
    assert not len(timeline.involuntary.times)


@given(event_lists, st.randoms(), terminal_tasks)
def test_the_order_of_a_file_changes_nothing(listed: list[Event], random: object, task: LogTask) -> None:
    shuffled = list(listed)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = timeline_of(listed, task), timeline_of(shuffled, task)
    assert one.back.tolist() == other.back.tolist()
    for name in ("targets", "involuntary", "gone"):
        for customer in range(N):
            assert own_times(getattr(one, name), customer) == own_times(getattr(other, name), customer)


@given(event_lists, st.integers(0, 3), instants)
def test_the_first_event_after_a_time_is_the_naive_one(listed: list[Event], customer: int, time: int) -> None:
    later = within(listed, customer, time, NEVER)
    found = first_after(log_of(listed), np.array([customer]), np.array([time]))
    assert found.tolist() == [min((e.time for e in later), default=NEVER)]


def cancelled(events: Sequence[tuple[int, str]], **changes: object) -> Timeline:
    """The timeline of one customer with events at whole days."""
    log = log_of([Event(0, day * DAY, kind, 1.0) for day, kind in events], 1)
    return log_timeline(log, CANCEL.model_copy(update=changes), log.categories["type"])


@pytest.mark.parametrize(("grace", "real"), [(0, True), (4, True), (5, False), (6, False)])
def test_a_return_within_the_grace_takes_an_ending_back_and_a_later_one_does_not(
    grace: int, real: bool
) -> None:
    timeline = cancelled([(0, "join"), (10, "cancel"), (15, "buy")], reactivates_within_days=grace)
    assert bool(len(timeline.targets.times)) == real
    assert timeline.back.tolist() == [15 * DAY]


def test_what_happens_at_the_instant_of_an_ending_is_no_return() -> None:
    timeline = cancelled([(10, "buy"), (10, "cancel"), (10, "visit")], reactivates_within_days=5)
    assert timeline.targets.times.tolist() == [10 * DAY]
    assert timeline.back.tolist() == [NEVER]


def test_all_spellings_of_a_type_are_one() -> None:
    log = log_of([Event(0, day * DAY, "join", 1.0) for day in (1, 4, 6, 8)], 1)
    types = texts_of(np.arange(4), ["join", "Cancel", "CANCEL ", "cancelled"])
    assert own_times(log_timeline(log, CANCEL, types).gone, 0) == [4 * DAY, 6 * DAY]


def test_another_ending_or_its_mark_is_no_return() -> None:
    events = [(10, "cancel"), (11, "fail"), (12, "cancel"), (30, "fail")]
    timeline = cancelled(events, reactivates_within_days=5, involuntary=("fail",), involuntary_within_days=1)
    assert timeline.back.tolist() == [NEVER, NEVER]
    assert timeline.targets.times.tolist() == [10 * DAY]
    assert timeline.involuntary.times.tolist() == [12 * DAY]


def test_only_the_named_types_are_returns() -> None:
    events = [(10, "cancel"), (11, "visit"), (14, "join")]
    assert cancelled(events, returns=("join",)).back.tolist() == [14 * DAY]
    assert cancelled(events, returns=("join",), reactivates_within_days=3).targets.times.tolist() == [
        10 * DAY
    ]


@pytest.mark.parametrize(("failed", "forced"), [(6, False), (7, True), (10, True), (11, False)])
def test_an_involuntary_event_counts_up_to_so_many_days_before_an_ending(failed: int, forced: bool) -> None:
    events = [(failed, "fail"), (10, "cancel"), (90, "fail"), (90, "cancel")]
    timeline = cancelled(events, involuntary=("fail",), involuntary_within_days=3)
    assert timeline.involuntary.times.tolist() == [*([10 * DAY] if forced else []), 90 * DAY]
    assert timeline.targets.times.tolist() == ([] if forced else [10 * DAY])


def test_an_event_without_a_type_is_a_return() -> None:
    log = log_of([Event(0, 10 * DAY, "cancel", 1.0), Event(0, 12 * DAY, "buy", 1.0)], 1)
    types = column_of(["cancel", None])
    assert log_timeline(log, CANCEL, types).back.tolist() == [12 * DAY]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"event": "cancle"}, "target.event must be a type in the log, got 'cancle'"),
        ({"event": ("cancel", "x")}, "target.event must be a type in the log, got 'x'"),
        ({"returns": ("rejoin",)}, "target.returns must be a type in the log, got 'rejoin'"),
        ({"involuntary": ("failed",)}, "target.involuntary must be a type in the log, got 'failed'"),
    ],
)
def test_a_type_that_the_log_does_not_have_is_refused_with_those_that_it_has(
    changes: dict[str, object], text: str
) -> None:
    with pytest.raises(DataError) as caught:
        cancelled([(10, "cancel"), (12, "fail")], **changes)
    assert str(caught.value) == f"{text}; the types are ['visit', 'buy', 'cancel', 'fail', 'join']"


def test_types_of_a_log_that_names_no_type_column_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        events_of(log_of([], 1), ("buy",), None, place="target.event")
    assert str(caught.value) == (
        "target.event must be a type in the log, got 'buy'; "
        "the types are none, since the study names no type column"
    )


def test_involuntary_events_that_never_come_with_an_ending_are_refused() -> None:
    """As where a failed payment ends the contract by itself, and no cancellation follows."""
    with pytest.raises(DataError) as caught:
        cancelled([(10, "cancel"), (20, "fail")], involuntary=("fail",))
    assert str(caught.value) == (
        "target.involuntary must name events at an ending or up to 7 days before one, got ['fail'] with "
        "none of 1 event there. Raise target.involuntary_within_days, add them to target.event: "
        "['cancel', 'fail'], or leave target.involuntary out."
    )


def test_involuntary_events_that_are_endings_themselves_need_no_other() -> None:
    events = [(10, "cancel"), (20, "fail")]
    timeline = cancelled(events, event=("cancel", "fail"), involuntary=("fail",), involuntary_within_days=0)
    assert timeline.targets.times.tolist() == [10 * DAY]
    assert timeline.involuntary.times.tolist() == [20 * DAY]


def test_how_many_go_on_after_an_event() -> None:
    events = [Event(0, 1, "join", 1.0), Event(0, 5, "cancel", 1.0), Event(0, 9, "cancel", 1.0)]
    events += [Event(1, 5, "cancel", 1.0), Event(1, 6, "buy", 1.0), Event(2, 6, "cancel", 1.0)]
    log = log_of(events, 3)
    assert followed_share(log, ("cancel",), log.categories["type"]) == (4, 0.5)


def test_a_log_of_nobody_and_one_without_events_have_empty_timelines() -> None:
    for n in (0, 2):
        log = log_of([], n)
        timeline = log_timeline(log, LogTask(outcome="occurs", horizons_days=(1,)), None)
        assert timeline.n_customers == n
        assert not len(timeline.targets.times)
