"""Calibration finds a planted slope and intercept, and does no harm where data are few or contrary."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from model.manifest import Calibration
from training.calibrate import MIN_SLOPE, PRIOR, fit_calibration

Floats = NDArray[np.float64]


def drawn(logits: Floats, seed: int = 0) -> NDArray[np.bool_]:
    """Events that happen with the probability of their true logit."""
    return np.random.default_rng(seed).random(logits.shape) < 1 / (1 + np.exp(-logits))


def fitted(logits: Floats, events: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and intercept of one output, everything at risk."""
    found = fit_calibration(logits[:, None], events[:, None], np.ones((len(logits), 1), dtype=bool))
    return found.slopes[0], found.intercepts[0]


def test_planted_slopes_and_intercepts_are_recovered_for_each_output() -> None:
    logits = np.random.default_rng(1).normal(0, 2, (100_000, 2))
    slopes, intercepts = np.array([0.6, 1.4]), np.array([-0.8, 0.5])
    events = drawn(logits * slopes + intercepts)
    found = fit_calibration(logits, events, np.ones_like(events))
    assert found.slopes == pytest.approx(slopes, abs=0.03)
    assert found.intercepts == pytest.approx(intercepts, abs=0.03)


def test_logits_that_are_right_stay_as_they_are() -> None:
    logits = np.random.default_rng(2).normal(-1, 1, 100_000)
    assert fitted(logits, drawn(logits)) == pytest.approx((1.0, 0.0), abs=0.03)


@pytest.mark.parametrize("events", [(True, False, True), (False, False, True), (True, True, True)])
def test_three_data_points_stay_near_the_identity(events: tuple[bool, bool, bool]) -> None:
    slope, intercept = fitted(np.array([0.5, -1.0, 0.2]), np.array(events))
    assert slope == pytest.approx(1.0, abs=0.5)
    assert intercept == pytest.approx(0.0, abs=1.0)


def test_no_data_at_all_are_the_identity() -> None:
    found = fit_calibration(np.zeros((4, 2)), np.zeros((4, 2), dtype=bool), np.zeros((4, 2), dtype=bool))
    assert found == Calibration(slopes=(1.0, 1.0), intercepts=(0.0, 0.0))


def test_masked_entries_are_not_looked_at() -> None:
    logits = np.random.default_rng(3).normal(0, 1, (500, 2))
    events, at_risk = drawn(logits), np.random.default_rng(4).random((500, 2)) < 0.5
    other_logits, other_events = np.where(at_risk, logits, np.nan), np.where(at_risk, events, ~events)
    assert fit_calibration(other_logits, other_events, at_risk) == fit_calibration(logits, events, at_risk)
    assert fit_calibration(logits, ~events, at_risk) != fit_calibration(logits, events, at_risk)


def test_a_ranking_is_never_turned_around() -> None:
    logits = np.random.default_rng(5).normal(3, 1, 2_000)
    slope, _ = fitted(logits, drawn(-logits))
    assert slope == MIN_SLOPE > 0


def test_at_the_floor_of_the_slope_the_probabilities_still_agree_with_the_share() -> None:
    logits = np.random.default_rng(6).normal(3, 1, 2_000)
    events = drawn(-logits)
    slope, intercept = fitted(logits, events)
    probabilities = 1 / (1 + np.exp(-(slope * logits + intercept)))
    assert probabilities.mean() == pytest.approx(events.mean(), abs=0.003)


def test_separable_data_give_finite_numbers() -> None:
    logits = np.linspace(-1, 1, 200)
    slope, intercept = fitted(logits, logits > 0)
    assert 1 < slope < 100
    assert abs(intercept) < 1


@pytest.mark.parametrize("seed", range(8))
def test_the_answer_is_the_optimum_of_the_penalised_loss(seed: int) -> None:
    draw = np.random.default_rng(seed)
    z = draw.normal(draw.normal(0, 5), draw.choice([0.1, 1.0, 30.0]), 60)
    y = drawn(0.7 * z + 0.3, seed)

    def loss(theta: Floats) -> float:
        logit = theta[0] * z + theta[1]
        prior = PRIOR / 2 * ((theta[0] - 1) ** 2 + theta[1] ** 2)
        return float(np.sum(np.logaddexp(0, logit) - y * logit) + prior)

    best = minimize(loss, (1.0, 0.0), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
    assert best.x[0] > MIN_SLOPE
    assert fitted(z, y) == pytest.approx(best.x, abs=1e-4)
