"""Whom a table keeps on one side: customers, duplicates, groups, and how a later version knows."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.table_plans import LABELS, parts, planned, sides
from training.split.deal import hash_shares


def test_duplicate_rows_lie_on_one_side() -> None:
    x = [n // 3 for n in range(900)]
    plan = planned(churn=LABELS * 225, x=x, word=[None if n % 2 else "a" for n in x])
    homes = [set(np.array(x)[side].tolist()) for side in sides(plan)]
    assert sum(map(len, homes)) == len(set(x)) == 300
    assert 0.15 < len(plan.test) / 900 < 0.25


def test_duplicate_rows_with_names_lie_on_one_side_too() -> None:
    x = [n // 2 for n in range(400)]
    labels = ["Yes" if n % 3 else "No" for n in range(400)]  # some twins have both
    plan = planned(churn=labels, x=x, split_ids=[f"c{n}" for n in range(400)])
    for dealt in (sides(plan), parts(plan.final)):
        homes = [set(np.array(x)[side].tolist()) for side in dealt]
        assert sum(map(len, homes)) == len(set(x))


@given(
    st.lists(
        st.tuples(
            st.integers(0, 20), st.sampled_from([1.0, 2.5, None]), st.sampled_from(["Yes", "No", None])
        ),
        max_size=40,
    )
)
def test_all_rows_of_a_customer_and_all_equal_rows_lie_on_one_side(
    rows: list[tuple[int, float | None, str | None]],
) -> None:
    rows = [*rows, (99, 7.0, "Yes"), (98, 8.0, "No")]
    ids, x, labels = (list(one) for one in zip(*rows, strict=True))
    plan = planned(churn=labels, x=x, split_ids=[str(i) for i in ids])
    asked = plan.examples.customers.tolist()
    side_of = {asked[row]: n for n, side in enumerate(sides(plan)) for row in side.tolist()}
    common = max(10, 0.05 * len(rows))
    for i in asked:
        for j in asked:
            twins = x[i] == x[j] and x.count(x[i]) <= common
            assert side_of[i] == side_of[j] or (ids[i] != ids[j] and not twins)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["Yes", "No"])), min_size=5, max_size=40),
    st.randoms(),
    st.booleans(),
)
def test_the_order_of_the_rows_decides_nothing_where_they_have_names(
    rows: list[tuple[int, str]], random: object, by_group: bool
) -> None:
    named = [(f"c{n}", home, label) for n, (home, label) in enumerate([*rows, (0, "Yes"), (1, "No")])]
    options: dict[str, Any] = {"split_group": "home"} if by_group else {}

    def dealt(listed: list[tuple[str, int, str]]) -> list[set[str]]:
        ids, homes, labels = (list(one) for one in zip(*listed, strict=True))
        plan = planned(churn=labels, home=homes, split_ids=ids, **options)
        return [{ids[row] for row in part.tolist()} for part in (*sides(plan), *parts(plan.final))]

    shuffled = list(named)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert dealt(named) == dealt(shuffled)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=2, max_size=80),
    st.sampled_from([None, "home"]),
    st.sampled_from([0.2, 0.5]),
    st.integers(0, 3),
)
def test_whose_place_is_below_the_border_was_held_out(
    rows: list[tuple[int, bool]], group: str | None, fraction: float, seed: int
) -> None:
    homes = [f"h{home}" for home, _ in rows] + ["a", "b"]
    ids = [f"c{n}" for n in range(len(homes))]
    labels = ["Yes" if positive else "No" for _, positive in rows] + ["Yes", "No"]
    plan = planned(
        churn=labels,
        home=homes,
        split_ids=ids,
        split_group=group,
        split_test_fraction=fraction,
        split_seed=seed,
    )
    held_out = plan.held_out
    assert (held_out.kind, held_out.group, held_out.seed) == ("groups" if group else "rows", group, seed)
    names = [f"={home}" for home in homes] if group else ids
    places = hash_shares(names, seed=held_out.seed, purpose="test")
    below = set(np.flatnonzero(places < held_out.below).tolist())
    assert below <= set(plan.test.tolist())
    assert held_out.since is None


def test_most_of_the_test_rows_can_be_told_by_their_place() -> None:
    ids = [f"c{n}" for n in range(2_000)]
    plan = planned(churn=LABELS * 500, x=list(range(2_000)), split_ids=ids)
    places = hash_shares(ids, seed=0, purpose="test")
    assert (places[plan.test] < plan.held_out.below).mean() > 0.9


def test_the_easy_split_deals_every_row_as_if_it_were_alone() -> None:
    x = [n // 4 for n in range(400)]
    plan = planned(churn=LABELS * 100, x=x)
    assert plan.shuffled is not None
    test, folds = plan.shuffled.test, plan.shuffled.folds
    assert (len(test), len(folds.rows)) == (80, 320)
    assert [len(part) for part in parts(folds)] == pytest.approx([64] * 5, abs=15)
    assert folds.judged.all()
    assert sorted([*test.tolist(), *folds.rows.tolist()]) == list(range(400))
    homes = [set(np.array(x)[rows].tolist()) for rows in (test, *parts(folds))]
    assert sum(map(len, homes)) > 2 * len(set(x))  # the rows of a home are all over the place


@pytest.mark.parametrize(
    ("values", "same"),
    [
        ({}, True),
        ({"split_group": "x"}, False),
        ({"split_time": "x"}, False),
        ({"x": [n // 2 for n in range(200)]}, False),
        ({"split_ids": [str(n // 2) for n in range(200)]}, False),
    ],
    ids=["rows", "groups", "time", "duplicates", "customers in several rows"],
)
def test_the_easy_split_is_told_only_where_it_is_another(values: dict[str, Any], same: bool) -> None:
    plan = planned(**{"churn": LABELS * 50, "x": list(range(200)), **values})
    assert (plan.shuffled is None) == same


def test_rows_of_a_coarse_table_are_no_duplicates_of_each_other() -> None:
    plan = planned(churn=LABELS * 250, plan=["gold", "iron"] * 500)
    assert len(plan.test) == 200
    assert [len(part) for part in parts(plan.final)] == [200] * 5


COARSE: dict[str, Any] = {
    "churn": [*LABELS * 499, None, None, "Yes", "No"],
    "plan": [*["gold"] * 1_235, *(str(n // 5) for n in range(764)), "gold"],
}


def test_common_rows_that_were_dealt_one_by_one_are_counted_and_told() -> None:
    plan = planned(**COARSE)
    assert plan.warnings == (
        "left out 2 rows whose 'churn' counts as no answer: blank (2).",
        "1,236 rows are equal in every column to more than 5 % of all rows. The columns are too coarse to "
        "identify customers, so these rows are dealt one by one.",
    )
    assert plan.sentence == (
        "tested on 20% of the rows, stratified by the label; duplicate rows are on one side "
        "unless they are common"
    )
    kinds = np.array(COARSE["plan"])[plan.examples.customers]
    homes = [set(kinds[side].tolist()) - {"gold"} for side in sides(plan)]
    assert sum(map(len, homes)) == len(set().union(*homes))


@pytest.mark.parametrize(
    "options",
    [
        {"split_group": "plan"},
        {"split_time": "year", "year": [1] * 2_000},
        {"split_ids": [f"c{plan}" for plan in COARSE["plan"]]},
    ],
    ids=["groups", "time", "all of one customer"],
)
def test_common_rows_that_were_not_dealt_one_by_one_are_not_told(options: dict[str, Any]) -> None:
    plan = planned(**COARSE, **options)
    assert plan.warnings == ("left out 2 rows whose 'churn' counts as no answer: blank (2).",)
    assert "common" not in plan.sentence
