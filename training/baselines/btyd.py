"""The purchase model as a baseline: which questions it suits, and its answers.

It needs no label, only purchases: nothing stops it early, and nothing calibrates it.
"""

import importlib.util

import numpy as np

from model.probability import Probabilities
from model.schema import Schema
from model.scoring.presence import events_of
from model.task import LogTask, Task
from model.values.customers import Examples
from model.values.history import EventLog
from training.baselines.pareto_nbd import buys_within, fit_pareto_nbd, purchases
from training.baselines.tabular import share
from training.question.examples import Asked
from training.split.split import Rows


def purchase_task(task: Task, schema: Schema) -> LogTask | None:
    """The task, if it asks about events that repeat, from the cutoff on; None if the model does not suit.

    Any event is a purchase only where events have no type. Without the package Lifetimes nothing suits.
    """
    if not isinstance(task, LogTask) or task.terminal or task.gap_days or schema.events is None:
        return None
    suits = bool(task.event_types) or schema.events.type is None
    return task if suits and importlib.util.find_spec("lifetimes") is not None else None


def answer_purchases(
    asked: Asked, train: Rows, test: Rows, task: LogTask, schema: Schema, *, until: int, seed: int
) -> Probabilities:
    """(M, K) probability of the positive outcome by each horizon for the test examples.

    The parameters come from the training customers' purchases up to `until`. Who has not bought by
    the cutoff is outside the model, and gets the share of positives among such training examples.

    Raises:
        BtydError: nobody bought on two days, or the fit fails.
    """
    targets = _targets(asked, task, schema)
    customers = np.unique(asked.examples.customers[train])
    known = purchases(targets, Examples(customers, np.full(len(customers), until, dtype=np.int64)))
    model = fit_pareto_nbd(known.take(known.frequency >= 0), seed=seed)
    about = purchases(targets, asked.examples.take(test))
    bought = about.frequency >= 0
    new = train[purchases(targets, asked.examples.take(train)).frequency < 0]
    result = np.tile([share(asked.labels, new, k) for k in range(task.n_outputs)], (len(test), 1))
    buys = buys_within(model, about.take(bought), task.horizons_days)
    result[bought] = buys if task.outcome == "occurs" else 1.0 - buys
    return result


def _targets(asked: Asked, task: LogTask, schema: Schema) -> EventLog:
    assert asked.log is not None
    assert schema.events is not None
    field = schema.events.type
    types = asked.log.categories[field.name] if field else None
    return events_of(asked.log, task.event_types, types, place="target.event")
