"""The fit of the linear head: penalised logistic regressions, the penalty chosen on out-of-fold logits."""

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from model.features.inputs import Inputs
from model.network.linear import LinearNetwork
from training.fit.logistic import Design, Targets, solve, start
from training.fit.loop import PROGRESS, Epoch, Fit, FitData, OnEpoch, judged_loss

FoldLogits = Callable[[Inputs], NDArray[np.float64]]  # n inputs to (F, n, K) logits, of each fold

# Of half the squared weights; the loss is a sum.
PENALTIES: Final = (3000.0, 600.0, 120.0, 24.0, 5.0, 1.0, 0.2)
DENSE_CODES: Final = 100  # so many codes are quicker as dense columns
PATIENCE: Final = 2  # penalties without progress before the fit stops


def fit_linear(
    network: LinearNetwork, data: FitData, *, n_folds: int, on_epoch: OnEpoch
) -> tuple[Fit, FoldLogits]:
    """Fit in place: the weights are the mean of those of the folds, each fitted without its own examples.

    So the logits of the network are the mean logits of the folds. Each epoch of the history is a penalty,
    the strongest first; the next search starts from its weights. Penalties are compared as the epochs of
    other heads are, by the calibrated loss of the judged examples. All of it runs on the CPU in float64.

    Returns:
        The fit, and a function of n inputs that returns the (F, n, K) float64 logits of the folds.
    """
    gaps = data.inputs.numeric.isnan().any(dim=0)
    design = _design(data.inputs, gaps, network)
    targets = Targets.build(data.events, data.at_risk, data.fold, n_folds)
    place, judged = start(design, targets), torch.from_numpy(np.flatnonzero(data.judged))
    best, weights, unseen = 0, place, np.empty(0)
    history: list[Epoch] = []
    for epoch, penalty in enumerate(PENALTIES, start=1):
        place = solve(design, targets, penalty, place)
        logits = design.times(place)
        by_fold = logits.view_as(targets.weights)
        own = by_fold[judged, torch.from_numpy(data.fold)[judged]].numpy()
        losses = targets.mean_losses(logits), judged_loss(own, data)
        history.append(Epoch(epoch, len(PENALTIES), None, *losses, penalty=penalty))
        on_epoch(history[-1])
        if best == 0 or history[-1].validation_loss < history[best - 1].validation_loss * (1 - PROGRESS):
            best, weights, unseen = epoch, place, own
        if epoch - best >= PATIENCE:
            break
    _set_weights(network, weights.unflatten(1, (n_folds, -1)).mean(dim=1), gaps)

    def fold_logits(inputs: Inputs) -> NDArray[np.float64]:
        by_fold = _design(inputs, gaps, network).times(weights).unflatten(1, (n_folds, -1))
        found: NDArray[np.float64] = by_fold.transpose(0, 1).numpy()
        return found

    return Fit(tuple(history), unseen), fold_logits


def _design(inputs: Inputs, gaps: Tensor, network: LinearNetwork) -> Design:
    """The columns: 1, numbers with 0 where missing, flags of those that miss some, codes.

    Args:
        gaps: (D,) bool, the numbers with missing values.
    """
    missing = inputs.numeric.isnan()
    numbers = inputs.numeric.masked_fill(missing, 0.0).double()
    ones = torch.ones(len(inputs), 1, dtype=torch.float64)
    places = (inputs.categories[:, : len(network.offsets)] + network.offsets).numpy()
    n, c = places.shape
    codes = csr_array((np.ones(n * c), places.ravel(), np.arange(n + 1) * c), shape=(n, len(network.codes)))
    dense = torch.cat([ones, numbers, missing[:, gaps].double()], dim=1)
    if codes.shape[1] > DENSE_CODES:
        return Design(dense, codes)
    return Design(torch.cat([dense, torch.from_numpy(codes.toarray())], dim=1), codes[:, :0])


@torch.no_grad()
def _set_weights(network: LinearNetwork, weights: Tensor, gaps: Tensor) -> None:
    """Copy (P + R, K) weights of the columns of a design."""
    sizes = [1, len(gaps), int(gaps.sum()), len(network.codes)]
    bias, numbers, missing, codes = weights.split(sizes)
    network.numbers.copy_(numbers)
    network.missing[gaps] = missing.float()
    network.bias.copy_(bias[0])
    network.codes.copy_(codes)
