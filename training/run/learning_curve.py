"""How the loss falls as training customers are added: whether more of them would help."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from model.scorer import Scorer
from training.fit.loop import OnEpoch
from training.fit.model_fit import Fitted
from training.measure.bootstrap import Difference, paired_differences
from training.measure.measuring import measured
from training.question.examples import Asked
from training.split.plan import Plan, one_sided_fold
from training.split.split import Rows

SHARES: Final = (0.125, 0.25, 0.5, 1.0)

Fit = Callable[..., Fitted]


@dataclass(frozen=True)
class LearningPoint:
    """The network fitted on a share of the training customers, on the test examples at the longest horizon.

    Attributes:
        share, examples, positives: of training.
        metrics: with intervals.
        gain: log loss minus that of the point before; None for the first.
    """

    share: float
    examples: int
    positives: int
    metrics: dict[str, Any]
    gain: Difference | None


def learning_curve(
    asked: Asked, plan: Plan, fit: Fit, whole: Scorer, *, on_epoch: OnEpoch
) -> tuple[LearningPoint, ...]:
    """Fit on growing shares of the training customers; the last point is the fit on all of them.

    Args:
        asked: with the labels known at the test date.
        fit: `fit_model` with all but examples and folds.
        whole: fitted on all of them.
    """
    points: list[LearningPoint] = []
    before = None
    for share in SHARES:
        train = _part(plan.groups, plan.measured.rows, share)
        folds = plan.measured.among(train)
        if share < 1 and one_sided_fold(asked.labels, folds) is not None:
            continue
        scorer = whole if share == 1 else fit(asked, folds, on_epoch=on_epoch).scorer
        rows = plan.test[plan.labels.complete[plan.test, -1]]
        y = plan.labels.outcomes[rows, -1].astype(np.float64)
        p = scorer.score(asked.columns, asked.log, asked.examples.take(rows))[:, -1]
        groups = plan.groups[rows]
        gain = None if before is None else paired_differences(y, before, p, groups)["log_loss"]
        known = train[asked.labels.complete[train, -1]]
        positives = int(asked.labels.outcomes[known, -1].sum())
        points.append(LearningPoint(share, len(train), positives, measured(y, p, groups), gain))
        before = p
    return tuple(points)


def conclusion(points: tuple[LearningPoint, ...]) -> str:
    """What the last doubling says about the next one."""
    gain = points[-1].gain if points else None
    if gain is None or gain.value is None or gain.low is None or gain.high is None:
        return "The customers are too few for a learning curve."
    told = f"{gain.value:+.4f} (95 % interval {gain.low:+.4f} to {gain.high:+.4f})"
    if gain.high < 0:
        return (
            f"The last doubling of the customers changed the log loss by {told}: more customers would help."
        )
    return f"The last doubling of the customers changed the log loss by {told}: no gain beyond chance."


def _part(groups: np.ndarray, train: Rows, share: float) -> Rows:
    """The rows of a share of the customers; a smaller share's customers are among a larger one's."""
    customers = np.unique(groups[train])
    order = np.random.default_rng(0).permutation(len(customers))
    kept = customers[order[: max(int(share * len(customers)), 1)]]
    rows: Rows = train[np.isin(groups[train], kept)]
    return rows
