"""The second teacher of the published network: gradient boosting on the examples that the bag answered.

Trees are better than networks on some tables. The student learns from a blend of both, and serves as fast as
before. A log has the bag alone: trees are flat beyond the dates of training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.features.inputs import Inputs
from model.probability import Calibration, Logits
from training.fit.boosting import Binary, LogitFunction, learn_boosting, tree_matrix
from training.fit.calibrate import fit_calibration
from training.fit.model_fit import Answers, Fitted

WEIGHTS: Final = (0.0, 0.2, 0.4, 0.6, 0.8)
STOPPING: Final = 0.1  # of the examples: those of its own fold would flatter the number of rounds
BEYOND_NOISE: Final = 2.0  # standard errors


@dataclass(frozen=True)
class Boosting:
    """Boosting fitted as the bag is: a model for each fold, calibrated on examples that it never read.

    Attributes:
        unseen: (n, 1) calibrated logits of the answered examples, each of the model that never read it.
        weight: its share of the blend of logits.
    """

    models: tuple[LogitFunction, ...]
    calibration: Calibration
    n_codes: int
    unseen: Logits
    weight: float

    def blend(self, bag: NDArray[np.float64], boosting: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weighted mean of both teachers' logits."""
        return (1 - self.weight) * bag + self.weight * boosting

    def own(self, inputs: Inputs, fold: NDArray[np.int64]) -> Logits:
        """(n, 1) calibrated logits, each of the model of its fold: trees remember the examples they read.

        Args:
            fold: (n,) of each example, or of the example that a synthetic one is like.
        """
        return self.calibration.apply(_own(self.models, _matrix(inputs, self.n_codes), fold))


def second_teacher(bag: Fitted, seed: int) -> Boosting | None:
    """Fit boosting, and choose its weight by the log loss of examples that no teacher had read.

    Returns:
        None for a study with windows, where a fold lacks an outcome, or where boosting does not help.
    """
    answers, task = bag.answers, bag.scorer.task
    if answers is None or task.kind != "column":
        return None
    n_codes = len(bag.scorer.schema.categories)
    matrix, happened = _matrix(answers.inputs, n_codes), answers.events[:, 0]
    stops, models = np.random.default_rng(seed).random(len(matrix)) < STOPPING, []
    for fold in range(len(answers.by_fold)):
        other = answers.fold != fold
        train, held = (Binary(matrix[rows], happened[rows]) for rows in (other & ~stops, other & stops))
        if not (train.has_both and held.has_both):
            return None
        models.append(learn_boosting(train, held, n_codes=n_codes, seed=seed))
    raw = _own(models, matrix, answers.fold)
    calibration = fit_calibration(raw, answers.events, answers.judged)
    unseen = calibration.apply(raw)
    weight = _weight(answers, unseen)
    return Boosting(tuple(models), calibration, n_codes, unseen, weight) if weight else None


def _own(
    models: Sequence[LogitFunction], matrix: NDArray[np.float64], fold: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(n, 1) logits, each of the model of its fold."""
    logits = np.empty((len(fold), 1))
    for number, model in enumerate(models):
        rows = fold == number
        if rows.any():
            logits[rows, 0] = model(matrix[rows])
    return logits


def _weight(answers: Answers, unseen: Logits) -> float:
    """The weight of the least log loss; 0 unless it is lower than that of the bag beyond noise."""
    rows = answers.judged[:, 0]
    happened, bag = answers.events[rows, 0], answers.unseen[rows, 0]
    blends = [(1 - w) * bag + w * unseen[rows, 0] for w in WEIGHTS]
    alone, *losses = (np.logaddexp(0.0, z) - happened * z for z in blends)
    gains = [alone - loss for loss in losses]
    best = int(np.argmax([gain.sum() for gain in gains]))
    gain = gains[best]
    return WEIGHTS[best + 1] if gain.mean() > BEYOND_NOISE * gain.std() / np.sqrt(len(gain)) else 0.0


def _matrix(inputs: Inputs, n_codes: int) -> NDArray[np.float64]:
    return tree_matrix(inputs.numeric, inputs.categories[:, :n_codes])
