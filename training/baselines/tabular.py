"""Logistic regression and gradient boosting: one binary problem a horizon, in the folds of the network.

The model of a fold never reads its examples. The test is answered by the mean probability of all models or,
for a training customer at a later date, by the model of the customer's fold. They are calibrated on the
out-of-fold logits of all folds, as the network is, or not where that is no better.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from model.probability import Probabilities
from training.baselines.matrix import Matrix, Sides
from training.fit.boosting import Binary, LogitFunction
from training.fit.calibrate import fit_calibration, log_loss_of
from training.question.labels import Bools, Labels
from training.split.deal import Rows
from training.split.plan import Folds

MAX_STEPS: Final = 5000  # of lbfgs, which takes some hundred


Learn = Callable[[Binary, Binary], LogitFunction]  # from training examples and held examples


def learn_logistic(train: Binary, _held: Binary) -> LogitFunction:
    """Logistic regression with an L2 penalty of C = 1."""
    fitted = LogisticRegression(C=1.0, max_iter=MAX_STEPS).fit(train.inputs, train.positive)
    return fitted.decision_function  # type: ignore[no-any-return]


def horizon_probabilities(
    learn: Learn, inputs: Sides[Matrix], labels: Labels, folds: Folds, test_fold: NDArray[np.int64]
) -> Probabilities:
    """Return (M, K) probabilities of the positive outcome by each horizon for the test examples.

    Args:
        inputs: of the examples of the folds, and of the test.
        labels: of all examples; those of the test are not read.
        test_fold: (M,) the fold whose model answers; -1 for the mean of all models.
    """
    n_horizons = labels.outcomes.shape[1]
    return np.stack([_horizon(learn, inputs, labels, folds, k, test_fold) for k in range(n_horizons)], axis=1)


def share(labels: Labels, rows: Rows, horizon: int) -> float:
    """Return the share of positive outcomes among complete windows; one half without any."""
    known = labels.complete[rows, horizon]
    return float(labels.outcomes[rows, horizon][known].mean()) if known.any() else 0.5


def _horizon(
    learn: Learn,
    inputs: Sides[Matrix],
    labels: Labels,
    folds: Folds,
    horizon: int,
    test_fold: NDArray[np.int64],
) -> NDArray[np.float64]:
    known, positive = labels.complete[folds.rows, horizon], labels.outcomes[folds.rows, horizon]
    judged, unread, tests = known & folds.judged, np.zeros(len(known)), []
    for fold in range(folds.fold.max(initial=0) + 1):
        read, held = known & (folds.fold != fold), judged & (folds.fold == fold)
        train, stops = (Binary(inputs.train[np.flatnonzero(r)], positive[r]) for r in (read, held))
        if not train.has_both or not train.inputs.shape[1]:
            return np.full(inputs.test.shape[0], share(labels, folds.rows, horizon))
        logits = learn(train, stops)
        if held.any():
            unread[held] = logits(stops.inputs)
        tests.append(logits(inputs.test))
    slope, intercept = _calibration(unread[judged], positive[judged], folds.fold[judged])
    by_fold = expit(slope * np.stack(tests) + intercept)
    own = by_fold[test_fold, np.arange(len(test_fold))]
    found: NDArray[np.float64] = np.where(test_fold >= 0, own, by_fold.mean(axis=0))
    return found


def _calibration(
    logits: NDArray[np.float64], positive: Bools, fold: NDArray[np.int64]
) -> tuple[float, float]:
    """Slope and intercept; 1 and 0 where a calibration on the other folds is no better on those judged."""
    if positive.all() or not positive.any():
        return 1.0, 0.0
    loss = 0.0
    for one in np.unique(fold):
        slope, intercept = _platt(logits[fold != one], positive[fold != one])
        loss += log_loss_of(slope * logits[fold == one] + intercept, positive[fold == one])
    return _platt(logits, positive) if loss < log_loss_of(logits, positive) else (1.0, 0.0)


def _platt(logits: NDArray[np.float64], positive: Bools) -> tuple[float, float]:
    column = positive[:, None]
    fitted = fit_calibration(logits[:, None], column, np.ones_like(column))
    return fitted.slopes[0], fitted.intercepts[0]
