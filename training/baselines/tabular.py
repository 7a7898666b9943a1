"""Logistic regression and gradient boosting: one yes-or-no problem a horizon, calibrated like the network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from model.probability import Probabilities
from training.baselines.matrix import Matrix, Sides
from training.fit.calibrate import fit_calibration
from training.question.labels import Bools, Labels
from training.split.split import Rows

LEARNING_RATE: Final = 0.05
MAX_ROUNDS: Final = 500  # of boosting that stops early
BLIND_ROUNDS: Final = 100  # without examples of both outcomes to stop on: scikit-learn's own default
MAX_STEPS: Final = 5000  # of lbfgs, which takes some hundred


@dataclass(frozen=True)
class Binary:
    """A yes-or-no problem: N examples whose window is complete, and who is positive."""

    inputs: Matrix
    positive: Bools

    @property
    def has_both(self) -> bool:
        """Whether both outcomes occur."""
        return bool(self.positive.any() and not self.positive.all())


Answer = Callable[[Matrix], NDArray[np.float64]]  # inputs to logits
Learn = Callable[[Binary, Binary], Answer]  # from examples to learn from and examples to stop on


def learn_logistic(train: Binary, _held: Binary) -> Answer:
    """Logistic regression with an L2 penalty of C = 1."""
    fitted = LogisticRegression(C=1.0, max_iter=MAX_STEPS).fit(train.inputs, train.positive)
    return fitted.decision_function  # type: ignore[no-any-return]


def learn_boosting(train: Binary, held: Binary, *, n_codes: int, seed: int) -> Answer:
    """Histogram gradient boosting that stops early on the held examples, if they can tell.

    Args:
        n_codes: how many of the last columns are category codes.
    """
    n_columns = train.inputs.shape[1]
    stops = held.has_both
    trees = HistGradientBoostingClassifier(
        learning_rate=LEARNING_RATE,
        max_iter=MAX_ROUNDS if stops else BLIND_ROUNDS,
        categorical_features=np.arange(n_columns - n_codes, n_columns),
        early_stopping=stops,
        random_state=seed,
    )
    if stops:
        trees.fit(train.inputs, train.positive, X_val=held.inputs, y_val=held.positive)
    else:
        inputs = np.concatenate([train.inputs, held.inputs])
        trees.fit(inputs, np.concatenate([train.positive, held.positive]))
    return trees.decision_function  # type: ignore[no-any-return]


def answer_horizons(learn: Learn, inputs: Sides[Matrix], labels: Labels, rows: Sides[Rows]) -> Probabilities:
    """(M, K) probability of the positive outcome by each horizon for the test examples.

    Args:
        inputs: a matrix for every side.
        labels: of all examples; those of the test rows are not read.
    """
    n_horizons = labels.outcomes.shape[1]
    return np.stack([_answer(learn, inputs, labels, rows, k) for k in range(n_horizons)], axis=1)


def share(labels: Labels, rows: Rows, horizon: int) -> float:
    """The share of positive outcomes where the window is complete; one half where none is."""
    known = labels.complete[rows, horizon]
    return float(labels.outcomes[rows, horizon][known].mean()) if known.any() else 0.5


def _answer(
    learn: Learn, inputs: Sides[Matrix], labels: Labels, rows: Sides[Rows], horizon: int
) -> NDArray[np.float64]:
    train = _binary(inputs.train, labels, rows.train, horizon)
    if not train.has_both or not train.inputs.shape[1]:
        return np.full(inputs.test.shape[0], share(labels, rows.train, horizon))
    held = _binary(inputs.held, labels, rows.held, horizon)
    logits = learn(train, held)
    z = logits(inputs.test)
    if held.has_both:
        slope, intercept = _platt(logits(held.inputs), held.positive)
        z = slope * z + intercept
    return np.asarray(expit(z), dtype=np.float64)


def _binary(inputs: Matrix, labels: Labels, rows: Rows, horizon: int) -> Binary:
    known = np.flatnonzero(labels.complete[rows, horizon])
    return Binary(inputs[known], labels.outcomes[rows[known], horizon])


def _platt(logits: NDArray[np.float64], positive: Bools) -> tuple[float, float]:
    column = positive[:, None]
    fitted = fit_calibration(logits[:, None], column, np.ones_like(column))
    return fitted.slopes[0], fitted.intercepts[0]
