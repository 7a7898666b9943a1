"""A log study is tested on unseen customers, at a date by which every training label had closed."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.errors import DataError
from model.history import EventLog
from model.task import LogTask
from model.times import DAY, days
from tests.strategies import Event, log_of
from training.plan import Plan
from training.plan_log import plan_log

N = 400


def drawn_log(seed: int, n_days: int) -> EventLog:
    """Customers who come every few days, until some stop."""
    draw = np.random.default_rng(seed)
    events = [
        Event(customer, int(day * DAY), "buy" if draw.random() < 0.5 else "visit", 1.0)
        for customer in range(N)
        for day in np.cumsum(draw.exponential(draw.choice([3, 30]), 8))
        if day <= min(n_days, draw.uniform(0, 2 * n_days))
    ]
    return log_of([*events, Event(0, 0, "visit", 1.0), Event(0, n_days * DAY, "visit", 1.0)], N)


def planned(log: EventLog, task: LogTask, **options: Any) -> Plan:
    """The plan of a log whose events span the time observed."""
    defaults: dict[str, Any] = {
        "kinds": log.categories["type"],
        "first_event": int(log.times.min()),
        "data_end": int(log.times.max()),
        "every_days": 10,
        "first": None,
        "last": None,
        "test_fraction": 0.3,
        "seed": 0,
    }
    ids = [f"c{n}" for n in range(log.n_customers)]
    return plan_log(ids, log, task, **{**defaults, **options})


def refusal(log: EventLog, task: LogTask, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        planned(log, task, **options)
    return str(caught.value)


tasks = st.builds(
    LogTask,
    event=st.sampled_from(["any", "buy"]),
    outcome=st.sampled_from(["occurs", "absent"]),
    horizons_days=st.sampled_from([(10,), (5, 15), (3, 8, 20)]),
    gap_days=st.sampled_from([0, 4]),
    eligible_within_days=st.sampled_from([20, 365]),
)
plans = st.builds(
    lambda seed, n_days, task, every, fraction: (
        task,
        n_days * DAY,
        planned(drawn_log(seed, n_days), task, every_days=every, test_fraction=fraction, seed=seed),
    ),
    seed=st.integers(0, 1_000),
    n_days=st.sampled_from([40, 90]),
    task=tasks,
    every=st.sampled_from([7, 15]),
    fraction=st.sampled_from([0.2, 0.4]),
)


@settings(max_examples=40)
@given(plans)
def test_no_customer_is_tested_who_was_learnt_from_and_no_label_closes_after_the_test_date(
    case: tuple[LogTask, int, Plan],
) -> None:
    task, data_end, plan = case
    customers, cutoffs = plan.examples.customers, plan.examples.cutoffs
    measured = np.concatenate([plan.measured.train, plan.measured.validation, plan.measured.calibration])
    assert not set(customers[plan.test]) & set(customers[measured])
    longest = days(task.gap_days + task.horizons_days[-1])
    (test_date,) = set(cutoffs[plan.test].tolist())
    assert test_date == max(t for t in cutoffs.tolist() if t + longest <= data_end)
    closes = cutoffs[:, None] + np.array([days(task.gap_days + h) for h in task.horizons_days])
    at_risk = plan.measured_labels.at_risk
    assert plan.kind in ("forward", "customers")
    limit = test_date if plan.kind == "forward" else data_end
    assert closes[measured][at_risk[measured]].max() <= limit
    assert at_risk[measured].any(axis=1).all()


@settings(max_examples=20)
@given(plans)
def test_slices_are_disjoint_by_customer_and_training_wastes_nothing(case: tuple[LogTask, int, Plan]) -> None:
    _, _, plan = case
    customers = plan.examples.customers
    measured, final = plan.measured, plan.final
    for parts, labels, barred in (
        (
            [measured.train, measured.validation, measured.calibration],
            plan.measured_labels,
            set(customers[plan.test].tolist()),
        ),
        ([final.train, final.calibration], plan.labels, set()),
    ):
        asked = [set(customers[part].tolist()) for part in parts]
        assert sum(map(len, asked)) == len(set().union(*asked))
        assert not barred & set().union(*asked)
        known = labels.at_risk.any(axis=1)
        theirs = np.isin(customers, customers[parts[0]])
        assert parts[0].tolist() == np.flatnonzero(known & theirs).tolist()
        for late in parts[1:]:
            assert labels.at_risk[late].any(axis=1).all()
            assert len(set(late.tolist())) == len(late)


TASK = LogTask(event="buy", outcome="occurs", horizons_days=(5, 15))


def test_a_long_log_is_tested_forward_in_time() -> None:
    plan = planned(drawn_log(0, 90), TASK)
    assert plan.kind == "forward"
    assert plan.warnings == ()
    assert plan.sentence == (
        "tested at 1970-03-17 on customers unseen in training, whose labels had all closed by 1970-03-17"
    )
    assert set(plan.examples.cutoffs[plan.test].tolist()) == {75 * DAY}


def test_the_published_model_may_learn_from_what_the_measured_one_could_not_know() -> None:
    plan = planned(drawn_log(0, 90), TASK)
    cutoffs = plan.examples.cutoffs
    assert cutoffs[plan.measured.train].max() == 65 * DAY  # its 5 days had closed by the test date
    assert cutoffs[plan.final.train].max() == 85 * DAY
    assert not plan.measured_labels.at_risk[cutoffs == 65 * DAY, 1].any()
    assert plan.labels.at_risk[cutoffs == 65 * DAY, 1].any()


def test_early_stopping_and_calibration_look_at_the_later_half_of_the_dates() -> None:
    plan = planned(drawn_log(0, 90), TASK)
    cutoffs = plan.examples.cutoffs
    dates = {
        name: sorted({t // DAY for t in cutoffs[part].tolist()})
        for name, part in (
            ("train", plan.measured.train),
            ("validation", plan.measured.validation),
            ("final", plan.final.calibration),
        )
    }
    assert dates["train"] == [15, 25, 35, 45, 55, 65]
    assert dates["validation"] == [35, 45, 55, 65]
    assert dates["final"] == [45, 55, 65, 75, 85]


def test_a_log_too_short_for_that_is_tested_on_other_customers_with_a_warning() -> None:
    plan = planned(drawn_log(0, 26), TASK)
    assert plan.kind == "customers"
    assert plan.measured_labels is plan.labels
    assert plan.sentence == (
        "tested at 1970-01-12 on customers unseen in training, at dates that training saw too"
    )
    assert plan.warnings == (
        "The log holds 26 days; a test forward in time needs two windows of gap + longest horizon "
        "(30 days) and some history before them. The figures are for unseen customers at dates "
        "that training saw, and flatter the model if behaviour changes.",
    )
    customers = plan.examples.customers
    assert not set(customers[plan.test]) & set(customers[plan.measured.train])


def test_a_customer_keeps_its_side_when_more_data_arrive() -> None:
    before, after = planned(drawn_log(0, 70), TASK), planned(drawn_log(1, 90), TASK)
    tested = set(before.examples.customers[before.test].tolist())
    assert tested
    assert not tested & set(after.examples.customers[after.measured.train].tolist())


def test_another_seed_holds_out_other_customers() -> None:
    log = drawn_log(0, 90)
    one, same, other = (
        set(plan.examples.customers[plan.test].tolist())
        for plan in (planned(log, TASK), planned(log, TASK), planned(log, TASK, seed=1))
    )
    assert one == same != other


def test_the_test_gets_its_fraction_of_the_customers() -> None:
    plan = planned(drawn_log(0, 90), TASK, test_fraction=0.3)
    asked = np.isin(plan.examples.cutoffs, plan.examples.cutoffs[plan.test])
    assert len(plan.test) / asked.sum() == pytest.approx(0.3, abs=0.07)


def test_a_log_without_a_complete_cutoff_is_refused_with_the_dates_that_would_work() -> None:
    assert refusal(drawn_log(0, 40), TASK, first=30 * DAY) == (
        "a cutoff needs 15 observed days after it (gap + longest horizon), however the log runs from "
        "1970-01-01 to 1970-02-10 and the cutoffs are ['1970-02-05']; a cutoff at or before 1970-01-26 would "
        "work: shorten horizons_days, or set target.cutoffs.first and last"
    )


def test_a_log_shorter_than_its_windows_is_refused() -> None:
    task = LogTask(outcome="occurs", horizons_days=(90,), gap_days=10)
    assert refusal(drawn_log(0, 40), task) == (
        "a cutoff needs 100 observed days after it (gap + longest horizon), however the log runs from "
        "1970-01-01 to 1970-02-10 and the cutoffs are none; no cutoff would work: "
        "shorten horizons_days"
    )


def test_cutoffs_at_which_nobody_is_eligible_are_refused() -> None:
    log = log_of([Event(0, 0, "buy", 1.0), Event(1, 40 * DAY, "visit", 1.0)], 2)
    task = LogTask(outcome="occurs", horizons_days=(5,), eligible_within_days=3)
    assert refusal(log, task, first=20 * DAY, last=30 * DAY) == (
        "nobody is eligible: no customer has an event within 3 days before a cutoff; "
        "raise target.eligible_within_days"
    )


@pytest.mark.parametrize(("kind", "verdict"), [("buy", "are"), ("visit", "are not")])
def test_a_log_with_one_outcome_is_refused(kind: str, verdict: str) -> None:
    daily = [Event(customer, day * DAY, kind, 1.0) for customer in range(20) for day in range(21)]
    log = log_of([*daily, Event(0, 0, "buy", 1.0)], 20)
    assert refusal(log, TASK, first=5 * DAY, last=5 * DAY) == (
        f"a model needs both outcomes, however all 20 complete examples {verdict} positive at 15 days; "
        "look at target.event, outcome and horizons_days"
    )


def test_an_outcome_by_the_longest_horizon_is_what_counts() -> None:
    """All buy within 15 days, some within 5: the first interval alone has both."""
    events = [Event(c, day * DAY, "buy", 1.0) for c in range(20) for day in (0, 3 if c % 2 else 12, 20)]
    assert "however all 20 complete examples are positive at 15 days" in refusal(
        log_of(events, 20), TASK, first=1 * DAY, last=1 * DAY
    )
