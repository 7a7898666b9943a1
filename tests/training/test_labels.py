"""Labels agree with a naive count per customer, with events exactly on every edge."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.customers import Examples
from model.errors import DataError
from model.task import LogTask
from model.times import DAY, days
from tests.strategies import TYPES, Event, event_lists, instants, log_of, within
from training.labels import compile_labels, cutoff_grid, eligible, eligible_examples

tasks = st.builds(
    LogTask,
    event=st.sampled_from(["any", *TYPES]),
    outcome=st.sampled_from(["occurs", "absent"]),
    horizons_days=st.sampled_from([(3,), (1, 4), (2, 5, 9)]),
    gap_days=st.sampled_from([0, 0, 2]),
    eligible_within_days=st.sampled_from([1, 5, 30]),
)


@given(event_lists, tasks, st.integers(0, 3), instants, instants)
def test_labels_are_those_of_a_naive_count(
    listed: list[Event], task: LogTask, customer: int, cutoff: int, data_end: int
) -> None:
    listed = [*listed, *(Event(0, 0, kind, 1.0) for kind in TYPES)]  # every type is in the log
    log = log_of(listed)
    asked = Examples(np.array([customer]), np.array([cutoff]))
    labels = compile_labels(log, task, asked, kinds=log.categories["type"], data_end=data_end)
    opens = cutoff + days(task.gap_days)
    before = False
    for k, horizon in enumerate(task.horizons_days):
        closes = opens + days(horizon)
        happened = any(task.event in ("any", e.type) for e in within(listed, customer, opens, closes))
        assert labels.complete[0, k] == (closes <= data_end)
        assert labels.outcomes[0, k] == (happened == (task.outcome == "occurs"))
        assert labels.events[0, k] == (happened and not before)
        assert labels.at_risk[0, k] == (closes <= data_end and not before)
        before = before or happened


@given(event_lists, tasks, st.lists(instants, max_size=4, unique=True))
def test_every_eligible_customer_is_asked_at_every_cutoff(
    listed: list[Event], task: LogTask, cutoffs: list[int]
) -> None:
    examples = eligible_examples(log_of(listed), task, cutoffs)
    naive = [
        (customer, cutoff)
        for cutoff in cutoffs
        for customer in range(4)
        if within(listed, customer, cutoff - days(task.eligible_within_days), cutoff)
    ]
    assert list(zip(examples.customers.tolist(), examples.cutoffs.tolist(), strict=True)) == naive


def edge_labels(event_at: int, outcome: Literal["occurs", "absent"] = "occurs") -> tuple[bool, bool]:
    """Outcome at 10 days and whether the window is complete, with a gap of 2 days after day 20."""
    log = log_of([Event(0, event_at, "buy", 1.0)], 1)
    task = LogTask(outcome=outcome, horizons_days=(10,), gap_days=2)
    labels = compile_labels(
        log, task, Examples(np.array([0]), np.array([20 * DAY])), kinds=None, data_end=32 * DAY
    )
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
    log = log_of([Event(0, 0, "buy", 1.0)], 1)
    task = LogTask(outcome="absent", horizons_days=(5,))
    examples = eligible_examples(log, task, [DAY])
    labels = compile_labels(log, task, examples, kinds=None, data_end=20 * DAY)
    assert labels.outcomes.tolist() == [[True]]


def test_eligibility_is_open_at_its_start_and_closed_at_the_cutoff() -> None:
    task = LogTask(outcome="occurs", horizons_days=(1,), eligible_within_days=5)
    at = Examples(np.array([0]), np.array([10 * DAY]))
    ages = {5 * DAY: False, 5 * DAY + 1: True, 10 * DAY: True, 10 * DAY + 1: False}
    for time, wanted in ages.items():
        assert eligible(log_of([Event(0, time, "buy", 1.0)], 1), task, at).tolist() == [wanted]


def test_an_unknown_event_type_is_refused_with_the_types_of_the_log() -> None:
    log = log_of([Event(0, 0, "buy", 1.0)], 1)
    task = LogTask(event="by", outcome="occurs", horizons_days=(5,))
    with pytest.raises(
        DataError, match=r"must be a type in the log, got 'by'; the types are \['visit', 'buy', 'cancel'\]"
    ):
        compile_labels(
            log, task, Examples(np.array([0]), np.array([0])), kinds=log.categories["type"], data_end=0
        )


def test_the_grid_holds_the_latest_complete_cutoff_and_goes_on_to_partly_observed_ones() -> None:
    task = LogTask(outcome="occurs", horizons_days=(30, 90))
    grid = cutoff_grid(first_event=0, data_end=365 * DAY + 5, task=task, every_days=30, first=None, last=None)
    assert [t / DAY for t in grid] == [35, 65, 95, 125, 155, 185, 215, 245, 275, 305, 335]
    assert 275 + 90 == 365


def test_the_grid_obeys_first_and_last() -> None:
    task = LogTask(outcome="occurs", horizons_days=(30,))
    grid = cutoff_grid(
        first_event=0, data_end=365 * DAY, task=task, every_days=50, first=100 * DAY, last=210 * DAY
    )
    assert [t / DAY for t in grid] == [110, 160, 210]
