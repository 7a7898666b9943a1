"""Shapley values against their definition, and their axioms."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.reasons.shapley import coalitions, shapley_values


@given(n_groups=st.integers(1, 5), seed=st.integers(0, 999))
def test_a_share_is_the_mean_over_all_orders_of_what_a_group_adds(n_groups: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(0, 9, (3, 1 << n_groups))
    wanted = np.zeros((3, n_groups))
    orders = list(permutations(range(n_groups)))
    for order in orders:
        joined = 0
        for group in order:
            wanted[:, group] += values[:, joined | 1 << group] - values[:, joined]
            joined |= 1 << group
    np.testing.assert_allclose(shapley_values(values), wanted / len(orders), atol=1e-9)


def test_ten_groups_of_an_additive_game_get_what_they_add() -> None:
    adds = np.random.default_rng(0).normal(size=(4, 10))
    values = adds @ coalitions(10).T
    assert shapley_values(values) == pytest.approx(adds, abs=1e-12)


def test_the_first_coalition_is_empty_and_the_last_whole() -> None:
    assert coalitions(2).tolist() == [[False, False], [True, False], [False, True], [True, True]]
