"""Eligibility: whether a customer is predicted at a cutoff, from what was known by then."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.schema import Schema
from model.scoring.presence import NEVER, Presence, contract_presence, log_presence, running_from
from model.task import ColumnTask, ContractTask, LogTask, Task
from model.times import MISSING_TIME, Instants, days, midnight
from model.values.columns import Texts
from model.values.customers import Customers, Examples
from model.values.history import EventLog

ELIGIBLE: Final = 0  # else a position in `refusals`, from 1

Bools = NDArray[np.bool_]
Standing = NDArray[np.int8]


def refusals(task: LogTask | ContractTask) -> tuple[str, ...]:
    """Reasons why a customer is not eligible, in the order of the rules; the first that fits counts."""
    return (
        "not yet a customer",
        "has left",
        f"no event within {task.eligible_within_days} days",
        f"fewer than {task.eligible.min_events} events",
        f"less than {task.eligible.min_history_days} days of history",
        f"more than {task.eligible.max_history_days} days of history",
    )


def standing(presence: Presence, task: LogTask | ContractTask, examples: Examples) -> Standing:
    """(N,) ELIGIBLE, or which of the `refusals` applies, counted from 1."""
    customers, cutoffs = examples.customers, examples.cutoffs
    began, (n_events, last) = _began(presence, customers), _past(presence, examples)
    rules = [began > cutoffs, _has_left(presence, examples)]
    rules.append(_is_silent(task, last, cutoffs))
    rules.append(n_events < task.eligible.min_events)
    rules.append(began > cutoffs - days(task.eligible.min_history_days))
    most = task.eligible.max_history_days
    rules.append(np.zeros(len(examples), dtype=bool) if most is None else began < cutoffs - days(most))
    found = np.full(len(examples), ELIGIBLE, dtype=np.int8)
    for number, rule in reversed(list(enumerate(rules, start=1))):  # np.select takes longer for few customers
        found[rule] = number
    return found


def not_eligible_because(
    task: Task, schema: Schema, customers: Customers, *, listed: int | None = None
) -> Texts | None:
    """(N,) which of the `refusals` applies, missing where the customer is eligible; None for a column task.

    Args:
        listed: customers with a contract, the first of the N; None for all.
    """
    if isinstance(task, ColumnTask):
        return None
    found = _standing(task, schema, customers, listed)
    return Texts(found.astype(np.int32) - 1, refusals(task))


def _standing(
    task: LogTask | ContractTask, schema: Schema, customers: Customers, listed: int | None
) -> Standing:
    """(N,) the `standing` at each cutoff; a date of a contract that is no column is missing."""
    log, types = customers.log, event_types(schema, customers.log)
    if isinstance(task, LogTask):
        assert log is not None
        return standing(log_presence(log, task, types, strict=False), task, customers.examples())
    if task.ended_when and task.ended_when.column not in customers.columns:
        task = task.model_copy(update={"ended_when": None})  # a request states an end only where it came
    absent = {name: np.full(len(customers), np.nan) for name in task.columns}
    columns, zone = {**absent, **customers.columns}, schema.time_zone
    if task.last_day_runs:
        cutoffs, at = np.unique(customers.cutoffs, return_inverse=True)
        mornings = np.array([midnight(cutoff, zone) for cutoff in cutoffs.tolist()], dtype=np.int64)
        columns = running_from(columns, task, mornings[at], zone)
    presence = contract_presence(log, task, columns, types, zone, listed=listed, strict=False)
    return standing(presence, task, customers.examples())


def event_types(schema: Schema, log: EventLog | None) -> Texts | None:
    """The type of each event; None where the model knows no types."""
    return log.categories[schema.events.type.name] if log and schema.events and schema.events.type else None


def _began(presence: Presence, customers: NDArray[np.int64]) -> Instants:
    """(N,) the start of the contract, else the first event; NEVER for neither."""
    if presence.starts is not None:
        return presence.starts[customers]
    assert presence.log is not None
    first, end = presence.log.offsets[customers], presence.log.offsets[customers + 1]
    return presence.log.times_at(first, end > first, NEVER)


def _has_left(presence: Presence, examples: Examples) -> Bools:
    """(N,) bool, True where the last ending up to the cutoff was followed by no return up to it."""
    gone = presence.gone
    if not len(gone.times):
        return np.zeros(len(examples), dtype=bool)
    end = gone.until(examples.customers, examples.cutoffs)
    ended = np.greater(end, gone.offsets[examples.customers])
    return np.asarray(ended & (presence.back[np.where(ended, end - 1, 0)] > examples.cutoffs))


def _is_silent(task: LogTask | ContractTask, last: Instants, cutoffs: Instants) -> Bools:
    if task.eligible_within_days is None:
        return np.zeros(len(cutoffs), dtype=bool)
    return np.less_equal(last, cutoffs - days(task.eligible_within_days))


def _past(presence: Presence, examples: Examples) -> tuple[NDArray[np.int64], Instants]:
    """(N,) the events up to the cutoff, and the last of them; no customer is silent where there is no log."""
    if presence.log is None:
        return np.zeros(len(examples), dtype=np.int64), np.full(len(examples), NEVER)
    end = presence.log.until(examples.customers, examples.cutoffs)
    n_events = end - presence.log.offsets[examples.customers]
    return n_events, presence.log.times_at(end - 1, n_events > 0, MISSING_TIME)
