"""The default test of a log has earlier dates until it has 200 examples of the rarer outcome."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.times import DAY
from model.values.history import EventLog
from tests.strategies import Event, log_of
from tests.training.log_plans import TASK, drawn_log, planned
from training.question.labels import Labels
from training.split.deal import RARER, n_rarer
from training.split.plan import Plan


def rarer(labels: Labels) -> int:
    return n_rarer(labels.outcomes[labels.complete[:, -1], -1])


def steady_log(n: int, n_days: int) -> EventLog:
    """Every 20 days each customer visits, and half of them buy: some 3 days later, as many 9 days later."""
    events = [
        Event(customer, (20 * step + late) * DAY, "buy" if late else "visit", 1.0)
        for customer in range(n)
        for step in range(n_days // 20 + 1)
        for late in (0, *{0: [3], 1: [9]}.get((customer + step) % 4, []))
    ]
    return log_of([*events, Event(0, n_days * DAY, "visit", 1.0)], n)


def steady(n: int, n_days: int, *, test_fraction: float | None = None) -> Plan:
    return planned(steady_log(n, n_days), TASK, every_days=20, test_fraction=test_fraction)


def dates(plan: Plan) -> list[int]:
    """The days of the test."""
    return sorted(set((plan.examples.cutoffs[plan.test] // DAY).tolist()))


@pytest.mark.parametrize(
    ("n", "n_days", "kind", "days"),
    [
        (400, 395, "forward", [380]),  # 200 of the rarer outcome at the latest date
        (120, 395, "forward", [320, 340, 360, 380]),
        (120, 115, "forward", [80, 100]),  # from 60 on the test would have more than training
        (40, 55, "customers", [20, 40]),
    ],
)
def test_the_test_has_as_many_dates_as_it_takes(n: int, n_days: int, kind: str, days: list[int]) -> None:
    plan = steady(n, n_days)
    assert (plan.kind, dates(plan)) == (kind, days)
    assert plan.held_out.since == days[0] * DAY


def test_the_dates_are_named() -> None:
    assert steady(120, 115).sentence == (
        "tested at 2 dates from 1970-03-22 to 1970-04-11 on all customers, each with a network that never "
        "read this customer; all training labels were known by 1970-03-22"
    )
    assert steady(40, 55).sentence == (
        "tested at 2 dates from 1970-01-21 to 1970-02-10 on customers unseen in training; training has the "
        "same dates"
    )


def test_a_stated_share_keeps_the_test_at_the_latest_date() -> None:
    assert dates(steady(120, 395, test_fraction=0.2)) == [380]


@given(seed=st.integers(0, 1_000), n_days=st.sampled_from([45, 90, 150]), every=st.sampled_from([7, 15]))
def test_training_knows_nothing_that_closed_after_the_first_test_date(
    seed: int, n_days: int, every: int
) -> None:
    log = drawn_log(seed, n_days)
    plan = planned(log, TASK, every_days=every, test_fraction=None, seed=seed)
    one = planned(log, TASK, every_days=every, test_fraction=0.2, seed=seed)
    cutoffs, read = plan.examples.cutoffs, plan.measured.rows
    tested, since = cutoffs[plan.test], int(plan.held_out.since or 0)
    assert since == tested.min()
    assert tested.max() == cutoffs[one.test].max()
    assert plan.kind == one.kind
    assert not set(plan.test.tolist()) & set(read.tolist())
    assert not set(plan.examples.customers[plan.unseen]) & set(plan.examples.customers[read])
    if plan.kind == "forward":
        closed = cutoffs[read][:, None] + np.array(TASK.horizons_days) * DAY
        assert closed[plan.measured_labels.at_risk[read]].max() <= since
        everyone = (cutoffs >= since) & (cutoffs <= tested.max()) & plan.labels.complete.any(axis=1)
        assert plan.test.tolist() == np.flatnonzero(everyone).tolist()
    if since < tested.max():
        assert rarer(plan.labels.take(plan.test[tested > since])) < RARER
        known = plan.measured_labels.take(read)
        assert plan.kind == "customers" or rarer(known) >= rarer(plan.labels.take(plan.test))
    for of_one, of_plan in ((one.final.rows, plan.final.rows), (one.final.fold, plan.final.fold)):
        assert of_one.tolist() == of_plan.tolist()  # the published model is the same
