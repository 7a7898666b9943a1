"""A log study is tested on unseen customers, at a date by which every training label had closed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.task import LogTask
from model.times import DAY, days
from model.values.history import EventLog
from tests.strategies import Event, log_of
from tests.training.log_plans import TASK, N, drawn_log, planned
from tests.training.table_plans import sides
from training.split.deal import hash_shares
from training.split.plan import Plan

windows = {
    "horizons_days": st.sampled_from([(10,), (5, 15), (3, 8, 20)]),
    "gap_days": st.sampled_from([0, 4]),
    "ingestion_lag_days": st.sampled_from([0, 2]),
    "eligible_within_days": st.sampled_from([20, 365]),
}
tasks = st.builds(
    LogTask,
    event=st.sampled_from(["any", "buy"]),
    outcome=st.sampled_from(["occurs", "absent"]),
    **windows,
) | st.builds(
    LogTask,
    event=st.just("buy"),
    outcome=st.just("occurs"),
    terminal=st.just(True),
    reactivates_within_days=st.sampled_from([0, 3]),
    **windows,
)
plans = st.builds(
    lambda seed, n_days, task, every, fraction: (
        task,
        n_days * DAY,
        planned(drawn_log(seed, n_days), task, every_days=every, test_fraction=fraction, seed=seed),
    ),
    seed=st.integers(0, 1_000),
    n_days=st.sampled_from([45, 90]),
    task=tasks,
    every=st.sampled_from([7, 15]),
    fraction=st.sampled_from([0.2, 0.4]),
)


@given(plans)
def test_no_customer_is_tested_who_was_learnt_from_and_no_label_closes_after_the_test_date(
    case: tuple[LogTask, int, Plan],
) -> None:
    task, data_end, plan = case
    customers, cutoffs = plan.examples.customers, plan.examples.cutoffs
    measured = plan.measured.rows
    assert not set(customers[plan.unseen]) & set(customers[measured])
    needed = days(task.window_days + task.wait_days)
    (test_date,) = set(cutoffs[plan.test].tolist())
    assert test_date == max(t for t in cutoffs.tolist() if t + needed <= data_end)
    known = cutoffs[:, None] + np.array(
        [days(task.gap_days + h + task.wait_days) for h in task.horizons_days]
    )
    at_risk = plan.measured_labels.at_risk
    assert plan.kind in ("forward", "customers")
    limit = test_date if plan.kind == "forward" else data_end
    assert known[measured][at_risk[measured]].max() <= limit
    assert at_risk[measured].any(axis=1).all()


@given(plans)
def test_who_was_held_out_is_written_down(case: tuple[LogTask, int, Plan]) -> None:
    _, _, plan = case
    held_out, customers = plan.held_out, plan.examples.customers
    places = hash_shares([f"c{n}" for n in range(N)], seed=held_out.seed, purpose="test")
    below = set(np.flatnonzero(places < held_out.below).tolist())
    assert held_out.kind == plan.kind
    newcomers = set(customers[plan.unseen].tolist()) - below
    assert plan.kind == "forward" or not newcomers
    assert not newcomers & set(customers[plan.measured.rows].tolist())
    assert not below & set(customers[plan.measured.rows].tolist())
    assert {held_out.since} == set(plan.examples.cutoffs[plan.test].astype(float).tolist())


@given(plans)
def test_every_customer_is_tested_without_the_fold_that_read_him(case: tuple[LogTask, int, Plan]) -> None:
    _, _, plan = case
    customers, cutoffs = plan.examples.customers, plan.examples.cutoffs
    if plan.kind == "customers":
        assert not len(plan.seen)
    else:
        at_date = np.flatnonzero(np.isin(cutoffs, cutoffs[plan.test]) & plan.labels.complete.any(axis=1))
        assert plan.test.tolist() == at_date.tolist()
        assert len(plan.seen)
    assert not set(plan.test.tolist()) & set(plan.measured.rows.tolist())  # no window of it was known by then
    home = dict(zip(customers[plan.measured.rows].tolist(), plan.measured.fold.tolist(), strict=True))
    assert plan.test_fold.tolist() == [home.get(c, -1) for c in customers[plan.test].tolist()]


@given(plans)
def test_the_easy_split_deals_examples_one_by_one(case: tuple[LogTask, int, Plan]) -> None:
    _, _, plan = case
    assert plan.shuffled is not None
    test, folds = plan.shuffled.test, plan.shuffled.folds
    every = np.concatenate([test, folds.rows]).tolist()
    assert len(every) == len(set(every))
    assert plan.labels.at_risk[every].any(axis=1).all()
    assert folds.judged.all()
    sizes = np.bincount(folds.fold, minlength=5)
    assert sizes.max() - sizes.min() <= 2  # one for either outcome
    assert len(test) > 0


@given(plans)
def test_folds_hold_all_that_may_be_read_and_a_customer_is_in_one(case: tuple[LogTask, int, Plan]) -> None:
    _, _, plan = case
    customers, held_out = plan.examples.customers, plan.held_out
    places = hash_shares([f"c{n}" for n in range(N)], seed=held_out.seed, purpose="test")[customers]
    for folds, labels, allowed in (
        (plan.measured, plan.measured_labels, places >= held_out.below),
        (plan.final, plan.labels, np.ones(len(customers), dtype=bool)),
    ):
        assert folds.rows.tolist() == np.flatnonzero(allowed & labels.at_risk.any(axis=1)).tolist()
        assert len(folds.fold) == len(folds.judged) == len(folds.rows)
        homes = set(zip(customers[folds.rows].tolist(), folds.fold.tolist(), strict=True))
        assert len(homes) == len(set(customers[folds.rows].tolist()))
        assert set(folds.fold.tolist()) == set(range(5))
        dates = plan.examples.cutoffs[folds.rows]
        complete = sorted(set(dates[labels.complete[folds.rows, -1]].tolist()))
        assert folds.judged.tolist() == (dates >= complete[len(complete) // 2]).tolist()


@given(plans)
def test_a_customer_is_in_the_same_fold_of_either_fit(case: tuple[LogTask, int, Plan]) -> None:
    _, _, plan = case
    measured, final = plan.measured, plan.final
    of_final = dict(zip(final.rows.tolist(), final.fold.tolist(), strict=True))
    assert [of_final[row] for row in measured.rows.tolist()] == measured.fold.tolist()


def test_folds_are_about_equal_in_customers_and_in_events() -> None:
    plan = planned(drawn_log(0, 90), TASK, folds=4)
    folds, happened = plan.final, np.asarray(plan.labels.events.any(axis=1))
    sizes = np.bincount(folds.fold, minlength=4)
    assert sizes / sizes.sum() == pytest.approx(np.full(4, 0.25), abs=0.03)
    events = np.bincount(folds.fold, weights=happened[folds.rows], minlength=4)
    assert events / sizes == pytest.approx(np.full(4, events.sum() / sizes.sum()), abs=0.05)


def test_a_long_log_is_tested_forward_in_time() -> None:
    plan = planned(drawn_log(0, 90), TASK)
    assert plan.kind == "forward"
    assert plan.warnings == ()
    assert plan.sentence == (
        "tested at 1970-03-17 on all customers, each with a network that never read this customer; all "
        "training labels were known by 1970-03-17"
    )
    assert set(plan.examples.cutoffs[plan.test].tolist()) == {75 * DAY}


def test_the_published_model_may_learn_from_what_the_measured_one_could_not_know() -> None:
    plan = planned(drawn_log(0, 90), TASK)
    cutoffs = plan.examples.cutoffs
    assert cutoffs[plan.measured.rows].max() == 65 * DAY  # its 5 days had closed by the test date
    assert cutoffs[plan.final.rows].max() == 85 * DAY
    assert not plan.measured_labels.at_risk[cutoffs == 65 * DAY, 1].any()
    assert plan.labels.at_risk[cutoffs == 65 * DAY, 1].any()


def test_early_stopping_and_calibration_look_at_the_later_half_of_the_dates() -> None:
    plan = planned(drawn_log(0, 90), TASK)
    for folds, dates, judged in (
        (plan.measured, [15, 25, 35, 45, 55, 65], [35, 45, 55, 65]),
        (plan.final, [15, 25, 35, 45, 55, 65, 75, 85], [45, 55, 65, 75, 85]),
    ):
        labelled = plan.examples.cutoffs[folds.rows] // DAY
        assert sorted(set(labelled.tolist())) == dates
        assert folds.judged.tolist() == np.isin(labelled, judged).tolist()


def test_a_log_too_short_for_that_is_tested_on_other_customers_with_a_warning() -> None:
    plan = planned(drawn_log(0, 26), TASK)
    assert plan.kind == "customers"
    assert plan.measured_labels is plan.labels
    assert plan.sentence == (
        "tested at 1970-01-12 on customers unseen in training; training has the same dates"
    )
    assert plan.warnings == (
        "The data span 26 days. A test forward in time needs two windows of gap + longest horizon "
        "(30 days) and some history before them. The figures are for unseen customers at dates that "
        "training has too: they are too good if behaviour changes over time.",
    )
    customers = plan.examples.customers
    assert not set(customers[plan.test]) & set(customers[plan.measured.rows])


def counted_log(*buyers: tuple[int, int], silent: int) -> EventLog:
    """Customers who visit at day 20 and are asked that day; so many buy so many days later, and no others."""
    delays = [delay for n, delay in buyers for _ in range(n)] + [None] * silent
    events = [Event(c, 20 * DAY, "visit", 1.0) for c in range(len(delays))]
    events += [Event(c, (20 + d) * DAY, "buy", 1.0) for c, d in enumerate(delays) if d]
    return log_of([*events, Event(0, 0, "visit", 1.0), Event(0, 60 * DAY, "visit", 1.0)], len(delays))


def planned_counted(*buyers: tuple[int, int], silent: int) -> Plan:
    """Asked at days 20 and 40 of 60, the latter the test date; nobody is held out: all are counted."""
    log = counted_log(*buyers, silent=silent)
    return planned(log, TASK, first=20 * DAY, last=40 * DAY, every_days=20, test_fraction=0.0)


FLATTERED = (
    "The figures are for unseen customers at dates that training has too: they are too good if behaviour "
    "changes over time."
)


def test_an_interval_may_be_thin_where_the_horizon_is_known_well() -> None:
    plan = planned_counted((15, 3), (5, 9), silent=20)
    assert (plan.kind, plan.warnings) == ("forward", ())


@pytest.mark.parametrize(("events", "others"), [(19, 30), (30, 19)])
def test_a_longest_horizon_that_is_hardly_known_is_the_reason_told(events: int, others: int) -> None:
    plan = planned_counted((events - 9, 3), (9, 9), silent=others)
    assert plan.kind == "customers"
    assert plan.warnings == (
        f"By the test date 1970-02-10, only {events} examples with and {others} without the event were known "
        "at the longest horizon of 15 days; a test forward in time needs 20 of each: shorten "
        f"horizons_days, add customers, or set target.cutoffs. {FLATTERED}",
    )


def test_an_interval_that_is_hardly_known_is_the_reason_told() -> None:
    plan = planned_counted((26, 3), (4, 9), silent=1_200)
    assert plan.kind == "customers"
    assert plan.warnings == (
        "By the test date 1970-02-10, only 4 examples with and 1,200 without the event were known in the "
        "interval from 5 to 15 days; a test forward in time needs 5 of each: name fewer horizons_days, add "
        f"customers, or set target.cutoffs. {FLATTERED}",
    )


def test_a_customer_keeps_its_side_when_more_data_arrive() -> None:
    before, after = planned(drawn_log(0, 70), TASK), planned(drawn_log(1, 90), TASK)
    held_out = hash_shares([f"c{n}" for n in range(N)], seed=0, purpose="test") < before.held_out.below
    unseen = before.examples.customers[before.unseen]
    tested = set(unseen[held_out[unseen]].tolist())
    assert tested
    assert not tested & set(after.examples.customers[after.measured.rows].tolist())


def test_a_customer_keeps_its_side_when_others_come() -> None:
    log = drawn_log(0, 90)
    half = log.part(0, N // 2)
    part_of = []
    for one in (log, half):
        plan = planned(one, TASK, data_end=90 * DAY)
        both = (plan.unseen, plan.measured.rows)
        part_of.append({c: n for n, side in enumerate(both) for c in plan.examples.customers[side].tolist()})
    everyone, fewer = part_of
    assert len(fewer) > 100
    assert fewer.items() <= everyone.items()


def test_a_group_is_whole_on_one_side() -> None:
    log = drawn_log(0, 90)
    groups = [f"=region {n % 40}" for n in range(N)]
    plan = planned(log, TASK, ids=groups, group="region")
    assert plan.held_out.group == "region"
    regions = [set((plan.examples.customers[side] % 40).tolist()) for side in sides(plan)]
    assert all(regions)
    assert sum(map(len, regions)) == len(set().union(*regions))
    assert len(set(plan.groups.tolist())) == 40
    places = hash_shares(groups, seed=0, purpose="test")
    assert (places[plan.examples.customers[plan.unseen]] < plan.held_out.below).all()


def test_examples_of_one_customer_are_one_group() -> None:
    plan = planned(drawn_log(0, 90), TASK)
    pairs = set(zip(plan.groups.tolist(), plan.examples.customers.tolist(), strict=True))
    assert len(pairs) == len(set(plan.groups.tolist())) == len(set(plan.examples.customers.tolist()))


def test_another_seed_holds_out_other_customers() -> None:
    log = drawn_log(0, 90)
    one, same, other = (
        set(plan.examples.customers[plan.unseen].tolist())
        for plan in (planned(log, TASK), planned(log, TASK), planned(log, TASK, seed=1))
    )
    assert one == same != other


def test_the_test_gets_its_fraction_of_the_customers() -> None:
    plan = planned(drawn_log(0, 90), TASK, test_fraction=0.3)
    labelled = np.isin(plan.examples.cutoffs, plan.examples.cutoffs[plan.test])
    assert len(plan.unseen) / labelled.sum() == pytest.approx(0.3, abs=0.07)
