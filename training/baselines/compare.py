"""All baselines of a run, on the examples and the split of the network."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from model.probability import Probabilities
from model.schema import Schema
from model.task import Task
from training.baselines.btyd import answer_purchases, purchase_task
from training.baselines.matrix import (
    linear_matrices,
    read_features,
    recency_matrix,
    sides_of,
    tree_matrix,
)
from training.baselines.pareto_nbd import BtydError
from training.baselines.tabular import answer_horizons, learn_boosting, learn_logistic
from training.question.examples import Asked
from training.split.plan import Folds
from training.split.split import Rows


@dataclass(frozen=True)
class Baselines:
    """What the baselines say about M test examples.

    Attributes:
        probabilities: (M, K) of the positive outcome by each horizon, by the baseline's name: recency,
            logistic_regression, gradient_boosting, btyd.
        notes: which baseline was left out, and why, in sentences.
    """

    probabilities: dict[str, Probabilities]
    notes: tuple[str, ...] = ()


def baseline_probabilities(
    asked: Asked, folds: Folds, test: Rows, schema: Schema, task: Task, *, until: int, seed: int
) -> Baselines:
    """Fit every baseline that suits the task, and ask each about the test examples.

    Each learns from what one network of the bag learns from: all folds but one, on which it stops and
    is calibrated. Labels of the test examples are not read.

    Args:
        asked: with the labels that are known at the test date.
        schema: fitted on the training examples.
        until: the test date; the purchase model reads training customers up to it.
    """
    rows = sides_of(folds, test)
    features = read_features(asked, rows, schema, lookback_days=task.lookback_days)
    boosting = partial(learn_boosting, n_codes=len(features.train.widths), seed=seed)
    found: dict[str, Probabilities] = {}
    notes: list[str] = []
    if asked.log is not None:
        recency = rows.map(lambda side: recency_matrix(asked, side, lookback_days=task.lookback_days))
        found["recency"] = answer_horizons(learn_logistic, recency, asked.labels, rows)
    linear = linear_matrices(features)
    found["logistic_regression"] = answer_horizons(learn_logistic, linear, asked.labels, rows)
    trees = features.map(tree_matrix)
    found["gradient_boosting"] = answer_horizons(boosting, trees, asked.labels, rows)
    if (purchase := purchase_task(task, schema)) is not None:
        try:
            found["btyd"] = answer_purchases(
                asked, folds.rows, test, purchase, schema, until=until, seed=seed
            )
        except BtydError as error:
            notes.append(str(error))
    absent = task.kind != "column" and task.outcome == "absent"
    ordered = {name: _in_order(p, falling=absent) for name, p in found.items()}
    return Baselines(ordered, tuple(notes))


def _in_order(probabilities: Probabilities, *, falling: bool) -> Probabilities:
    """(M, K) never falling along K; where nothing must happen, never rising: its complement never falls."""
    return (np.minimum if falling else np.maximum).accumulate(probabilities, axis=1)
