"""Calibration: slope and intercept on out-of-fold logits (Platt 1999)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.probability import Calibration
from training.question.labels import Bools

PRIOR: Final = 1.0  # weight of the prior slope 1 and intercept 0, in examples
MIN_SLOPE: Final = 0.05  # a negative slope would reverse the ranking


def fit_calibration(logits: NDArray[np.float64], events: Bools, at_risk: Bools) -> Calibration:
    """Calibrate each of the K logits on its own at-risk examples.

    Args:
        logits: (N, K) float64.
        events: (N, K) bool.
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


def bagged(single: Calibration, spread: NDArray[np.float64]) -> Calibration:
    """Return the calibration of the bag's mean logit, from one fitted on the logits of single networks.

    The logit of a single network has noise, which flattens the slope of the outcome on it by
    `signal / (signal + noise)` (Spearman 1904, "attenuation"). The mean of F networks has a noise F times
    smaller. The line turns about the mean logit, which noise does not change.

    Args:
        spread: (F, n, K) logits of the F networks for the same n examples.
    """
    total = spread.var(axis=1).mean(axis=0)
    noise = np.minimum(spread.var(axis=0, ddof=1).mean(axis=0), total)
    less_noisy = total - noise + noise / len(spread)
    steeper = np.divide(total, less_noisy, out=np.ones_like(total), where=less_noisy > 0)
    slopes = steeper * single.slopes
    intercepts = single.intercepts - (slopes - single.slopes) * spread.mean(axis=(0, 1))
    return Calibration(slopes=tuple(slopes.tolist()), intercepts=tuple(intercepts.tolist()))


def _platt(z: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Slope and intercept, near 1 and 0 for few data; the slope is at least MIN_SLOPE."""
    slope, intercept = _newton(np.stack([z, np.ones_like(z)], axis=1), y, np.zeros_like(z), (1.0, 0.0))
    if slope < MIN_SLOPE:
        slope, (intercept,) = MIN_SLOPE, _newton(np.ones((len(z), 1)), y, MIN_SLOPE * z, (0.0,))
    return slope, intercept


def _newton(
    inputs: NDArray[np.float64], y: NDArray[np.float64], offset: NDArray[np.float64], prior: tuple[float, ...]
) -> list[float]:
    """Newton's method on the log loss of `inputs @ theta + offset` plus a prior on theta."""
    theta = start = np.array(prior)
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-np.clip(inputs @ theta + offset, -500, 500)))
        gradient = inputs.T @ (p - y) + PRIOR * (theta - start)
        curvature = (inputs * (p * (1 - p))[:, None]).T @ inputs + PRIOR * np.eye(len(start))
        step = np.linalg.solve(curvature, gradient)
        theta = theta - step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < 1e-10:
            break
    weights: list[float] = theta.tolist()
    return weights
