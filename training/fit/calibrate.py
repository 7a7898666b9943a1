"""Calibration: slope and intercept on out-of-fold logits (Platt 1999)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit, logsumexp

from model.probability import Calibration, Probabilities
from training.question.labels import Bools

PRIOR: Final = 1.0  # weight of the prior slope 1, in examples
LOOSE: Final = 1e-3  # weight of the prior intercept 0 where both outcomes occur
CHANCE: Final = 0.5  # nats that one parameter gains by chance
MIN_SLOPE: Final = 0.01  # a negative slope would reverse the ranking


def fit_calibration(
    logits: NDArray[np.float64], events: Bools | Probabilities, at_risk: Bools
) -> Calibration:
    """Calibrate each of the K logits on its own at-risk examples; their mean probability is their base rate.

    Args:
        logits: (N, K) float64.
        events: (N, K) bool, or probabilities of the events.
        at_risk: (N, K) bool; other entries are not read.
    """
    fitted = [
        _platt(logits[at_risk[:, k], k], events[at_risk[:, k], k].astype(np.float64))
        for k in range(logits.shape[1])
    ]
    return Calibration(slopes=tuple(s for s, _ in fitted), intercepts=tuple(i for _, i in fitted))


def calibrated_loss(logits: NDArray[np.float64], events: Bools, at_risk: Bools) -> float:
    """Return the mean BCE in nats per at-risk entry, after a calibration fitted on the same logits."""
    z = fit_calibration(logits, events, at_risk).apply(logits)
    losses = np.logaddexp(0.0, z) - events * z
    return float(losses[at_risk].sum() / max(at_risk.sum(), 1))


def bagged(single: Calibration, spread: NDArray[np.float64], logits: NDArray[np.float64]) -> Calibration:
    """Return the calibration of the bag, from one fitted on the logits of single networks.

    The slope is steeper, see `steepening`. The intercept keeps the mean probability: that of the calibrated
    networks, which is the base rate on examples that they never read.

    Args:
        spread: (F, n, K) logits of the F networks for the same n examples.
        logits: (n, K) of the bag, for the inputs as a prediction reads them.
    """
    slopes = steepening(spread) * single.slopes
    wanted = expit(np.stack([single.apply(one) for one in spread])).mean(axis=0)
    steep = Calibration(slopes=tuple(slopes.tolist()), intercepts=(0.0,) * len(slopes))
    return levelled(steep, logits, wanted, np.ones(wanted.shape, dtype=bool))


def steepening(spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (K,) factors by which the slope of the mean of F models is steeper than that of one.

    The logit of a single model has noise, which flattens the slope of the outcome on it by
    `signal / (signal + noise)` (Spearman 1904, "attenuation"). The mean of F has a noise F times smaller.

    Args:
        spread: (F, n, K) logits of the F models for the same n examples.
    """
    if len(spread) == 1:
        return np.ones(spread.shape[2])
    total = spread.var(axis=1).mean(axis=0)
    noise = np.minimum(spread.var(axis=0, ddof=1).mean(axis=0), total)
    less_noisy = total - noise + noise / len(spread)
    factors: NDArray[np.float64] = np.divide(total, less_noisy, out=np.ones_like(total), where=less_noisy > 0)
    return factors


def levelled(
    calibration: Calibration, logits: NDArray[np.float64], wanted: NDArray[np.float64] | Bools, counted: Bools
) -> Calibration:
    """Return the calibration with the intercepts at which the mean probabilities are as wanted.

    Args:
        logits: (n, K) uncalibrated.
        wanted: (n, K) probabilities, or outcomes.
        counted: (n, K) bool, the entries that the means are over; without any, an intercept stays as it is.
    """
    z = calibration.apply(logits)
    shifts = [
        _shift(z[counted[:, k], k], float(wanted[counted[:, k], k].mean())) if counted[:, k].any() else 0.0
        for k in range(z.shape[1])
    ]
    intercepts = tuple((np.asarray(calibration.intercepts) + shifts).tolist())
    return Calibration(slopes=calibration.slopes, intercepts=intercepts)


def logit_of_mean(spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (n, K) logits of the mean probability of (F, n, K) logits, which is the bag's answer."""
    yes, no = (-np.logaddexp(0.0, z) for z in (-spread, spread))
    logits: NDArray[np.float64] = logsumexp(yes, axis=0) - logsumexp(no, axis=0)
    return logits


def log_loss_of(logits: NDArray[np.float64], y: NDArray[np.float64] | Bools) -> float:
    """The log loss in nats, summed."""
    return float((np.logaddexp(0.0, logits) - y * logits).sum())


def _shift(z: NDArray[np.float64], mean: float) -> float:
    """The shift of logits at which the mean probability is `mean`."""
    if not 0 < mean < 1:
        return 0.0
    center = float(logit(mean))
    low, high = center - float(z.max()) - 1e-6, center - float(z.min()) + 1e-6
    return float(brentq(lambda shift: float(expit(z + shift).mean()) - mean, low, high))


def _platt(z: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Slope, at least MIN_SLOPE, and intercept, at which the mean probability is the share of positives.

    The slope is shrunk by the share of its evidence that chance explains (James & Stein 1961): of logits that
    are no better than the base rate, little but their order is left. With one outcome only, slope and
    intercept stay near 1 and 0.
    """
    both = 0 < y.sum() < len(y)
    slope, intercept = _newton(z, y, PRIOR if not both else LOOSE)
    if not both:
        return slope, intercept
    share = float(y.mean())
    gain = log_loss_of(np.full_like(z, logit(share)), y) - log_loss_of(slope * z + intercept, y)
    slope *= max(0.0, 1 - CHANCE / gain) if slope > 0 and gain > 0 else 0.0
    slope = max(slope, MIN_SLOPE)
    return slope, _shift(slope * z, share)


def _newton(z: NDArray[np.float64], y: NDArray[np.float64], loose: float) -> tuple[float, float]:
    """Slope and intercept of the least log loss, with a prior of weight PRIOR on 1 and of `loose` on 0."""
    inputs = np.stack([z, np.ones_like(z)], axis=1)
    theta = prior = np.array([1.0, 0.0])
    weight = np.array([PRIOR, loose])

    def penalised(at: NDArray[np.float64]) -> float:
        return log_loss_of(inputs @ at, y) + float((weight * (at - prior) ** 2).sum()) / 2

    for _ in range(100):
        p = expit(inputs @ theta)
        gradient = inputs.T @ (p - y) + weight * (theta - prior)
        curvature = (inputs * (p * (1 - p))[:, None]).T @ inputs + np.diag(weight)
        step = np.linalg.solve(curvature, gradient)
        step /= max(1.0, float(np.abs(step).max()))
        while np.abs(step).max() > 1e-10 and penalised(theta - step) > penalised(theta):
            step /= 2
        theta = theta - step
        if np.abs(step).max() < 1e-10:
            break
    slope, intercept = theta.tolist()
    return slope, intercept
