"""When what a task asks about happened to each customer, and when each could be asked.

Purchases, cancellations in a log and the dates of contracts become one form here, which labels and
eligibility read. What is known only later (that a customer came back) is kept apart from what was
seen at the time, so that eligibility never reads the future.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from model.errors import DataError
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
from training.split.split import group_numbers


@dataclass(frozen=True)
class Timeline(Presence):
    """The customers of a task, C of them, with what is known of them only later.

    Attributes:
        targets: what counts as the event of the task; of endings those that were the customer's choice
            and not taken back.
        involuntary: endings that were not the customer's choice and not taken back.
        seen_again: (len(targets.times),) of endings, when the customer was seen again, however late.
    """

    targets: EventLog
    involuntary: EventLog
    seen_again: Instants


def log_timeline(log: EventLog, task: LogTask, types: Texts | None) -> Timeline:
    """The timeline of a task about events.

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
    """The timeline of contracts: one row each; an id may have several where there is no log.

    Periods of one id that overlap, or follow each other within `reactivates_within_days`, are one.

    Args:
        listed: rows of the table; further customers, of whom only the log knows, have no contract. None
            for all of them.

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
    """How many events of some types there are, and the share after which the customer does anything."""
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
    """Endings that were taken back are no outcome; those that come with an involuntary event neither."""
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
            f" or add them to target.event: {[*task.event_types, *task.involuntary]}"
            if isinstance(task, LogTask)
            else ""
        )
        raise DataError(
            f"target.involuntary marks endings, however none of the {n_marks:,} events "
            f"{list(task.involuntary)} comes with an ending or within {task.involuntary_within_days} days "
            f"before one; raise target.involuntary_within_days,{add} or leave target.involuntary out"
        )


def _merged_ends(ids: Sequence[str], starts: Instants | None, ends: Instants, task: ContractTask) -> Instants:
    """(C,) when each row's period of its id ended for good: NEVER where another contract went on."""
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


def _next_starts(ids: Sequence[str], starts: Instants | None, rows: Positions, ends: Instants) -> Instants:
    """(N,) when the id of each row has a contract that starts after an end; NEVER if it has none."""
    if starts is None:
        return np.full(len(rows), NEVER)
    owner = group_numbers(ids)
    known = np.flatnonzero(starts != NEVER)
    return first_after(log_of(owner[known], starts[known], len(owner)), owner[rows], ends)
