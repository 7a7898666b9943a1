"""The baselines of a run, on the examples and the split of the network."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from model.probability import Probabilities
from model.schema import Schema
from model.task import Task
from training.baselines.matrix import (
    Sides,
    read_features,
    recency_matrix,
)
from training.baselines.pareto_nbd import BtydError, purchase_probabilities, purchase_task
from training.baselines.tabular import horizon_probabilities, learn_logistic
from training.fit.boosting import learn_boosting, tree_matrix
from training.question.labels import LabelledExamples
from training.split.deal import Rows
from training.split.plan import Folds


@dataclass(frozen=True)
class Baselines:
    """The probabilities of the baselines for M test examples.

    Attributes:
        probabilities: (M, K) of the positive outcome by each horizon, by baseline: recency,
            gradient_boosting, btyd.
        notes: sentences about baselines that were left out.
    """

    probabilities: dict[str, Probabilities]
    notes: tuple[str, ...] = ()


def baseline_probabilities(
    labelled: LabelledExamples,
    folds: Folds,
    test: Rows,
    test_fold: NDArray[np.int64],
    schema: Schema,
    task: Task,
    *,
    until: int,
    seed: int,
) -> Baselines:
    """Fit every baseline that suits the task, and predict the test examples.

    Each is fitted like the bag: a model for each fold, which stops early and is calibrated on examples that
    it never read. Labels of the test examples are not read. The four parameters of the purchase model come
    from histories of all training customers, without labels.

    Args:
        labelled: with the labels known at the first test date.
        test, test_fold: as in the plan.
        schema: fitted on the training examples.
        until: the first test date; the purchase model reads training customers up to it.
    """
    rows = Sides(folds.rows, test)
    features = read_features(labelled, rows, schema, lookback_days=task.lookback_days)
    boosting = partial(learn_boosting, n_codes=len(features.train.widths), seed=seed)
    answer = partial(horizon_probabilities, labels=labelled.labels, folds=folds, test_fold=test_fold)
    found: dict[str, Probabilities] = {}
    notes: list[str] = []
    if labelled.log is not None:
        recency = rows.map(lambda side: recency_matrix(labelled, side, lookback_days=task.lookback_days))
        found["recency"] = answer(learn_logistic, recency)
    trees = features.map(lambda side: tree_matrix(side.numbers, side.codes))
    found["gradient_boosting"] = answer(boosting, trees)
    if (purchase := purchase_task(task, schema)) is not None:
        try:
            found["btyd"] = purchase_probabilities(
                labelled, folds.rows, test, purchase, schema, until=until, seed=seed
            )
        except BtydError as error:
            notes.append(str(error))
    absent = task.kind != "column" and task.outcome == "absent"
    ordered = {name: _in_order(p, falling=absent) for name, p in found.items()}
    return Baselines(ordered, tuple(notes))


def _in_order(probabilities: Probabilities, *, falling: bool) -> Probabilities:
    """(M, K) made monotone along K: never falling, or never rising for an absent event."""
    return (np.minimum if falling else np.maximum).accumulate(probabilities, axis=1)
