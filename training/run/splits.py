"""The figures of the same network under other splits, and at each date of the test, side by side."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from model.probability import Probabilities
from model.scorer import Scorer
from model.times import format_instant
from training.measure.measuring import base_rates, measured
from training.measure.metrics import base_rate_metrics, measure
from training.prepare import Prepared
from training.split.deal import Rows
from training.split.plan import Plan, SplitKind

_STUDY_SPLITS: Final[dict[SplitKind, str]] = {
    "forward": "forward, unseen customers",
    "customers": "unseen customers, same dates",
    "rows": "shuffled, duplicates together",
    "groups": "unseen groups",
    "time": "forward",
}


@dataclass(frozen=True)
class SplitFigure:
    """The figures of one split at the longest horizon.

    Attributes:
        split: its name in words.
        metrics: with intervals, see `training.measure.measuring.measured`.
        base_rate_log_loss: the loss of the training base rate on the same examples. Splits have different
            examples, so compare a log loss with this one.
    """

    split: str
    metrics: dict[str, Any]
    base_rate_log_loss: float


@dataclass(frozen=True)
class DateFigure:
    """The figures of one test date at the longest horizon.

    Attributes:
        n, positives, base_rate, auc, log_loss: as in `training.measure.metrics.Metrics`.
        mean_probability: close to the base rate where the model is calibrated.
    """

    date: str
    n: int
    positives: int
    base_rate: float
    mean_probability: float
    auc: float | None
    log_loss: float


def compare_dates(prepared: Prepared, tested: Probabilities) -> tuple[DateFigure, ...]:
    """Measure the (M, K) probabilities of the test examples date by date; empty where there is one date."""
    plan = prepared.plan
    complete = plan.labels.complete[plan.test, -1]
    rows, p = plan.test[complete], tested[complete, -1]
    labels = plan.labels.outcomes[rows, -1].astype(np.float64)
    cutoffs = plan.examples.cutoffs[rows]
    dates = np.unique(cutoffs).tolist()
    figures = []
    for date in dates if len(dates) > 1 else []:
        at = cutoffs == date
        m, shown = measure(labels[at], p[at]), format_instant(date, prepared.fields.time_zone)
        mean = float(p[at].mean())
        figures.append(DateFigure(shown, m.n, m.positives, m.base_rate, mean, m.auc, m.log_loss))
    return tuple(figures)


def compare_splits(
    prepared: Prepared, scorer: Scorer, shuffled: Scorer | None, tested: Probabilities
) -> tuple[SplitFigure, ...]:
    """Measure the shuffled split first, and the study's own split last.

    Args:
        scorer: of the measured fit.
        shuffled: of the fit on the shuffled split, if there is one.
        tested: (M, K) of the test examples, under the study's own split.
    """
    plan = prepared.plan
    others = []
    if shuffled is not None and plan.shuffled is not None:
        labels = plan.labels.take(plan.shuffled.folds.rows)
        others.append(("shuffled", shuffled, plan.shuffled.test, labels))
    train = plan.measured_labels.take(plan.measured.rows)
    others.append(("forward", scorer, plan.seen.rows, train))
    if plan.kind == "time":
        new = ~np.isin(plan.groups[plan.test], plan.groups[plan.measured.rows])
        if not new.all():
            others.append((_STUDY_SPLITS["forward"], scorer, plan.test[new], train))
    figures = [
        split_figure(name, plan, rows, score_rows(one, prepared, rows), base_rates(labels)[-1])
        for name, one, rows, labels in others
        if plan.labels.complete[rows, -1].any()
    ]
    own = split_figure(_STUDY_SPLITS[plan.kind], plan, plan.test, tested, base_rates(train)[-1])
    return (*figures, own)


def score_rows(scorer: Scorer, prepared: Prepared, rows: Rows) -> Probabilities:
    """Return (N, K) probabilities of some of the plan's examples."""
    return scorer.score(prepared.dataset.columns, prepared.dataset.log, prepared.plan.examples.take(rows))


def split_figure(
    split: str, plan: Plan, rows: Rows, probabilities: Probabilities, base_rate: float
) -> SplitFigure:
    """Measure (N, K) probabilities of N examples at the longest horizon."""
    complete = plan.labels.complete[rows, -1]
    labels = plan.labels.outcomes[rows[complete], -1].astype(np.float64)
    metrics = measured(labels, probabilities[complete, -1], plan.groups[rows[complete]])
    return SplitFigure(split, metrics, base_rate_metrics(labels, base_rate).log_loss)
