"""Calibration finds planted slopes and intercepts, harms nothing where data are few, and allows for a bag."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from model.probability import Calibration
from training.fit.calibrate import (
    CHANCE,
    LOOSE,
    MIN_SLOPE,
    PRIOR,
    bagged,
    calibrated_loss,
    fit_calibration,
    levelled,
    logit_of_mean,
)

Floats = NDArray[np.float64]


def drawn(logits: Floats, seed: int = 0) -> NDArray[np.bool_]:
    """Events that happen with the probability of their true logit."""
    return np.random.default_rng(seed).random(logits.shape) < 1 / (1 + np.exp(-logits))


def fitted(logits: Floats, events: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and intercept of one output, everything at risk."""
    found = fit_calibration(logits[:, None], events[:, None], np.ones((len(logits), 1), dtype=bool))
    return found.slopes[0], found.intercepts[0]


def loss(z: Floats, events: NDArray[np.bool_]) -> float:
    """The log loss in nats, an example."""
    return float(np.mean(np.logaddexp(0.0, z) - events * z))


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


@pytest.mark.parametrize("events", [(True, False, True), (False, False, True)])
def test_three_examples_get_little_but_their_base_rate(events: tuple[bool, bool, bool]) -> None:
    logits = np.array([0.5, -1.0, 0.2])
    slope, intercept = fitted(logits, np.array(events))
    probabilities = expit(slope * logits + intercept)
    assert probabilities == pytest.approx(np.mean(events), abs=0.3)


def test_one_outcome_stays_near_the_identity() -> None:
    slope, intercept = fitted(np.array([0.5, -1.0, 0.2]), np.ones(3, dtype=bool))
    assert slope == pytest.approx(1.0, abs=0.5)
    assert intercept == pytest.approx(0.0, abs=1.0)


@pytest.mark.parametrize("positives", [5, 10, 30, 100, 400])
@pytest.mark.parametrize(("informed", "scale"), [(True, 1.0), (True, 9.0), (False, 5.0)])
def test_the_mean_probability_is_the_base_rate_however_few_the_positives(
    positives: int, informed: bool, scale: float
) -> None:
    draw = np.random.default_rng(positives)
    signal, n = draw.normal(0, 1, 20_000), 20_000
    events = np.zeros(n, dtype=bool)
    order = np.argsort(-signal - draw.gumbel(size=n)) if informed else draw.permutation(n)
    events[order[:positives]] = True
    logits = scale * (signal - 5)
    slope, intercept = fitted(logits, events)
    z = slope * logits + intercept
    assert expit(z).mean() == pytest.approx(positives / n, rel=0.002)
    rate = np.log(positives / (n - positives))
    assert loss(z, events) <= loss(np.full(n, rate), events) + 1e-4


