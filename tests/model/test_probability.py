"""Hazard logits to probabilities, against a product by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from model.probability import event_by_horizon, no_event_by_horizon


def rows(low: float, high: float) -> st.SearchStrategy[NDArray[np.float64]]:
    """(N, K) logits."""
    shapes = st.tuples(st.integers(0, 3), st.integers(1, 5))
    return shapes.flatmap(
        lambda shape: st.lists(
            st.floats(low, high), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]
        ).map(lambda flat: np.array(flat, dtype=np.float64).reshape(shape))
    )


@given(rows(-30, 30))
def test_no_event_is_the_product_of_no_event_in_each_interval(logits: NDArray[np.float64]) -> None:
    got = no_event_by_horizon(logits)
    assert got.shape == logits.shape
    for row, answers in zip(logits.tolist(), got.tolist(), strict=True):
        survival = 1.0
        for logit, answer in zip(row, answers, strict=True):
            survival *= 1 / (1 + math.exp(logit))
            assert answer == pytest.approx(survival, rel=1e-12)


@given(rows(-800, 800))
def test_one_interval_is_the_plain_sigmoid(logits: NDArray[np.float64]) -> None:
    one = logits[:, :1]
    with np.errstate(over="ignore"):
        wanted = 1 / (1 + np.exp(-one))
    np.testing.assert_allclose(event_by_horizon(one), wanted, rtol=1e-12, atol=1e-300)


@given(rows(-3.4e38, 3.4e38))
def test_both_answers_are_probabilities_that_add_up_to_one(logits: NDArray[np.float64]) -> None:
    yes, no = event_by_horizon(logits), no_event_by_horizon(logits)
    for answers in (yes, no):
        assert ((answers >= 0) & (answers <= 1)).all()
    np.testing.assert_allclose(yes + no, 1, rtol=0, atol=1e-15)


@given(rows(-3.4e38, 3.4e38))
def test_an_event_by_a_longer_horizon_is_never_less_likely(logits: NDArray[np.float64]) -> None:
    assert (np.diff(event_by_horizon(logits), axis=1) >= 0).all()
    assert (np.diff(no_event_by_horizon(logits), axis=1) <= 0).all()


def test_rare_events_keep_their_digits() -> None:
    got = event_by_horizon(np.array([[-50.0, -50.0, -50.0]]))
    np.testing.assert_allclose(got, [np.exp(-50) * np.array([1, 2, 3])], rtol=1e-12)


def test_a_certain_interval_settles_all_longer_horizons() -> None:
    assert event_by_horizon(np.array([[-9.0, 1e300, -9.0]]))[0, 1:].tolist() == [1.0, 1.0]
    assert no_event_by_horizon(np.array([[-1e300, -1e300]])).tolist() == [[1.0, 1.0]]
