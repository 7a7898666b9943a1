"""When what a task asks about happened to each customer, and when each could be asked.

Purchases, cancellations in a log and the dates of contracts become one form here, which labels and
eligibility read. What is known only later (that a customer came back) is kept apart from what was
seen at the time, so that eligibility never reads the future.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from model.errors import DataError
from model.files.dates import column_instants, is_midnight
from model.files.names import check_names
from model.task import ContractTask, LogTask
from model.times import DAY, MISSING_TIME, Instants, days, localize
from model.values.columns import Column, Texts
from model.values.history import EventLog, Positions
from training.split.split import group_numbers

NEVER: Final = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Timeline:
    """The customers of a task, C of them.

    Attributes:
        log: every event; None for contracts without a log.
        starts: (C,) instants of the first day; None where a customer is there from the first event on.
        targets: what counts as the event of the task; of endings those that were the customer's choice
            and not taken back.
        involuntary: endings that were not the customer's choice and not taken back.
        gone: endings as they were seen when they happened, taken back later or not.
        back: (len(gone.times),) when the customer came back after each; NEVER if not.
        seen_again: (len(targets.times),) of endings, when the customer was seen again, however late.
    """

    log: EventLog | None
    starts: Instants | None
    targets: EventLog
    involuntary: EventLog
    gone: EventLog
    back: Instants
    seen_again: Instants

    @property
    def n_customers(self) -> int:
        """C."""
        return self.targets.n_customers


def log_timeline(log: EventLog, task: LogTask, types: Texts | None, *, strict: bool = True) -> Timeline:
    """The timeline of a task about events.

    Args:
        types: (E,) the events' types; read only if the task names one.
        strict: whether the log must have what the task names, as one with outcomes has.

    Raises:
        DataError: the task names an event type that the log does not have.
    """
    targets = events_of(log, task.event_types, types, place="target.event", strict=strict)
    if not task.terminal:
        nothing = _nothing(log.n_customers)
        return Timeline(log, None, targets, nothing, nothing, nothing.times, nothing.times)
    owners = targets.owners
    back = first_after(_returns(log, task, task.event_types, types, strict=strict), owners, targets.times)
    return _with_endings(log, None, task, types, targets, back, back, targets.times, strict=strict)


def contract_timeline(
    log: EventLog | None,
    task: ContractTask,
    columns: Mapping[str, Column],
    ids: Sequence[str],
    types: Texts | None,
    zone: str,
    *,
    listed: int | None = None,
    strict: bool = True,
) -> Timeline:
    """The timeline of contracts: one row each; an id may have several where there is no log.

    Periods of one id that overlap, or follow each other within `reactivates_within_days`, are one.

    Args:
        listed: rows of the table; further customers, of whom only the log knows, have no contract. None
            for all of them.
        strict: as for `log_timeline`.

    Raises:
        DataError: a column is absent or holds no dates, or an event type is not in the log.
    """
    starts, ends = contract_dates(columns, task, zone)
    if starts is not None:
        starts = np.where(starts == MISSING_TIME, NEVER, starts)  # who never started is not asked about
    ended = np.flatnonzero(ends != MISSING_TIME)
    gone = _log_of(ended, ends[ended], len(ends))
    if log is None:
        real = np.where(ends == MISSING_TIME, NEVER, _merged_ends(ids, starts, ends, task))
        voluntary = np.flatnonzero(real != NEVER)
        targets = _log_of(voluntary, real[voluntary], len(ends))
        nothing = _nothing(len(ends))
        again = _next_starts(ids, starts, voluntary, targets.times)
        return Timeline(None, starts, targets, nothing, gone, np.full(len(ended), NEVER), again)
    if starts is None:
        everyone = np.arange(len(ends))
        starts = first_after(log, everyone, np.full(len(ends), MISSING_TIME))
    starts = np.where(np.arange(len(ends)) < (len(ends) if listed is None else listed), starts, NEVER)
    # An end that is a mere date may lie anywhere on that day: what happens on it is not a return.
    dated = is_midnight(columns[task.ends], task.ends_format)[ended]
    _, clock = contract_dates(columns, task, "UTC")
    seen_until = np.where(dated, localize(clock[ended] + DAY, zone) - 1, gone.times)
    again = first_after(_returns(log, task, (), types, strict=strict), ended, seen_until)
    back = np.where(again - gone.times <= days(task.reactivates_within_days), again, NEVER)
    return _with_endings(log, starts, task, types, gone, back, again, seen_until, strict=strict)


def contract_dates(
    columns: Mapping[str, Column], task: ContractTask, zone: str
) -> tuple[Instants | None, Instants]:
    """(C,) starts (None without the column) and ends of contracts; MISSING_TIME where the cell is empty.

    Raises:
        DataError: a column is absent or holds no dates.
    """
    check_names([task.ends, *([task.starts] if task.starts else [])], list(columns), "the customer table")
    ends = column_instants(columns[task.ends], task.ends_format, f"target.ends {task.ends!r}", zone)
    if task.starts is None:
        return None, ends
    what = f"target.starts {task.starts!r}"
    return column_instants(columns[task.starts], task.starts_format, what, zone), ends


def events_of(
    log: EventLog, wanted: Sequence[str], types: Texts | None, *, place: str, strict: bool = True
) -> EventLog:
    """The events of some types, without their fields; all of them where none is named.

    Raises:
        DataError: the log has no such type.
    """
    if not wanted:
        return EventLog(offsets=log.offsets, times=log.times, values={}, categories={})
    for name in wanted if strict else ():
        if types is None or name not in types.values:
            known = list(types.values)[:20] if types else "none, since the study names no type column"
            raise DataError(f"{place} must be a type in the log, got {name!r}; the types are {known}")
    if types is None:
        return _nothing(log.n_customers)
    return _chosen(log, _is_one_of(types, wanted))


def followed_share(log: EventLog, wanted: Sequence[str], types: Texts) -> tuple[int, float]:
    """How many events of some types there are, and the share after which the customer does anything."""
    targets = events_of(log, wanted, types, place="target.event")
    later = first_after(log, targets.owners, targets.times)
    return len(later), float((later != NEVER).mean()) if len(later) else 0.0


def first_after(log: EventLog, owners: Positions, times: Instants) -> Instants:
    """(N,) the first event of each owner after each time; NEVER where there is none."""
    position = log.until(owners, times)
    return log.times_at(position, position < log.offsets[owners + 1], NEVER)


def _with_endings(
    log: EventLog,
    starts: Instants | None,
    task: LogTask | ContractTask,
    types: Texts | None,
    gone: EventLog,
    back: Instants,
    again: Instants,
    seen_until: Instants,
    *,
    strict: bool,
) -> Timeline:
    """Endings that were taken back are no outcome; those that come with an involuntary event neither."""
    owners = gone.owners
    kept = back == NEVER
    kept |= back - np.where(kept, 0, gone.times) > days(task.reactivates_within_days)
    forced = np.zeros(len(owners), dtype=bool)
    if task.involuntary:
        marks = events_of(log, task.involuntary, types, place="target.involuntary", strict=strict)
        since = gone.times - days(task.involuntary_within_days) - 1
        first, last = marks.window(owners, since, seen_until)
        forced = last > first
        if strict:
            _check_marks(task, len(marks.times), forced)
    left = kept & ~forced
    return Timeline(log, starts, _chosen(gone, left), _chosen(gone, kept & forced), gone, back, again[left])


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


def _returns(
    log: EventLog, task: LogTask | ContractTask, endings: Sequence[str], types: Texts | None, *, strict: bool
) -> EventLog:
    """The events that mean a customer is back: of the types named, else all but endings and their marks."""
    if task.returns:
        return events_of(log, task.returns, types, place="target.returns", strict=strict)
    others = (*endings, *task.involuntary)
    if types is None or not others:
        return events_of(log, (), None, place="")
    return _chosen(log, ~_is_one_of(types, others))


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
    return first_after(_log_of(owner[known], starts[known], len(owner)), owner[rows], ends)


def _chosen(log: EventLog, chosen: np.ndarray) -> EventLog:
    kept = np.concatenate([[0], np.cumsum(chosen)])
    return EventLog(offsets=kept[log.offsets], times=log.times[chosen], values={}, categories={})


def _is_one_of(types: Texts, wanted: Sequence[str]) -> np.ndarray:
    return np.isin(types.codes, [c for c, name in enumerate(types.values) if name in wanted])


def _log_of(owners: Positions, times: Instants, n_customers: int) -> EventLog:
    return EventLog.build(owners, times, n_customers=n_customers, values={}, categories={})


def _nothing(n_customers: int) -> EventLog:
    empty = np.empty(0, dtype=np.int64)
    return _log_of(empty, empty, n_customers)
