"""The fit of the linear head: penalised logistic regressions, the penalty chosen on out-of-fold logits."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from model.features.inputs import Inputs
from model.network.layout import Layout, starts
from model.schema import Schema
from model.store.checkpoint import Weights
from training.fit.logistic import Design, Targets, solve, start
from training.fit.loop import PROGRESS, Epoch, Fit, FitData, OnEpoch, judged_loss

FoldLogits = Callable[[Inputs], NDArray[np.float64]]  # n inputs to (F, n, K) logits, of each fold

# Of half the squared weights; the loss is a sum.
PENALTIES: Final = (3000.0, 600.0, 120.0, 24.0, 5.0, 1.0, 0.2)
DENSE_CODES: Final = 100  # so many codes are quicker as dense columns
PATIENCE: Final = 2  # penalties without progress before the fit stops


def fit_linear(
    schema: Schema, data: FitData, *, n_folds: int, on_epoch: OnEpoch
) -> tuple[Fit, FoldLogits, Weights]:
    """Fit the weights: the mean of those of the folds, each fitted without its own examples.

    So the logits of the network are the mean logits of the folds. Each epoch of the history is a penalty,
    the strongest first; the next search starts from its weights. Penalties are compared as the epochs of
    other heads are, by the calibrated loss of the judged examples. All of it runs on the CPU in float64.

    Returns:
        The fit, a function of n inputs that returns the (F, n, K) float64 logits of the folds, and the
        weights of `model.network.linear.LinearNetwork`.
    """
    gaps = np.asarray(np.isnan(data.inputs.numeric).any(axis=0))
    first = starts(Layout.of(schema, piecewise=False).sizes)
    design = _design(data.inputs, gaps, first)
    labels = data.events.numpy() > 0, data.at_risk.numpy() > 0
    targets = Targets.build(*labels, data.fold, n_folds)
    place, judged = start(design, targets), np.flatnonzero(data.judged)
    best, weights, unseen = 0, place, np.empty(0)
    history: list[Epoch] = []
    for epoch, penalty in enumerate(PENALTIES, start=1):
        place = solve(design, targets, penalty, place)
        logits = design.times(place)
        own = _by_fold(logits, n_folds)[data.fold[judged], judged]
        losses = targets.mean_losses(logits), judged_loss(own, data)
        history.append(Epoch(epoch, len(PENALTIES), None, *losses, penalty=penalty))
        on_epoch(history[-1])
        if best == 0 or history[-1].validation_loss < history[best - 1].validation_loss * (1 - PROGRESS):
            best, weights, unseen = epoch, place, own
        if epoch - best >= PATIENCE:
            break

    def fold_logits(inputs: Inputs) -> NDArray[np.float64]:
        return _by_fold(_design(inputs, gaps, first).times(weights), n_folds)

    mean = weights.reshape(n_folds, -1, design.n_columns).mean(axis=0)
    return Fit(tuple(history), unseen), fold_logits, _weights(mean.T.astype(np.float32), gaps)


def _by_fold(logits: NDArray[np.float64], n_folds: int) -> NDArray[np.float64]:
    """(F, n, K) of (F * K, n) logits."""
    return logits.reshape(n_folds, -1, logits.shape[1]).swapaxes(1, 2)


def _design(inputs: Inputs, gaps: NDArray[np.bool_], first: NDArray[np.int64]) -> Design:
    """The columns: 1, numbers with 0 where missing, flags of those that miss some, codes.

    Args:
        gaps: (D,) the numbers with missing values.
        first: (C + 1,) the first of the columns of each category, and their number.
    """
    missing = np.isnan(inputs.numeric)
    numbers = np.where(missing, np.float32(0), inputs.numeric)
    places = inputs.categories[:, : len(first) - 1] + first[:-1]
    n, c = places.shape
    codes = csr_array((np.ones(n * c), places.ravel(), np.arange(n + 1) * c), shape=(n, int(first[-1])))
    dense = [np.ones((1, n)), numbers.T, missing[:, gaps].T]
    if codes.shape[1] <= DENSE_CODES:
        dense, codes = [*dense, codes.toarray().T], codes[:, :0]
    return Design(np.ascontiguousarray(np.concatenate(dense)), codes)


def _weights(columns: NDArray[np.float32], gaps: NDArray[np.bool_]) -> Weights:
    """Name the (P + R, K) weights of the columns of a design."""
    D = len(gaps)
    bias, numbers, flags, codes = np.split(columns, np.cumsum([1, D, int(gaps.sum())]))
    missing = np.zeros_like(numbers)
    missing[gaps] = flags
    return {"numbers": numbers, "missing": missing, "codes": codes, "bias": bias[0]}
