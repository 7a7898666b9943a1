"""Shares are kept within every stratum, groups stay whole, and a customer's side never changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from model.values.columns import Column, column_of
from model.values.duplicates import COMMON_ROWS
from training.split.deal import (
    Places,
    broken_up,
    deal,
    deal_folds,
    duplicate_groups,
    groups_of,
    hash_shares,
    joined_groups,
    row_names,
)

Ints = NDArray[np.int64]


def everyone_apart(n: int) -> Ints:
    return np.arange(n, dtype=np.int64)


def drawn(n: int, seed: int = 0) -> Places:
    return np.random.default_rng(seed).random(n)


@given(
    st.lists(st.integers(0, 2), min_size=1, max_size=200),
    st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.3]), min_size=1, max_size=3),
    st.integers(0, 5),
)
def test_each_part_gets_its_share_of_every_stratum(strata: list[int], shares: list[float], seed: int) -> None:
    of = np.array(strata)
    parts = deal(everyone_apart(len(of)), of, shares, drawn(len(of), seed))
    wanted = [*shares, 1 - sum(shares)]
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(of)))
    for stratum in np.unique(of):
        size = int((of == stratum).sum())
        for part, share in zip(parts, wanted, strict=True):
            assert abs(int((of[part] == stratum).sum()) - share * size) <= 1


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 1)), min_size=1, max_size=120), st.integers(0, 5)
)
def test_groups_are_never_divided(rows: list[tuple[int, int]], seed: int) -> None:
    groups, strata = (np.array(one) for one in zip(*rows, strict=True))
    parts = deal(groups, strata, [0.2, 0.3], drawn(len(rows), seed))
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(rows)))
    homes = [set(groups[part].tolist()) for part in parts]
    assert sum(map(len, homes)) == len(set(groups.tolist()))


def test_many_small_groups_get_about_their_shares_of_the_rows() -> None:
    groups = np.random.default_rng(0).integers(0, 3_000, 10_000)
    parts = deal(groups, groups % 2, [0.2, 0.1], drawn(10_000))
    assert [len(part) / 10_000 for part in parts] == pytest.approx([0.2, 0.1, 0.7], abs=0.002)


@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 1), st.integers(0, 99)),
        min_size=1,
        max_size=60,
        unique_by=lambda row: row[2],
    ),
    st.randoms(),
)
def test_the_order_of_the_rows_decides_nothing(rows: list[tuple[int, int, int]], random: object) -> None:
    def sides(listed: list[tuple[int, int, int]]) -> list[set[tuple[int, int, int]]]:
        groups, strata, places = (np.array(one) for one in zip(*listed, strict=True))
        return [{listed[i] for i in part.tolist()} for part in deal(groups, strata, [0.2, 0.3], places / 100)]

    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert sides(rows) == sides(shuffled)


def test_the_lowest_places_of_each_stratum_come_first() -> None:
    strata, places = np.arange(20) % 2, drawn(20)
    first, second, rest = deal(everyone_apart(20), strata, [0.2, 0.3], places)
    for stratum in (0, 1):
        theirs = [sorted(places[part[strata[part] == stratum]]) for part in (first, second, rest)]
        assert [len(one) for one in theirs] == [2, 3, 5]
        assert np.concatenate(theirs).tolist() == sorted(places[strata == stratum])


def test_a_share_of_nothing_gets_nobody() -> None:
    nobody, some, rest = deal(everyone_apart(40), np.arange(40) % 2, [0.0, 0.25], drawn(40))
    assert (len(nobody), len(some), len(rest)) == (0, 10, 30)


def test_nobody_is_dealt_into_empty_parts() -> None:
    parts = deal(everyone_apart(0), everyone_apart(0), [0.2], drawn(0))
    assert [part.tolist() for part in parts] == [[], []]


@given(st.lists(st.integers(0, 1), min_size=1, max_size=200), st.integers(2, 7), st.integers(0, 5))
def test_folds_are_of_equal_size_within_every_stratum(strata: list[int], n_folds: int, seed: int) -> None:
    of = np.array(strata)
    fold = deal_folds(everyone_apart(len(of)), of, n_folds, drawn(len(of), seed))
    assert fold.dtype == np.int64
    assert fold.min() >= 0
    assert fold.max() < n_folds
    for stratum in np.unique(of):
        sizes = np.bincount(fold[of == stratum], minlength=n_folds)
        assert sizes.max() - sizes.min() <= 1


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 1)), min_size=1, max_size=120), st.integers(2, 7)
)
def test_a_group_is_in_one_fold(rows: list[tuple[int, int]], n_folds: int) -> None:
    groups, strata = (np.array(one) for one in zip(*rows, strict=True))
    fold = deal_folds(groups, strata, n_folds, drawn(len(rows)))
    assert len(set(zip(groups.tolist(), fold.tolist(), strict=True))) == len(set(groups.tolist()))


def test_folds_of_many_small_groups_are_about_equal() -> None:
    groups = np.random.default_rng(0).integers(0, 3_000, 10_000)
    fold = deal_folds(groups, groups % 2, 5, drawn(10_000))
    assert np.bincount(fold) / 10_000 == pytest.approx(np.full(5, 0.2), abs=0.003)
    assert np.bincount(fold, weights=groups % 2) / np.bincount(fold) == pytest.approx(
        np.full(5, 0.5), abs=0.02
    )


def test_another_deal_is_other_folds() -> None:
    one, same, other = (deal_folds(everyone_apart(40), np.arange(40) % 2, 4, drawn(40, s)) for s in (0, 0, 1))
    assert one.tolist() == same.tolist() != other.tolist()


def test_hash_shares_are_those_of_every_machine_and_year() -> None:
    assert hash_shares(["007", "größer"], seed=0, purpose="test").tolist() == [
        0.22263908085948306,
        0.5206338954922018,
    ]


def test_a_customer_keeps_its_share_whoever_else_there_is() -> None:
    many = hash_shares([str(n) for n in range(1_000)], seed=3, purpose="test")
    assert (
        hash_shares(["17", "new", "998"], seed=3, purpose="test")[[0, 2]].tolist() == many[[17, 998]].tolist()
    )
    assert len(set(many.tolist())) == 1_000


@pytest.mark.parametrize(("seed", "purpose"), [(1, "test"), (2**32 - 1, "fold"), (0, "fold")])
def test_seeds_and_purposes_are_independent_and_uniform(seed: int, purpose: str) -> None:
    ids = [f"customer {n}" for n in range(20_000)]
    shares, others = hash_shares(ids, seed=seed, purpose=purpose), hash_shares(ids, seed=0, purpose="test")
    assert shares.min() >= 0
    assert shares.max() < 1
    assert np.sort(shares) == pytest.approx((np.arange(20_000) + 0.5) / 20_000, abs=0.015)
    assert abs(np.corrcoef(shares, others)[0, 1]) < 0.03


def grouped(columns: dict[str, Column], n_rows: int) -> list[int]:
    return [int(group) for group in duplicate_groups(row_names(columns, n_rows))]


def test_equal_rows_share_a_group_missing_cells_included() -> None:
    columns: dict[str, Column] = {
        "plan": column_of(["gold", "iron", None, "gold", None, "gold", None]),
        "spent": column_of([1.0, 1.0, None, 1.0, None, None, 2.0]),
    }
    groups = grouped(columns, 7)
    assert groups[0] == groups[3]
    assert groups[2] == groups[4]
    assert len(set(groups)) == 5


cells = st.sampled_from([None, 0.0, -0.0, 1.0, 2.5, -3.0])
words = st.sampled_from([None, "a", "b"])
tables = st.lists(st.tuples(cells, words, cells), min_size=1, max_size=COMMON_ROWS)


def columns_of(rows: list[tuple[float | None, str | None, float | None]]) -> dict[str, Column]:
    return {str(i): column_of(values) for i, values in enumerate(zip(*rows, strict=True))}


@given(tables)
def test_rows_are_in_one_group_exactly_if_every_cell_is_equal(
    rows: list[tuple[float | None, str | None, float | None]],
) -> None:
    groups = grouped(columns_of(rows), len(rows))
    assert len(set(zip(groups, rows, strict=True))) == len(set(groups)) == len(set(rows))


@given(tables, tables)
def test_a_row_keeps_its_name_whatever_other_rows_and_columns_come_before_it(
    rows: list[tuple[float | None, str | None, float | None]],
    others: list[tuple[float | None, str | None, float | None]],
) -> None:
    crowd = [(1.0, "a", 1.0), (2.5, "b", 2.5)]  # both columns of numbers hold numbers, that of words words
    alone = row_names(columns_of([*crowd, *rows]), len(rows) + 2)
    columns = columns_of([*others, *crowd, *rows])
    among = row_names(dict(reversed(columns.items())), len(others) + len(rows) + 2)
    assert among[len(others) :] == alone


def test_rows_that_are_common_are_no_duplicates() -> None:
    plans = ["gold"] * 30 + ["iron"] * 8 + [str(n) for n in range(62)]
    groups = duplicate_groups(plans)
    assert len(set(groups[:30].tolist())) == 30
    assert len(set(groups[30:38].tolist())) == 1
    assert len(set(groups.tolist())) == 30 + 1 + 62
    assert broken_up(plans, groups).tolist() == [True] * 30 + [False] * 70


@pytest.mark.parametrize(("n", "common"), [(50, False), (51, True)])
def test_rows_are_common_that_are_more_than_a_twentieth_of_all(n: int, common: bool) -> None:
    plans = ["gold"] * n + [str(i) for i in range(1_000 - n)]
    groups = duplicate_groups(plans)
    assert len(set(groups[:n].tolist())) == (n if common else 1)
    assert broken_up(plans, groups).sum() == (n if common else 0)


def test_a_group_is_a_value_of_its_column_or_the_row_s_own_id() -> None:
    columns: dict[str, Column] = {"home": column_of(["a", None, "b", 3]), "floor": column_of([1, 2, None, 1])}
    assert groups_of(columns, "home", ["w", "x", "y", "z"]) == ["=a", "x", "=b", "=3"]
    assert groups_of(columns, "floor", ["1", "2", "3", "4"]) == ["=1", "=2", "3", "=1"]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=14))
def test_joined_groups_are_whole_in_both_groupings(rows: list[tuple[int, int]]) -> None:
    one, other = (np.array([row[i] for row in rows], dtype=np.int64) for i in (0, 1))
    naive = list(range(len(rows)))
    for _ in rows:
        naive = [
            min(
                naive[j]
                for j in range(len(rows))
                if i == j or rows[i][0] == rows[j][0] or rows[i][1] == rows[j][1]
            )
            for i in range(len(rows))
        ]
    joined = joined_groups(one, other).tolist()
    assert len(set(zip(joined, naive, strict=True))) == len(set(naive)) == len(set(joined))
