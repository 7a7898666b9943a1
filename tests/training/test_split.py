"""Shares are kept within every stratum, groups stay whole, and a customer's side never changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from model.columns import Column, column_of
from training.split import COMMON_ROWS, deal, duplicate_groups, hash_shares

Ints = NDArray[np.int64]


def everyone_apart(n: int) -> Ints:
    return np.arange(n, dtype=np.int64)


@given(
    st.lists(st.integers(0, 2), min_size=1, max_size=200),
    st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.3]), min_size=1, max_size=3),
    st.integers(0, 5),
)
def test_each_part_gets_its_share_of_every_stratum(strata: list[int], shares: list[float], seed: int) -> None:
    of = np.array(strata)
    parts = deal(everyone_apart(len(of)), of, shares, seed=seed)
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
    parts = deal(groups, strata, [0.2, 0.3], seed=seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(rows)))
    homes = [set(groups[part].tolist()) for part in parts]
    assert sum(map(len, homes)) == len(set(groups.tolist()))


def test_many_small_groups_get_about_their_shares_of_the_rows() -> None:
    groups = np.random.default_rng(0).integers(0, 3_000, 10_000)
    parts = deal(groups, groups % 2, [0.2, 0.1], seed=0)
    assert [len(part) / 10_000 for part in parts] == pytest.approx([0.2, 0.1, 0.7], abs=0.002)


def test_a_seed_decides_who_goes_where() -> None:
    def deal_with(seed: int) -> list[list[int]]:
        return [
            p.tolist() for p in deal(everyone_apart(50), np.zeros(50, dtype=np.int64), [0.2, 0.3], seed=seed)
        ]

    assert deal_with(1) == deal_with(1) != deal_with(2)


def test_a_share_of_nothing_gets_nobody() -> None:
    nobody, some, rest = deal(everyone_apart(40), np.arange(40) % 2, [0.0, 0.25], seed=0)
    assert (len(nobody), len(some), len(rest)) == (0, 10, 30)


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


@pytest.mark.parametrize(("seed", "purpose"), [(1, "test"), (2**32 - 1, "slice"), (0, "slice")])
def test_seeds_and_purposes_are_independent_and_uniform(seed: int, purpose: str) -> None:
    ids = [f"customer {n}" for n in range(20_000)]
    shares, others = hash_shares(ids, seed=seed, purpose=purpose), hash_shares(ids, seed=0, purpose="test")
    assert shares.min() >= 0
    assert shares.max() < 1
    assert np.sort(shares) == pytest.approx((np.arange(20_000) + 0.5) / 20_000, abs=0.015)
    assert abs(np.corrcoef(shares, others)[0, 1]) < 0.03


def test_equal_rows_share_a_group_missing_cells_included() -> None:
    columns: dict[str, Column] = {
        "plan": column_of(["gold", "iron", None, "gold", None, "gold", None]),
        "spent": column_of([1.0, 1.0, None, 1.0, None, None, 2.0]),
    }
    groups = duplicate_groups(columns, 7).tolist()
    assert groups[0] == groups[3]
    assert groups[2] == groups[4]
    assert len(set(groups)) == 5


cells = st.sampled_from([None, 0.0, 1.0, 2.5, -3.0])
words = st.sampled_from([None, "a", "b"])


@given(st.lists(st.tuples(cells, words, cells), min_size=1, max_size=COMMON_ROWS))
def test_rows_are_in_one_group_exactly_if_every_cell_is_equal(
    rows: list[tuple[float | None, str | None, float | None]],
) -> None:
    columns = {str(i): column_of(values) for i, values in enumerate(zip(*rows, strict=True))}
    groups = duplicate_groups(columns, len(rows)).tolist()
    assert len(set(zip(groups, rows, strict=True))) == len(set(groups)) == len(set(rows))


def test_rows_that_are_common_are_no_duplicates() -> None:
    plans = ["gold"] * 30 + ["iron"] * 8 + [str(n) for n in range(62)]
    groups = duplicate_groups({"plan": column_of(plans)}, 100)
    assert len(set(groups[:30].tolist())) == 30
    assert len(set(groups[30:38].tolist())) == 1
    assert len(set(groups.tolist())) == 30 + 1 + 62


def test_without_columns_no_row_is_a_duplicate() -> None:
    assert duplicate_groups({}, 3).tolist() == [0, 1, 2]
