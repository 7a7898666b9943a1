"""The same network under other splits: what an easier one would have claimed, side by side."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from model.probability import Probabilities
from training.measure.measuring import measured
from training.measure.metrics import base_rate_metrics
from training.split.plan import Plan
from training.split.split import Rows


@dataclass(frozen=True)
class SplitFigure:
    """One split's figures at the longest horizon.

    Attributes:
        split: which, in words.
        metrics: with intervals, as `training.measure.measuring.measured` has them.
        base_rate_log_loss: what the training share for everybody loses on the same examples; splits
            hold different examples, so that losses compare to this, not to each other.
    """

    split: str
    metrics: dict[str, Any]
    base_rate_log_loss: float


def split_figure(
    split: str, plan: Plan, rows: Rows, probabilities: Probabilities, base_rate: float
) -> SplitFigure:
    """Measure (N, K) probabilities of N examples at the longest horizon.

    Args:
        base_rate: the share of positives in the training examples of that split.
    """
    complete = plan.labels.complete[rows, -1]
    labels = plan.labels.outcomes[rows[complete], -1].astype(np.float64)
    metrics = measured(labels, probabilities[complete, -1], plan.groups[rows[complete]])
    return SplitFigure(split, metrics, base_rate_metrics(labels, base_rate).log_loss)
