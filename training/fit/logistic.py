"""Penalised logistic regressions of all folds and intervals, solved together.

Each is convex and shares no weight with another, so the minimum of the sum is the minimum of each. The sum
takes one matrix product for all. The search runs in coordinates in which the loss curves about equally in
every direction, and takes some ten steps where plain L-BFGS takes hundreds.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import logit

from training.question.labels import Bools

Floats = NDArray[np.float64]

SAMPLE: Final = 20_000  # examples that measure the curvature
LEAST_CURVATURE: Final = 1e-4  # of a direction, as a share of that of a scaled number
MAX_STEPS: Final = 200
TOLERANCE: Final = 3e-5  # of the gradient of the mean loss, where it curves by about 1: a loss within 1e-8
LEAST: Final = 1e-300  # a probability whose logarithm is finite
REMEMBERED: Final = 20  # steps from which the search learns the curvature


@dataclass(frozen=True)
class Design:
    """The inputs of N examples as the columns of a regression.

    Attributes:
        dense: (P, N) float64; the first column is 1, its weight is the intercept.
        codes: (N, R) one-hot codes.
    """

    dense: Floats
    codes: csr_array

    def __len__(self) -> int:
        return int(self.dense.shape[1])

    @property
    def n_columns(self) -> int:
        """P + R."""
        return int(self.dense.shape[0] + self.codes.shape[1])

    def times(self, weights: Floats) -> Floats:
        """(M, N) products of (M, P + R) weights with the rows."""
        P = len(self.dense)
        products: Floats = weights[:, :P] @ self.dense
        return products + (self.codes @ weights[:, P:].T).T if self.codes.shape[1] else products

    def transposed_times(self, values: Floats) -> Floats:
        """(M, P + R) products of (M, N) values with the columns."""
        return np.concatenate([values @ self.dense.T, (self.codes.T @ values.T).T], axis=1)


@dataclass(frozen=True)
class Targets:
    """What the F * K regressions learn from N examples.

    Attributes:
        signs: (K, N), 1 for an event and -1 for none.
        weights: (F, K, N), 0 where a regression does not read an entry.
    """

    signs: Floats
    weights: Floats

    @classmethod
    def build(cls, events: Bools, at_risk: Bools, fold: NDArray[np.int64], n_folds: int) -> Self:
        """Leave each fold's own examples out of its regressions.

        Args:
            events, at_risk: (N, K).
            fold: (N,).
        """
        read = fold != np.arange(n_folds)[:, None]
        return cls(np.where(events, 1.0, -1.0).T.copy(), (at_risk.T & read[:, None]).astype(np.float64))

    def losses(self, logits: Floats) -> tuple[Floats, Floats]:
        """Return the (F, K) sums of the losses, in nats, of (F * K, N) logits, and their gradient."""
        right = self._right(logits)
        sums = -np.einsum("fkn,fkn->fk", self.weights, right.log().numpy())
        return sums, (right.sub_(1).numpy() * self.signs * self.weights).reshape(logits.shape)

    def mean_losses(self, logits: Floats) -> float:
        """The mean loss of an entry, averaged over the folds."""
        n = self.weights.sum(axis=(1, 2))
        return float((self.losses(logits)[0].sum(axis=1) / np.maximum(n, 1)).mean())

    def variances(self, logits: Floats) -> Floats:
        """(N,) mean curvature of the losses by the logit."""
        right = self._right(logits).numpy()
        found: Floats = (self.weights * right * (1 - right)).mean(axis=(0, 1))
        return found

    def _right(self, logits: Floats) -> torch.Tensor:
        """(F, K, N) probabilities of what happened; torch takes half the time of scipy."""
        z = torch.from_numpy(logits.reshape(self.weights.shape) * self.signs)
        return z.sigmoid_().clamp_(min=LEAST)

    @property
    def log_odds(self) -> Floats:
        """(F * K,) log-odds of an event among the entries that each regression reads."""
        events, n = (self.weights * (self.signs > 0)).sum(axis=2), self.weights.sum(axis=2)
        found: Floats = logit((events + 0.5) / (n + 1)).ravel()
        return found


def start(design: Design, targets: Targets) -> Floats:
    """(F * K, P + R) weights that predict the base rate."""
    log_odds = targets.log_odds
    weights = np.zeros((len(log_odds), design.n_columns))
    weights[:, 0] = log_odds
    return weights


def solve(design: Design, targets: Targets, penalty: float, weights: Floats) -> Floats:
    """Return the (F * K, P + R) weights at the minimum of the losses plus `penalty / 2` times their squares.

    Losses and squares are summed; the squares of the intercepts are left out.

    Args:
        weights: where the search starts.
    """
    N = len(design)
    penalties = np.full(design.n_columns, penalty / N)
    penalties[0] = 0.0
    axes = Axes.of(design, targets, weights, penalties)

    def evaluate(place: Floats) -> tuple[float, Floats]:
        w = axes.outside(place.reshape(weights.shape))
        sums, by_logit = targets.losses(design.times(w))
        gradient = design.transposed_times(by_logit) / N + penalties * w
        loss = sums.sum() / N + (penalties * w**2).sum() / 2
        return float(loss), axes.gradient(gradient).ravel()

    options = {"gtol": TOLERANCE, "ftol": 0.0, "maxiter": MAX_STEPS, "maxcor": REMEMBERED}
    found = minimize(evaluate, axes.inside(weights).ravel(), jac=True, method="L-BFGS-B", options=options)
    return axes.outside(found.x.reshape(weights.shape))


@dataclass(frozen=True)
class Axes:
    """Coordinates in which the loss curves about equally in every direction.

    Attributes:
        factor: (P, P) Cholesky factor of the curvature of the dense columns, lower.
        widths: (R,) square root of the curvature of each code.
    """

    factor: Floats
    widths: Floats

    @classmethod
    def of(cls, design: Design, targets: Targets, weights: Floats, penalties: Floats) -> Self:
        """Measure the mean curvature of the regressions at some weights.

        Args:
            penalties: (P + R,), of the mean loss.
        """
        P, N = design.dense.shape
        variance = targets.variances(design.times(weights))
        least = LEAST_CURVATURE * variance.mean() + penalties
        some = slice(0, N, max(N // SAMPLE, 1))
        sampled, share = design.dense[:, some], variance[some]
        curvature = (sampled * (share / max(len(share), 1))) @ sampled.T + np.diag(least[:P])
        of_codes = design.codes.T @ variance / max(N, 1)
        return cls(cholesky(curvature, lower=True), np.sqrt(of_codes + least[P:]))

    def inside(self, weights: Floats) -> Floats:
        """Weights to coordinates."""
        P = len(self.factor)
        return np.concatenate([weights[:, :P] @ self.factor, weights[:, P:] * self.widths], axis=1)

    def outside(self, place: Floats) -> Floats:
        """Coordinates to weights."""
        P = len(self.factor)
        dense = solve_triangular(self.factor, place[:, :P].T, trans="T", lower=True).T
        return np.concatenate([dense, place[:, P:] / self.widths], axis=1)

    def gradient(self, of_weights: Floats) -> Floats:
        """The gradient by weights to that by coordinates."""
        P = len(self.factor)
        dense = solve_triangular(self.factor, of_weights[:, :P].T, lower=True).T
        return np.concatenate([dense, of_weights[:, P:] / self.widths], axis=1)
