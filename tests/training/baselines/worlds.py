"""Small data for the tests of baselines: a table, and a log of people who buy until they leave."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pytest

from model.schema import Schema
from model.task import ColumnTask, LogTask
from model.times import DAY, days
from model.values.columns import Column, column_of, texts_of
from model.values.customers import Examples
from model.values.history import EventLog
from training.baselines.compare import Baselines, baseline_probabilities
from training.question.labels import LabelledExamples, Labels
from training.schema.fit_schema import ModelFields, fit_schema
from training.split.deal import Rows
from training.split.plan import Folds
from training.study.sections import EventsSource

N: Final = 400
ROWS: Final = np.arange(N, dtype=np.int64)
TEST: Final = ROWS[350:]
TRAIN: Final = ROWS[:240]  # all folds but 0, of which some rows are not judged
EARLY: Final = ROWS[240:260]
HELD: Final = ROWS[260:350]
FOLDS: Final = Folds(
    rows=ROWS[:350],
    fold=np.concatenate([1 + TRAIN % 4, np.zeros(110, dtype=np.int64)]),
    judged=~np.isin(ROWS[:350], EARLY),
)
CUTOFF: Final = 300 * DAY
EVENTS: Final = EventsSource(path="-", id="id", time="at", values=("amount",), attributes=("shop",))
COLUMN_TASK: Final = ColumnTask(column="left", positive="yes")

needs_lifetimes = pytest.mark.skipif(
    importlib.util.find_spec("lifetimes") is None, reason="needs the demo extra"
)


@dataclass(frozen=True)
class World:
    """Examples with their labels, what is known about them, and the question."""

    labelled: LabelledExamples
    schema: Schema
    task: ColumnTask | LogTask
    folds: Folds = FOLDS

    def baselines(self, **changes: Any) -> Baselines:
        options: dict[str, Any] = {"until": CUTOFF, "seed": 0, **changes}
        test_fold = options.pop("test_fold", np.full(len(TEST), -1))
        return baseline_probabilities(
            self.labelled, self.folds, TEST, test_fold, self.schema, self.task, **options
        )

    def with_labels(self, change: Callable[[np.ndarray[Any, Any]], None]) -> "World":
        """Another world whose outcomes are changed in place."""
        outcomes = self.labelled.labels.outcomes.copy()
        change(outcomes)
        return replace(
            self, labelled=replace(self.labelled, labels=replace(self.labelled.labels, outcomes=outcomes))
        )

    def with_complete(self, rows: Rows, horizon: int, *, complete: bool) -> "World":
        """Another world in which the window of some rows was observed, or was not."""
        known = self.labelled.labels.complete.copy()
        known[rows, horizon] = complete
        return replace(
            self, labelled=replace(self.labelled, labels=replace(self.labelled.labels, complete=known))
        )


def table_world(*, plans: int = 3) -> World:
    """Who leaves has a high `a`, or no `b`, or the first plan; `c` says nothing."""
    draw = np.random.default_rng(0)
    a, b, c = draw.normal(size=(3, N))
    b[draw.random(N) < 0.3] = np.nan
    plan = draw.integers(0, plans, N)
    left = 3 * a + np.isnan(b) + (plan == 0) + draw.logistic(size=N) > 0.7
    columns: dict[str, Column] = {
        "a": a,
        "b": b,
        "c": c,
        "plan": column_of([f"plan {p}" for p in plan]),
    }
    fields = ModelFields(None, {"a": "numeric", "b": "numeric", "c": "numeric", "plan": "categorical"})
    examples = Examples(ROWS, np.full(N, CUTOFF))
    schema = fit_schema(fields, columns, None, examples.take(FOLDS.rows), lookback_days=365)
    return World(LabelledExamples(columns, None, examples, Labels.of_column(left)), schema, COLUMN_TASK)


def log_world(horizons: Sequence[int] = (10, 40), *, outcome: str = "occurs", kinds: bool = False) -> World:
    """People who buy at a pace of their own until they leave; with `kinds` some of it is only a visit."""
    log = purchase_log(N, seed=1)
    rest = np.arange(len(log.times))
    if kinds:
        log = replace(log, categories={**log.categories, "kind": texts_of(rest % 3 // 2, ["buy", "visit"])})
    task = LogTask(
        event="buy" if kinds else "any", outcome="occurs", horizons_days=tuple(horizons), lookback_days=200
    ).model_copy(update={"outcome": outcome})
    examples = Examples(ROWS, np.full(N, CUTOFF))
    events = EVENTS.model_copy(update={"type": "kind"}) if kinds else EVENTS
    fields = ModelFields(None, {}, events=events, max_events=9)
    schema = fit_schema(fields, {}, log, examples.take(FOLDS.rows), lookback_days=200)
    labels = _labels(log, rest % 3 < 2 if kinds else rest >= 0, examples, task)
    return World(LabelledExamples({}, log, examples, labels), schema, task)


def purchase_log(n: int, *, seed: int) -> EventLog:
    """Pareto/NBD with r 1, alpha 20 days, s 1, beta 100 days; everybody comes once in 250 days."""
    draw = np.random.default_rng(seed)
    first = draw.uniform(0, 250, n)
    lives, gaps = draw.exponential(1 / draw.gamma(1, 1 / 100, n)), draw.exponential(size=(n, 200))
    after = np.cumsum(gaps / draw.gamma(1, 1 / 20, n)[:, None], axis=1)
    after = np.concatenate([np.zeros((n, 1)), np.where(after < lives[:, None], after, np.inf)], axis=1)
    customers, _ = np.nonzero(first[:, None] + after < 360)
    times = (first[:, None] + after)[first[:, None] + after < 360]
    return EventLog.build(
        customers,
        (times * DAY).astype(np.int64),
        n_customers=n,
        values={"amount": draw.lognormal(3, 1, len(times))},
        categories={"shop": texts_of(draw.integers(-1, 4, len(times)), ["a", "b", "c", "d"])},
    )


def _labels(log: EventLog, counts: np.ndarray[Any, Any], about: Examples, task: LogTask) -> Labels:
    running = np.concatenate([[0], np.cumsum(counts)])
    start = running[log.until(about.customers, about.cutoffs)]
    ends = [running[log.until(about.customers, about.cutoffs + days(h))] for h in task.horizons_days]
    happened = np.stack([end > start for end in ends], axis=1)
    every = np.ones_like(happened)
    return Labels(happened, every, happened if task.outcome == "occurs" else ~happened, every)
