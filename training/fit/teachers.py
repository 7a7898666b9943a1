"""The second teacher of the published network: gradient boosting on the examples that the bag answered.

Trees are better than networks on some tables. The student learns from a blend of both, and serves as fast as
before. A log has the bag alone: trees are flat beyond the dates of training.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from model.features.inputs import Inputs
from model.probability import Calibration, Logits
from training.fit.boosting import Binary, LogitFunction, learn_boosting, tree_matrix
from training.fit.calibrate import fit_calibration, log_loss_of
from training.fit.model_fit import Answers, Fitted

WEIGHTS: Final = (0.0, 0.2, 0.4, 0.6, 0.8)
CHANCE: Final = 2.0  # nats that the best of the weights gains by chance


@dataclass(frozen=True)
class Boosting:
    """Boosting fitted as the bag is: a model for each fold, calibrated on examples that it never read.

    Attributes:
        by_fold: (F, n, 1) calibrated logits of the answered examples.
        weight: its share of the blend of logits.
    """

    models: tuple[LogitFunction, ...]
    calibration: Calibration
    n_codes: int
    by_fold: NDArray[np.float64]
    weight: float

    def blend(self, bag: NDArray[np.float64], boosting: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weighted mean of both teachers' logits."""
        return (1 - self.weight) * bag + self.weight * boosting

    def mean(self, inputs: Inputs) -> Logits:
        """(n, 1) logits of the mean probability of the models."""
        matrix = _matrix(inputs, self.n_codes)
        each = np.stack([self.calibration.apply(model(matrix)[:, None]) for model in self.models])
        logits: Logits = logit(expit(each).mean(axis=0))
        return logits


def second_teacher(bag: Fitted, seed: int) -> Boosting | None:
    """Fit boosting, and choose its weight by the log loss of examples that no teacher had read.

    Returns:
        None for a study with windows, where a fold lacks an outcome, or where boosting does not help.
    """
    answers, task = bag.answers, bag.scorer.task
    if answers is None or task.kind != "column":
        return None
    n_codes = len(bag.scorer.schema.categories)
    matrix, happened, judged = _matrix(answers.inputs, n_codes), answers.events[:, 0], answers.judged[:, 0]
    models = []
    for fold in range(len(answers.by_fold)):
        own = answers.fold == fold
        train, held = (Binary(matrix[rows], happened[rows]) for rows in (~own, own & judged))
        if not (train.has_both and held.has_both):
            return None
        models.append(learn_boosting(train, held, n_codes=n_codes, seed=seed))
    by_fold = np.stack([model(matrix)[:, None] for model in models])
    calibration = fit_calibration(answers.own(by_fold), answers.events, answers.judged)
    by_fold = np.stack([calibration.apply(one) for one in by_fold])
    weight = _weight(answers, answers.own(by_fold))
    return Boosting(tuple(models), calibration, n_codes, by_fold, weight) if weight else None


def _weight(answers: Answers, unseen: Logits) -> float:
    """The weight of the least log loss; 0 unless it gains more than chance."""
    rows = answers.judged[:, 0]
    happened, bag = answers.events[rows], answers.unseen[rows]
    losses = [log_loss_of((1 - w) * bag + w * unseen[rows], happened) for w in WEIGHTS]
    best = int(np.argmin(losses))
    return WEIGHTS[best] if losses[0] - losses[best] > CHANCE else 0.0


def _matrix(inputs: Inputs, n_codes: int) -> NDArray[np.float64]:
    return tree_matrix(inputs.numeric.numpy(), inputs.categories.numpy()[:, :n_codes])
