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
from scipy.sparse import csr_array
from torch import Tensor, nn

SAMPLE: Final = 20_000  # examples that measure the curvature
LEAST_CURVATURE: Final = 1e-4  # of a direction, as a share of that of a scaled number
MAX_STEPS: Final = 200
TOLERANCE: Final = 1e-6  # of the gradient of the mean loss


@dataclass(frozen=True)
class Design:
    """The inputs of N examples as the columns of a regression.

    Attributes:
        dense: (N, P) float64; the first column is 1, its weight is the intercept.
        codes: (N, R) one-hot codes.
    """

    dense: Tensor
    codes: csr_array

    def __len__(self) -> int:
        return len(self.dense)

    @property
    def n_columns(self) -> int:
        """P + R."""
        return int(self.dense.shape[1] + self.codes.shape[1])

    def times(self, weights: Tensor) -> Tensor:
        """(N, M) products of the rows with (P + R, M) weights."""
        P = self.dense.shape[1]
        return self.dense @ weights[:P] + torch.from_numpy(self.codes @ weights[P:].numpy())

    def transposed_times(self, rows: Tensor) -> Tensor:
        """(P + R, M) products of the columns with (N, M) values."""
        return torch.cat([self.dense.T @ rows, torch.from_numpy(self.codes.T @ rows.numpy())])


@dataclass(frozen=True)
class Targets:
    """What the F * K regressions learn from N examples.

    Attributes:
        events: (N, 1, K) float64.
        weights: (N, F, K) float64, 0 where a regression does not read an entry.
    """

    events: Tensor
    weights: Tensor

    @classmethod
    def build(cls, events: Tensor, at_risk: Tensor, fold: NDArray[np.int64], n_folds: int) -> Self:
        """Leave each fold's own examples out of its regressions; arguments as in `loop.FitData`."""
        read = torch.from_numpy(fold[:, None] != np.arange(n_folds))
        return cls(events.double()[:, None], at_risk.double()[:, None] * read[:, :, None])

    def losses(self, logits: Tensor) -> Tensor:
        """(N, F, K) weighted BCE in nats of (N, F * K) logits."""
        z = logits.view_as(self.weights)
        return self.weights * nn.functional.binary_cross_entropy_with_logits(
            z, self.events.expand_as(z), reduction="none"
        )

    def mean_losses(self, logits: Tensor) -> float:
        """The mean BCE of an entry, averaged over the folds."""
        total, n = self.losses(logits).sum(dim=(0, 2)), self.weights.sum(dim=(0, 2))
        return float((total / n.clamp(min=1.0)).mean())

    def residuals(self, logits: Tensor) -> Tensor:
        """(N, F * K) gradient of the losses."""
        return (self.weights * (logits.view_as(self.weights).sigmoid() - self.events)).view_as(logits)

    def variances(self, logits: Tensor) -> Tensor:
        """(N,) mean curvature of the losses by the logit."""
        p = logits.view_as(self.weights).sigmoid()
        return (self.weights * p * (1 - p)).mean(dim=(1, 2))

    @property
    def log_odds(self) -> Tensor:
        """(F * K,) log-odds of an event among the entries that each regression reads."""
        events, n = (self.weights * self.events).sum(dim=0), self.weights.sum(dim=0)
        return ((events + 0.5) / (n + 1)).logit().flatten()


def start(design: Design, targets: Targets) -> Tensor:
    """(P + R, F * K) weights that predict the base rate."""
    log_odds = targets.log_odds
    weights = log_odds.new_zeros(design.n_columns, len(log_odds))
    weights[0] = log_odds
    return weights


def solve(design: Design, targets: Targets, penalty: float, weights: Tensor) -> Tensor:
    """Return the (P + R, F * K) weights at the minimum of the losses plus `penalty / 2` times their squares.

    Losses and squares are summed; the squares of the intercepts are left out.

    Args:
        weights: where the search starts.
    """
    N = len(design)
    penalties = torch.full((len(weights), 1), penalty / N, dtype=torch.float64)
    penalties[0] = 0.0
    axes = Axes.of(design, targets, weights, penalties)
    place = axes.inside(weights).requires_grad_()
    search = torch.optim.LBFGS(
        [place],
        max_iter=MAX_STEPS,
        tolerance_grad=TOLERANCE,
        tolerance_change=TOLERANCE**2,
        history_size=20,
        line_search_fn="strong_wolfe",
    )

    @torch.no_grad()
    def evaluate() -> Tensor:
        w = axes.outside(place)
        logits = design.times(w)
        place.grad = axes.gradient(design.transposed_times(targets.residuals(logits)) / N + penalties * w)
        return targets.losses(logits).sum() / N + (penalties * w.square()).sum() / 2

    search.step(evaluate)
    return axes.outside(place.detach())


@dataclass(frozen=True)
class Axes:
    """Coordinates in which the loss curves about equally in every direction.

    Attributes:
        factor: (P, P) Cholesky factor of the curvature of the dense columns.
        widths: (R, 1) square root of the curvature of each code.
    """

    factor: Tensor
    widths: Tensor

    @classmethod
    def of(cls, design: Design, targets: Targets, weights: Tensor, penalties: Tensor) -> Self:
        """Measure the mean curvature of the regressions at some weights.

        Args:
            penalties: (P + R, 1), of the mean loss.
        """
        N, P = design.dense.shape
        variance = targets.variances(design.times(weights))
        least = LEAST_CURVATURE * variance.mean() + penalties
        rows = torch.arange(0, N, max(N // SAMPLE, 1))
        some, share = design.dense[rows], variance[rows, None] / max(len(rows), 1)
        curvature = some.T @ (some * share)
        curvature.diagonal().add_(least[:P, 0])
        of_codes = torch.from_numpy(design.codes.T @ variance.numpy())[:, None] / max(N, 1)
        return cls(torch.linalg.cholesky(curvature), (of_codes + least[P:]).sqrt())

    def inside(self, weights: Tensor) -> Tensor:
        """Weights to coordinates."""
        P = len(self.factor)
        return torch.cat([self.factor.T @ weights[:P], weights[P:] * self.widths])

    def outside(self, place: Tensor) -> Tensor:
        """Coordinates to weights."""
        P = len(self.factor)
        dense = torch.linalg.solve_triangular(self.factor.T, place[:P], upper=True)
        return torch.cat([dense, place[P:] / self.widths])

    def gradient(self, of_weights: Tensor) -> Tensor:
        """The gradient by weights to that by coordinates."""
        P = len(self.factor)
        dense = torch.linalg.solve_triangular(self.factor, of_weights[:P], upper=False)
        return torch.cat([dense, of_weights[P:] / self.widths])
