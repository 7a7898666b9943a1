"""AUC of one column alone, against its definition; noise stays at one half."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.audit.feature import auc, auc_of_codes, auc_of_numbers, random_folds

rows = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=40)


@given(rows)
def test_auc_is_the_share_of_pairs_in_order(pairs: list[tuple[int, bool]]) -> None:
    high, low = [s for s, p in pairs if p], [s for s, p in pairs if not p]
    wins = [(a > b) + 0.5 * (a == b) for a in high for b in low]
    scores, positive = (np.array(one) for one in zip(*pairs, strict=True))
    assert auc(scores.astype(np.float64), positive) == pytest.approx(np.mean(wins) if wins else 0.5)


@given(rows)
def test_a_missing_number_is_tried_at_both_ends(pairs: list[tuple[int, bool]]) -> None:
    """Number 0 stands for a gap here; the best order is found, and may be beaten by ranges only."""
    values, positive = (np.array(one) for one in zip(*pairs, strict=True))
    folds = np.arange(len(values)) % 5
    orders = [auc(np.where(values == 0, end, values).astype(np.float64), positive) for end in (-9.0, 9.0)]
    found = auc_of_numbers(np.where(values == 0, np.nan, values.astype(np.float64)), positive, folds)
    assert found >= max(*orders, *(1 - o for o in orders)) - 1e-12 or (values == 0).all()


def test_codes_score_what_they_have_in_other_folds_only() -> None:
    folds = np.arange(100) % 5
    positive = folds < 2
    assert auc_of_codes(folds, positive, folds) == 0.5  # no code is in another fold
    assert auc_of_codes(positive.astype(np.int64) - 1, positive, np.arange(100) // 20) == 1.0


@pytest.mark.parametrize("n_codes", [2, 50, 1_000, 5_000])
def test_codes_of_noise_tell_nothing(n_codes: int) -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(5_000) < 0.2
    folds = random_folds(np.arange(5_000), positive, seed=0)
    assert auc_of_codes(rng.integers(-1, n_codes, 5_000), positive, folds) == pytest.approx(0.5, abs=0.04)


def test_folds_keep_groups_whole_and_spread_the_positives() -> None:
    groups = np.random.default_rng(0).integers(0, 400, 2_000)
    positive = groups % 5 == 0
    folds = random_folds(groups, positive, seed=0, n=4)
    assert len(np.unique(np.stack([groups, folds]), axis=1).T) == len(np.unique(groups))
    assert [int(positive[folds == f].sum()) for f in range(4)] == pytest.approx([100] * 4, abs=15)
    assert random_folds(groups, positive, seed=0, n=4).tolist() == folds.tolist()
    assert random_folds(groups, positive, seed=1, n=4).tolist() != folds.tolist()
