"""Plans of drawn logs, for the tests of `training.split.plan_log`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from model.task import LogTask
from model.times import DAY
from model.values.history import EventLog
from tests.strategies import Event, log_of
from training.question.labels import cutoff_grid
from training.question.question import Question
from training.question.timeline import log_timeline
from training.split.plan import Plan
from training.split.plan_log import plan_log
from training.study.sections import SplitOptions

N = 400
TASK = LogTask(event="buy", outcome="occurs", horizons_days=(5, 15))


def drawn_log(seed: int, n_days: int) -> EventLog:
    """Customers who come every few days, until some stop."""
    draw = np.random.default_rng(seed)
    events = [
        Event(customer, int(day * DAY), "buy" if draw.random() < 0.5 else "visit", 1.0)
        for customer in range(N)
        for day in np.cumsum(draw.exponential(draw.choice([3, 30]), 8))
        if day <= min(n_days, draw.uniform(0, 2 * n_days))
    ]
    return log_of([*events, Event(0, 0, "visit", 1.0), Event(0, n_days * DAY, "visit", 1.0)], N)


def planned(log: EventLog, task: LogTask, ids: Sequence[str] | None = None, **options: Any) -> Plan:
    """The plan of a log whose events span the time observed."""
    span: dict[str, Any] = {"first_event": int(log.times.min()), "data_end": int(log.times.max())}
    span |= {name: options.pop(name) for name in list(options) if name in span}
    steps: dict[str, Any] = {"every_days": 10, "first": None, "last": None}
    steps |= {name: options.pop(name) for name in list(options) if name in steps}
    folds = options.pop("folds", 5)
    timeline = log_timeline(log, task, log.categories["type"])
    question = Question(task, timeline, span["first_event"], span["data_end"], "UTC", ())
    return plan_log(
        ids or [f"c{n}" for n in range(log.n_customers)],
        question,
        SplitOptions().model_copy(update={"test_fraction": 0.3, **options}),
        grid=cutoff_grid(task=task, **span, **steps),
        folds=folds,
    )
