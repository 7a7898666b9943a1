"""The learning curve: the loss on unseen test customers by the number of training customers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from model.scorer import Scorer
from training.fit.loop import OnEpoch
from training.fit.model_fit import Fitted
from training.measure.bootstrap import Difference, interval_text, paired_differences
from training.measure.measuring import measured
from training.question.labels import LabelledExamples
from training.split.deal import Rows
from training.split.plan import Plan, one_sided_fold

SHARES: Final = (0.125, 0.25, 0.5, 1.0)

Fit = Callable[..., Fitted]


@dataclass(frozen=True)
class LearningPoint:
    """The network fitted on a share of the training customers, measured at the longest horizon.

    Attributes:
        share, examples, positives: of training.
        metrics: of the test examples of unseen customers, with intervals.
        gain: log loss minus that of the previous point; None for the first.
    """

    share: float
    examples: int
    positives: int
    metrics: dict[str, Any]
    gain: Difference | None


def learning_curve(
    labelled: LabelledExamples, plan: Plan, fit: Fit, whole: Scorer, *, on_epoch: OnEpoch
) -> tuple[LearningPoint, ...]:
    """Fit on growing shares of the training customers.

    Args:
        labelled: with the labels known at the first test date.
        fit: fits the study's network on examples and folds.
        whole: the scorer fitted on all training customers, which is the last point.
    """
    points: list[LearningPoint] = []
    before = None
    for share in SHARES:
        train = _part(plan.groups, plan.measured.rows, share)
        folds = plan.measured.among(train)
        if share < 1 and one_sided_fold(labelled.labels, folds) is not None:
            continue
        scorer = whole if share == 1 else fit(labelled, folds, on_epoch=on_epoch).scorer
        rows = plan.unseen[plan.labels.complete[plan.unseen, -1]]
        y = plan.labels.outcomes[rows, -1].astype(np.float64)
        p = scorer.score(labelled.columns, labelled.log, labelled.examples.take(rows))[:, -1]
        groups = plan.groups[rows]
        gain = None if before is None else paired_differences(y, before, p, groups)["log_loss"]
        known = train[labelled.labels.complete[train, -1]]
        positives = int(labelled.labels.outcomes[known, -1].sum())
        points.append(LearningPoint(share, len(train), positives, measured(y, p, groups), gain))
        before = p
    return tuple(points)


def conclusion(points: tuple[LearningPoint, ...]) -> str:
    """Return whether the last doubling of the customers lowered the loss, as a sentence."""
    gain = points[-1].gain if points else None
    if gain is None or gain.value is None or gain.low is None or gain.high is None:
        return "There are too few customers for a learning curve."
    change = f"{gain.value:+.4f} ({interval_text(gain.low, gain.high)})"
    result = "more customers are likely to help" if gain.high < 0 else "no gain beyond chance"
    return f"The last doubling of the customers changed the log loss by {change}: {result}."


def _part(groups: np.ndarray, train: Rows, share: float) -> Rows:
    """The rows of a share of the customers; smaller shares are subsets of larger ones."""
    customers = np.unique(groups[train])
    order = np.random.default_rng(0).permutation(len(customers))
    kept = customers[order[: max(int(share * len(customers)), 1)]]
    rows: Rows = train[np.isin(groups[train], kept)]
    return rows
