"""Hazard logits to probabilities: the discrete-time survival likelihood (Gensheimer & Narasimhan 2019).

Logit j says how likely the event is in interval j for someone who has not had it before, so the
chance of no event by horizon j is the product of `1 - sigmoid(z_i)` for i <= j. With K = 1 this is
the plain sigmoid.
"""

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float64]
Probabilities = NDArray[np.float64]


def event_by_horizon(logits: Logits) -> Probabilities:
    """(N, K) float64: probability that the event has happened by each horizon; never falls along K."""
    return -np.expm1(_log_survival(logits))


def no_event_by_horizon(logits: Logits) -> Probabilities:
    """(N, K) float64: probability that nothing has happened by each horizon; never rises along K."""
    return np.exp(_log_survival(logits))


def _log_survival(logits: Logits) -> NDArray[np.float64]:
    """log prod (1 - sigmoid(z)) = -sum softplus(z)."""
    losses = np.logaddexp(0.0, logits)
    np.negative(losses, out=losses)
    return losses if losses.shape[1] == 1 else np.cumsum(losses, axis=1)
