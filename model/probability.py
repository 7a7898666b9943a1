"""Logits to probabilities: calibration, then the discrete-time hazard (Gensheimer & Narasimhan 2019).

Calibrated logit j gives the probability of the event in interval j for a customer without an earlier one.
The probability of no event by horizon j is the product of `1 - sigmoid(z_i)` for i <= j. With K = 1 this is
the plain sigmoid.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Logits = NDArray[np.float64]
Probabilities = NDArray[np.float64]


class Calibration(BaseModel):
    """`slope * logit + intercept` for each of the K logits (Platt 1999)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slopes: tuple[float, ...]
    intercepts: tuple[float, ...]

    def apply(self, logits: Logits) -> Logits:
        """Return the (N, K) calibrated logits."""
        slopes, intercepts = self._arrays
        calibrated: Logits = logits * slopes + intercepts
        return calibrated

    @cached_property
    def _arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return np.asarray(self.slopes), np.asarray(self.intercepts)


def event_by_horizon(logits: Logits) -> Probabilities:
    """Return the (N, K) float64 probabilities of the event by each horizon; they never fall along K."""
    return -np.expm1(_log_survival(logits))


def no_event_by_horizon(logits: Logits) -> Probabilities:
    """Return the (N, K) float64 probabilities of no event by each horizon; they never rise along K."""
    return np.exp(_log_survival(logits))


def sigmoid(logits: Logits) -> Probabilities:
    """Return the probabilities of logits."""
    probabilities: Probabilities = np.exp(-np.logaddexp(0.0, -logits))
    return probabilities


def horizon_logits(calibrated: Logits, *, absent: bool) -> Logits:
    """Return the (N, K) float64 logits of the probabilities of the event, or of none, by each horizon.

    Exact where the probability itself would be rounded to 0 or 1.
    """
    if calibrated.shape[1] == 1:
        return -calibrated if absent else calibrated
    losses = np.maximum(-_log_survival(calibrated), np.finfo(np.float64).tiny)
    logits: Logits = losses + np.log(-np.expm1(-losses))  # log(expm1(x)), also where that overflows
    return -logits if absent else logits


def _log_survival(logits: Logits) -> NDArray[np.float64]:
    """log prod (1 - sigmoid(z)) = -sum softplus(z)."""
    losses = np.logaddexp(0.0, logits)
    np.negative(losses, out=losses)
    return losses if losses.shape[1] == 1 else np.cumsum(losses, axis=1)
