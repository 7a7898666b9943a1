"""Scaling keeps the order of numbers, and a finite number stays finite."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.features.scaling import asinh_transform, scale
from model.schema import Scaling
from tests.model.build import tiny_scaling

finite = st.floats(allow_nan=False, allow_infinity=False)
widths = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
scalings = st.builds(
    tiny_scaling, center=finite, scale=widths, mean=st.floats(-700, 700), deviation=st.floats(1e-6, 1e6)
)
LARGEST = 1.7976931348623157e308


def test_scaling_is_asinh_then_standard_units() -> None:
    scaling = tiny_scaling(center=5.0, scale=2.0, mean=0.1, deviation=0.9)
    got = scale(np.array([5.0, 9.0, -5.0]), scaling)
    wanted = [(math.asinh(d) - 0.1) / 0.9 for d in (0.0, 2.0, -5.0)]
    np.testing.assert_allclose(got, wanted, rtol=1e-6)
    assert got.dtype == np.float32


def test_it_is_linear_near_the_centre_and_logarithmic_far_out() -> None:
    near = asinh_transform(np.array([0.001, 0.002]), 0.0, 1.0)
    far = asinh_transform(np.array([1e6, 1e7, 1e8]), 0.0, 1.0)
    assert near[1] == pytest.approx(2 * near[0], rel=1e-5)
    np.testing.assert_allclose(np.diff(far), math.log(10), rtol=1e-9)


def test_a_centre_far_from_zero_costs_no_precision() -> None:
    got = asinh_transform(np.array([1e10 + 0.5]), 1e10, 0.3)
    assert got[0] == pytest.approx(math.asinh(0.5 / 0.3), rel=1e-12)


@given(st.lists(finite, min_size=1), scalings)
@example([LARGEST, -LARGEST], tiny_scaling(center=-LARGEST, scale=LARGEST))
@example([1e308], tiny_scaling(scale=1e-308))
@example([5.0], tiny_scaling(scale=5e-324))
def test_every_finite_number_stays_finite(values: list[float], scaling: Scaling) -> None:
    assert np.isfinite(scale(np.array(values), scaling)).all()


@given(st.lists(finite, min_size=2), scalings)
def test_a_larger_number_is_never_scaled_below_a_smaller_one(values: list[float], scaling: Scaling) -> None:
    got = scale(np.sort(np.array(values)), scaling)
    assert (np.diff(got) >= -1e-6 * np.abs(got[1:])).all()  # asinh itself may err in its last bit


def test_outliers_keep_apart() -> None:
    wide = tiny_scaling(low=-LARGEST, high=LARGEST)
    got = scale(np.array([-LARGEST, -1e39, -1e3, 0.0, 1.0, 1e3, 1e39, 1e100, 1e300]), wide)
    assert (np.diff(got) > 0.1).all()


def test_a_number_counts_at_most_one_range_beyond_those_of_training() -> None:
    plain = tiny_scaling(center=0.0, scale=1.0, mean=0.0, deviation=1.0, low=-2.0, high=2.0)
    end = math.asinh(2.0)
    got = scale(np.array([-1e9, -2.0, 0.0, 2.0, 3.0, 1e9]), plain)
    assert got == pytest.approx([-3 * end, -end, 0.0, end, math.asinh(3.0), 3 * end])
    constant = tiny_scaling(center=5.0, scale=1.0, mean=0.0, deviation=1.0, low=5.0, high=5.0)
    assert scale(np.array([-1e9, 5.0, 1e9]), constant) == pytest.approx([-1.0, 0.0, 1.0])


def test_the_sum_of_a_history_may_overflow() -> None:
    got = scale(np.array([np.inf, -np.inf]), tiny_scaling())
    assert np.isfinite(got).all()
    assert got[0] > 0 > got[1]


def test_nan_stays_nan_and_spoils_nothing_else() -> None:
    got = scale(np.array([np.nan, 5.0, np.nan]), tiny_scaling())
    assert np.isnan(got).tolist() == [True, False, True]
    assert scale(np.array([]), tiny_scaling()).shape == (0,)
