"""Rows of a table are dealt within their label, by group or by time, duplicates on one side."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.task import ColumnTask
from model.times import parse_time
from model.values.columns import Texts, column_of
from tests.training.table_plans import CUTOFF, LABELS, TASK, parts, planned, refusal, sides
from training.split.plan import HeldOut


def test_test_and_folds_have_the_label_s_own_share_of_positives() -> None:
    plan = planned(churn=LABELS * 1_000, x=list(range(4_000)))
    assert len(plan.test) == 800
    assert [len(part) for part in parts(plan.measured)] == pytest.approx([640] * 5, abs=60)
    assert [len(part) for part in parts(plan.final)] == [800] * 5
    shares = [plan.labels.events[side].mean() for side in (plan.test, *parts(plan.final))]
    assert shares == pytest.approx([0.25] * 6, abs=0.001)
    assert [plan.labels.events[side].mean() for side in sides(plan)] == pytest.approx([0.25] * 6, abs=0.03)
    assert sorted(np.concatenate(sides(plan)).tolist()) == list(range(4_000))
    assert plan.measured.judged.all()


def test_the_published_model_is_fitted_on_every_row() -> None:
    plan = planned(churn=LABELS * 250, x=list(range(1_000)))
    assert plan.final.rows.tolist() == list(range(1_000))
    assert plan.final.judged.all()
    of_final = dict(zip(plan.final.rows.tolist(), plan.final.fold.tolist(), strict=True))
    assert [of_final[row] for row in plan.measured.rows.tolist()] == plan.measured.fold.tolist()


def test_what_a_plan_says_of_itself() -> None:
    plan = planned(churn=LABELS * 25, x=list(range(100)))
    assert (plan.kind, plan.warnings) == ("rows", ())
    assert plan.sentence == (
        "tested on 20% of the rows, stratified by the label; duplicate rows are on one side"
    )
    assert plan.measured_labels is plan.labels
    assert set(plan.examples.cutoffs.tolist()) == {CUTOFF}
    assert plan.examples.customers.tolist() == list(range(100))
    by_group = planned(churn=LABELS * 25, home=list(range(100)), split_group="home")
    assert (by_group.kind, by_group.sentence) == (
        "groups",
        "tested on 20% of the rows, whole groups of 'home' at a time",
    )


def test_a_seed_decides_which_rows_are_tested_and_which_are_in_a_fold() -> None:
    one, same, other = (planned(churn=LABELS * 25, x=list(range(100)), split_seed=s) for s in (0, 0, 1))
    assert one.test.tolist() == same.test.tolist() != other.test.tolist()
    assert one.final.fold.tolist() == same.final.fold.tolist() != other.final.fold.tolist()


def test_a_study_says_how_many_folds_there_are() -> None:
    plan = planned(churn=LABELS * 25, x=list(range(100)), split_folds=3)
    assert set(plan.final.fold.tolist()) == set(plan.measured.fold.tolist()) == {0, 1, 2}


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=2, max_size=80))
def test_groups_stay_whole(rows: list[tuple[int, bool]]) -> None:
    homes = [f"home {home}" for home, _ in rows]
    labels = ["Yes" if positive else "No" for _, positive in rows]
    plan = planned(churn=[*labels, "Yes", "No"], home=[*homes, "a", "b"], split_group="home")
    rejoined = np.array([*homes, "a", "b"])
    for dealt in (sides(plan), parts(plan.final)):
        assert sum(len(set(rejoined[part].tolist())) for part in dealt) == len(set(rejoined.tolist()))


def test_rows_without_a_group_are_each_their_own() -> None:
    plan = planned(churn=LABELS * 50, home=[None] * 200, split_group="home")
    assert len(plan.test) == 40


def test_the_latest_rows_are_the_test_and_of_the_others_the_later_half_is_judged() -> None:
    order = np.random.default_rng(0).permutation(100)
    days = [f"2020-{1 + n // 28:02}-{1 + n % 28:02}" for n in order.tolist()]
    plan = planned(churn=LABELS * 25, signup=days, split_time="signup")
    assert plan.kind == "time"
    assert plan.sentence == "tested on the latest 20% of the rows by 'signup'"
    assert sorted(order[plan.test].tolist()) == list(range(80, 100))
    assert sorted(order[plan.measured.rows].tolist()) == list(range(80))
    assert plan.measured.judged.tolist() == (order[plan.measured.rows] >= 40).tolist()
    assert plan.final.judged.tolist() == (order[plan.final.rows] >= 50).tolist()
    assert [len(part) for part in parts(plan.final)] == [20] * 5  # folds are dealt by customer, not by date


@pytest.mark.parametrize(
    "times",
    [
        [2000 + n for n in range(40)],
        [n / 7 for n in range(40)],
        [20_110_101_000_000.0 + n for n in range(40)],
        [f"{1 + n % 28:02}.{1 + n // 28:02}.2011" for n in range(40)],
    ],
    ids=["years", "fractions", "long numbers", "dates with dots"],
)
def test_any_number_or_date_orders_the_rows(times: Sequence[object]) -> None:
    plan = planned(churn=LABELS * 10, when=times, split_time="when")
    assert plan.test.tolist() == list(range(32, 40))
    first = column_of(times[32:33])
    wanted = first[0] if not isinstance(first, Texts) else parse_time("2011-02-05")
    assert plan.held_out == HeldOut(kind="time", group="when", since=float(wanted))


@given(st.lists(st.integers(0, 6), min_size=2, max_size=60))
def test_rows_of_one_instant_stay_together(years: list[int]) -> None:
    plan = planned(churn=(LABELS * 20)[: len(years)], year=years, split_time="year")
    of = np.array(years)
    test, train, judged = (
        set(of[rows].tolist())
        for rows in (plan.test, plan.measured.rows, plan.measured.rows[plan.measured.judged])
    )
    assert not test & train
    assert min(test, default=9) > max(train, default=-1)
    assert judged == {year for year in train if year >= min(judged, default=9)}
    if len(plan.measured.rows):
        earlier = plan.measured.rows[~plan.measured.judged]
        assert len(earlier) <= len(plan.measured.rows) / 2
        assert not set(of[earlier].tolist()) & judged


def test_rows_without_a_label_are_left_out_and_counted() -> None:
    plan = planned(churn=["Yes", None, "No", ""] * 25, x=list(range(100)))
    assert plan.warnings == ("left out 50 rows whose 'churn' counts as no answer: blank (50).",)
    assert plan.examples.customers.tolist() == list(range(0, 100, 2))
    assert plan.labels.events[:, 0].tolist() == [True, False] * 25


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"task": ColumnTask(column="chrun", positive="Yes")},
            "the customer table has no column 'chrun'; did you mean 'churn'? its columns are 'churn', 'home'",
        ),
        (
            {"split_group": "hom"},
            "the customer table has no column 'hom'; did you mean 'home'? its columns are 'churn', 'home'",
        ),
        ({"split_time": "zzz"}, "the customer table has no column 'zzz'; its columns are 'churn', 'home'"),
    ],
    ids=["label", "group", "time"],
)
def test_a_column_that_is_not_there_is_refused_with_the_nearest_name(
    options: dict[str, Any], text: str
) -> None:
    task = options.pop("task", TASK)
    assert refusal(task, churn=LABELS, home=[1, 2, 3, 4], **options) == text


@pytest.mark.parametrize(
    ("times", "count"), [(["2020-01-01", "soon", None, "2020-01-02"], 2), ([1, 2, None, 4], 1)]
)
def test_a_row_without_a_time_is_refused(times: list[object], count: int) -> None:
    assert refusal(churn=LABELS, when=times, split_time="when") == (
        f"split.time 'when' must be a date or a number in every row, got {count} of 4 values missing or "
        "unreadable. Correct them, or name another column."
    )


@pytest.mark.parametrize(
    ("positives", "share"), [(1_100, 0.2), (1_000, 0.2), (600, 0.35), (401, 0.5), (90, 0.5), (4_500, 0.4)]
)
@pytest.mark.parametrize("by_time", [False, True])
def test_the_test_grows_until_it_has_200_of_the_rarer_outcome(
    positives: int, share: float, *, by_time: bool
) -> None:
    labels = np.arange(5_000) * 7919 % 5_000 < positives
    churn = np.where(labels, "Yes", "No").tolist()
    options: dict[str, Any] = {"split_time": "day"} if by_time else {}
    plan = planned(churn=churn, day=np.arange(5_000).tolist(), split_test_fraction=None, **options)
    tested = plan.labels.outcomes[plan.test, 0]
    assert len(plan.test) / 5_000 == pytest.approx(share, abs=0.051 if by_time else 0.001)
    assert min(tested.sum(), (~tested).sum()) >= 200 or share == 0.5
    assert f"{len(plan.test) / 5_000:.0%}" in plan.sentence
    stated = planned(churn=churn, day=np.arange(5_000).tolist(), split_test_fraction=0.1, **options)
    assert len(stated.test) == 500
