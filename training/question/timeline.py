"""The timeline of each customer: presence, events of the task, endings and returns.

Purchases, cancellations in a log and the dates of contracts have one form here, which labels and
eligibility read. Facts that are known only later, such as a return, are separate from what was known at the
time, so that eligibility never reads the future.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from model.errors import DataError
from model.files.names import counted
from model.scoring.presence import (
    NEVER,
    Presence,
    chosen,
    contract_dates,
    contract_presence,
    events_of,
    first_after,
    log_of,
    log_presence,
    no_events,
)
from model.task import ContractTask, LogTask
from model.times import MISSING_TIME, Instants, days
from model.values.columns import Column, Texts
from model.values.history import EventLog, Positions


@dataclass(frozen=True)
class Timeline(Presence):
    """The presence of C customers, with the facts that are known only later.

    Attributes:
        targets: the events of the task; of endings those by the customer's choice, without a return.
        involuntary: endings not by the customer's choice, without a return.
        seen_again: (len(targets.times),) the time of the next sign of the customer after an ending.
    """

    targets: EventLog
    involuntary: EventLog
    seen_again: Instants


def log_timeline(log: EventLog, task: LogTask, types: Texts | None) -> Timeline:
    """Return the timeline of a task about events.

    Args:
        types: (E,) the events' types; read only if the task names one.

    Raises:
        DataError: the task names an event type that the log does not have.
    """
    presence = log_presence(log, task, types)
    if task.terminal:
        gone, back = presence.gone, presence.back
        return _with_endings(presence, task, types, back, gone.times)
    targets = events_of(log, task.event_types, types, place="target.event")
    return Timeline(*_fields(presence), targets, presence.gone, presence.back)


def contract_timeline(
    log: EventLog | None,
    task: ContractTask,
    columns: Mapping[str, Column],
    ids: Sequence[str],
    types: Texts | None,
    zone: str,
    *,
    listed: int | None = None,
) -> Timeline:
    """Return the timeline of contracts: one row each; an id may have several if there is no log.

    Periods of one id that overlap, or follow each other within `reactivates_within_days`, are one.

    Args:
        listed: rows of the table; the customers after them are in the log only and have no contract. None
            for all customers.

    Raises:
        DataError: a column is absent or holds no dates, or an event type is not in the log.
    """
    presence = contract_presence(log, task, columns, types, zone, listed=listed)
    if log is not None:
        return _with_endings(presence, task, types, presence.again, presence.seen_until)
    starts, (_, ends) = presence.starts, contract_dates(columns, task, zone)
    real = np.where(ends == MISSING_TIME, NEVER, _merged_ends(ids, starts, ends, task))
    voluntary = np.flatnonzero(real != NEVER)
    targets = log_of(voluntary, real[voluntary], len(ends))
    again = _next_starts(ids, starts, voluntary, targets.times)
    return Timeline(*_fields(presence), targets, no_events(len(ends)), again)


def followed_share(log: EventLog, wanted: Sequence[str], types: Texts) -> tuple[int, float]:
    """Return the number of events of some types, and the share followed by further events of the customer."""
    targets = events_of(log, wanted, types, place="target.event")
    later = first_after(log, targets.owners, targets.times)
    return len(later), float((later != NEVER).mean()) if len(later) else 0.0


def _fields(presence: Presence) -> tuple[EventLog | None, Instants | None, EventLog, Instants]:
    return presence.log, presence.starts, presence.gone, presence.back


def _with_endings(
    presence: Presence,
    task: LogTask | ContractTask,
    types: Texts | None,
    again: Instants,
    seen_until: Instants,
) -> Timeline:
    """Add the endings: those with a return, or with an involuntary event, are not outcomes."""
    log, _, gone, back = _fields(presence)
    assert log is not None
    owners = gone.owners
    kept = back == NEVER
    kept |= back - np.where(kept, 0, gone.times) > days(task.reactivates_within_days)
    forced = np.zeros(len(owners), dtype=bool)
    if task.involuntary:
        marks = events_of(log, task.involuntary, types, place="target.involuntary")
        since = gone.times - days(task.involuntary_within_days) - 1
        first, last = marks.window(owners, since, seen_until)
        forced = last > first
        _check_marks(task, len(marks.times), forced)
    left = kept & ~forced
    return Timeline(*_fields(presence), chosen(gone, left), chosen(gone, kept & forced), again[left])


def _check_marks(task: LogTask | ContractTask, n_marks: int, forced: np.ndarray) -> None:
    if n_marks and not forced.any():
        add = (
            f"add them to target.event: {[*task.event_types, *task.involuntary]}, "
            if isinstance(task, LogTask)
            else ""
        )
        raise DataError(
            f"target.involuntary must name events at an ending or up to {task.involuntary_within_days} days "
            f"before one, got {list(task.involuntary)} with none of {counted(n_marks, 'event')} there. Raise "
            f"target.involuntary_within_days, {add}or leave target.involuntary out."
        )


def group_numbers(names: Sequence[str]) -> Positions:
    """Return (N,) the number of each distinct name, in order of appearance."""
    return np.asarray(pd.factorize(np.asarray(names, dtype=object))[0], dtype=np.int64)


def _merged_ends(ids: Sequence[str], starts: Instants | None, ends: Instants, task: ContractTask) -> Instants:
    """(C,) the end of the period of each row; NEVER where another contract of the id continues it."""
    open_ends = np.where(ends == MISSING_TIME, NEVER, ends)
    if starts is None:
        return open_ends
    owner = group_numbers(ids)
    order = np.lexsort((starts, owner))
    frame = pd.DataFrame({"owner": owner[order], "start": starts[order], "end": open_ends[order]})
    latest = frame.groupby("owner")["end"].cummax().to_numpy()
    same = np.concatenate([[False], frame["owner"].to_numpy()[1:] == frame["owner"].to_numpy()[:-1]])
    before = np.concatenate([[0], latest[:-1]])
    limit = np.where(before == NEVER, NEVER, before + days(task.reactivates_within_days))
    new_period = ~(same & (frame["start"].to_numpy() <= limit))
    period = np.cumsum(new_period)
    merged = frame["end"].groupby(period).transform("max").to_numpy()
    result = np.empty(len(ends), dtype=np.int64)
    result[order] = merged
    return result


def contracts_at_once(ids: Sequence[str], starts: Instants | None, ends: Instants) -> tuple[int, int]:
    """Return how many ids have contracts that run at the same time, and how many begin beside another."""
    if starts is None:
        return 0, 0
    owner, known = group_numbers(ids), starts != MISSING_TIME
    order = np.lexsort((starts[known], owner[known]))
    owners, begun = owner[known][order], starts[known][order]
    until = np.where(ends == MISSING_TIME, NEVER, ends)[known][order]
    latest = pd.Series(until).groupby(owners).cummax().to_numpy()
    beside = (owners[1:] == owners[:-1]) & (begun[1:] < latest[:-1])
    return len(np.unique(owners[1:][beside])), int(beside.sum())


def _next_starts(ids: Sequence[str], starts: Instants | None, rows: Positions, ends: Instants) -> Instants:
    """(N,) the next start of a contract of the id of each row after an end; NEVER if there is none."""
    if starts is None:
        return np.full(len(rows), NEVER)
    owner = group_numbers(ids)
    known = np.flatnonzero(starts != NEVER)
    return first_after(log_of(owner[known], starts[known], len(owner)), owner[rows], ends)
