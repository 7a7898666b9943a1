"""Histogram gradient boosting of a binary problem, for a baseline and for the second teacher of a network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from training.question.labels import Bools

MAX_CODES: Final = 255  # the limit of scikit-learn
REST: Final = 1  # the code of categories too rare for a vocabulary, see `model.values.columns.as_codes`
LEARNING_RATE: Final = 0.05
MAX_ROUNDS: Final = 500  # of boosting that stops early
DEFAULT_ROUNDS: Final = 100  # without held examples of both outcomes: the default of scikit-learn

LogitFunction = Callable[[NDArray[np.float64]], NDArray[np.float64]]  # inputs to logits


@dataclass(frozen=True)
class Binary:
    """A binary problem: the inputs and outcomes of N examples with a complete window."""

    inputs: NDArray[np.float64]
    positive: Bools

    @property
    def has_both(self) -> bool:
        """Whether both outcomes occur."""
        return bool(self.positive.any() and not self.positive.all())


def learn_boosting(train: Binary, held: Binary, *, n_codes: int, seed: int) -> LogitFunction:
    """Histogram gradient boosting that stops early on the held examples, if they have both outcomes.

    Args:
        n_codes: the number of category codes, which are the last columns.
    """
    n_columns = train.inputs.shape[1]
    stops = held.has_both
    trees = HistGradientBoostingClassifier(
        learning_rate=LEARNING_RATE,
        max_iter=MAX_ROUNDS if stops else DEFAULT_ROUNDS,
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


def tree_matrix(numbers: NDArray[np.float32], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return (N, D + C) numbers, then codes, with the least frequent codes as one.

    Trees read only the order of a number, which scaling keeps.

    Args:
        numbers: (N, D) with NaN where missing.
        codes: (N, C).
    """
    few = np.where(codes < MAX_CODES, codes, REST)
    return np.concatenate([numbers.astype(np.float64), few.astype(np.float64)], axis=1)