def test_logits_that_say_nothing_of_the_outcome_become_the_base_rate() -> None:
    draw = np.random.default_rng(0)
    logits, events = draw.normal(-6, 4, 20_000), draw.random(20_000) < 0.0005
    slope, intercept = fitted(logits, events)
    assert slope == MIN_SLOPE
    assert expit(slope * logits + intercept) == pytest.approx(events.mean(), rel=0.3)


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
def test_the_answer_is_the_optimum_of_the_penalised_loss_but_for_the_share_of_chance(seed: int) -> None:
    draw = np.random.default_rng(seed)
    z = draw.normal(draw.normal(0, 5), draw.choice([0.3, 1.0, 30.0]), 600)
    y = drawn(0.7 * (z - z.mean()) + 0.3, seed)

    def penalised(theta: Floats) -> float:
        prior = PRIOR * (theta[0] - 1) ** 2 + LOOSE * theta[1] ** 2
        return loss(theta[0] * z + theta[1], y) * len(z) + float(prior) / 2

    best = minimize(penalised, (1.0, 0.0), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
    gain = loss(np.full(len(z), np.log(y.mean() / (1 - y.mean()))), y) - loss(best.x[0] * z + best.x[1], y)
    kept = 1 - CHANCE / (gain * len(z))
    assert 0.5 < kept < 1
    assert fitted(z, y)[0] == pytest.approx(best.x[0] * kept, rel=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_a_calibrated_loss_is_the_mean_over_what_is_at_risk_after_calibration(seed: int) -> None:
    draw = np.random.default_rng(seed)
    logits = draw.normal(-1, 4, (200, 3))
    events, at_risk = drawn(0.4 * logits, seed), draw.random((200, 3)) < 0.7
    found = fit_calibration(logits, events, at_risk)
    losses = []
    for k in range(3):
        z = found.slopes[k] * logits[at_risk[:, k], k] + found.intercepts[k]
        p = 1 / (1 + np.exp(-z))
        losses += (-np.log(np.where(events[at_risk[:, k], k], p, 1 - p))).tolist()
    assert calibrated_loss(logits, events, at_risk) == pytest.approx(np.mean(losses))
    assert calibrated_loss(10 * logits, events, at_risk) < 1.1 * np.mean(losses)  # else many times as much


def test_a_loss_over_nothing_is_nothing() -> None:
    nothing = np.zeros((4, 2), dtype=bool)
    assert calibrated_loss(np.ones((4, 2)), nothing, nothing) == 0.0


SINGLE = Calibration(slopes=(0.8, 1.3), intercepts=(-0.4, 0.2))


def test_in_a_bag_of_equal_networks_nothing_changes() -> None:
    one = np.random.default_rng(0).normal(0, 2, (500, 2))
    spread = np.stack([one] * 5)
    found = bagged(SINGLE, spread, logit_of_mean(spread))
    assert found.slopes == pytest.approx(SINGLE.slopes)
    assert found.intercepts == pytest.approx(SINGLE.intercepts)


def test_networks_that_give_everybody_the_same_answer_change_nothing() -> None:
    spread = np.full((5, 300, 2), -1.5)
    found = bagged(SINGLE, spread, logit_of_mean(spread))
    assert found.slopes == SINGLE.slopes
    assert found.intercepts == pytest.approx(SINGLE.intercepts)


@pytest.mark.parametrize("center", [-9.0, -6.0, -2.0, 0.0])
def test_a_bag_keeps_the_mean_probability_of_its_networks(center: float) -> None:
    draw = np.random.default_rng(3)
    spread = draw.normal(center, 2.0, (1, 4000, 1)) + draw.normal(0, 2.0, (5, 4000, 1))
    single = Calibration(slopes=(0.6,), intercepts=(-1.0,))
    found = bagged(single, spread, logit_of_mean(spread))
    assert found.slopes[0] > 1.3 * single.slopes[0]
    wanted = expit(np.stack([single.apply(z) for z in spread])).mean()
    assert expit(found.apply(logit_of_mean(spread))).mean() == pytest.approx(wanted, rel=1e-6)


def test_the_answer_of_a_bag_is_the_logit_of_its_mean_probability() -> None:
    spread = np.array([[[-2.0]], [[1.0]], [[40.0]], [[-800.0]]])
    assert logit_of_mean(spread) == pytest.approx(logit(expit(spread).mean(axis=0)))


def test_only_counted_entries_level_the_mean() -> None:
    draw = np.random.default_rng(4)
    logits, wanted = draw.normal(0, 2, (500, 2)), draw.random((500, 2))
    counted = np.stack([draw.random(500) < 0.5, np.zeros(500, dtype=bool)], axis=1)
    found = levelled(SINGLE, logits, wanted, counted)
    rows = counted[:, 0]
    assert expit(found.apply(logits))[rows, 0].mean() == pytest.approx(wanted[rows, 0].mean())
    assert found.intercepts[1] == SINGLE.intercepts[1]


@pytest.mark.parametrize("n", [1, 2])
def test_a_handful_of_examples_gives_finite_slopes_that_are_no_smaller(n: int) -> None:
    spread = np.random.default_rng(0).normal(0, 2, (5, n, 2))
    found = bagged(SINGLE, spread, logit_of_mean(spread))
    assert np.isfinite(found.slopes).all()
    assert (np.array(found.slopes) >= np.array(SINGLE.slopes)).all()


@pytest.mark.parametrize(
    ("n_networks", "noise", "center"),
    [(2, 1.0, -2.5), (2, 1.0, 1.0), (5, 0.5, 0.0), (5, 1.0, 0.0), (16, 0.7, -2.5), (16, 0.7, 1.0)],
)
def test_a_bag_gets_about_the_calibration_that_its_mean_would_have_got(
    n_networks: int, noise: float, center: float
) -> None:
    """Each network says the truth plus noise of its own; calibrated was one of them."""
    draw = np.random.default_rng(1)
    truth = draw.normal(center, 1.0, (40_000, 1))
    events, every = drawn(truth), np.ones((40_000, 1), dtype=bool)
    spread = truth + draw.normal(0, noise, (n_networks, 40_000, 1))
    mean = logit_of_mean(spread)
    single, of_mean = (fit_calibration(z, events, every) for z in (spread[0], mean))
    found = bagged(single, spread, logit_of_mean(spread))
    assert found.slopes[0] == pytest.approx(of_mean.slopes[0], rel=0.2)
    assert single.slopes[0] < 0.9 * of_mean.slopes[0]

    of_found, of_best, of_single = (loss(c.apply(mean), events) for c in (found, of_mean, single))
    assert of_found - of_best < 0.15 * (of_single - of_best)
    told = 1 / (1 + np.exp(-found.apply(mean)))
    assert told.mean() == pytest.approx(events.mean(), rel=0.01)
