"""When each customer could be eligible, from what was seen at the time: starts, endings and returns.

Purchases, cancellations in a log and the dates of contracts become one form here, which eligibility reads.
Labels, which look forward, are compiled from it in training.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.files.dates import column_instants, is_midnight
from model.files.names import check_names
from model.task import ContractTask, EndedWhen, LogTask
from model.times import DAY, MISSING_TIME, Instants, days, localize
from model.values.columns import Column, Texts, as_categories, as_dates, as_texts
from model.values.history import EventLog, Positions
from model.values.spelling import matching

NEVER: Final = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Presence:
    """The customers of a task, C of them.

    Attributes:
        log: every event; None for contracts without a log.
        starts: (C,) instants of the first day; None where a customer is there from the first event on.
        gone: endings as they were seen when they happened, taken back later or not.
        back: (len(gone.times),) when the customer came back after each; NEVER if not.
    """

    log: EventLog | None
    starts: Instants | None
    gone: EventLog
    back: Instants

    @property
    def n_customers(self) -> int:
        """C."""
        return self.gone.n_customers


def log_presence(log: EventLog, task: LogTask, types: Texts | None, *, strict: bool = True) -> Presence:
    """The customers of a task about events.

    Args:
        types: (E,) the events' types; read only if the task names one.
        strict: whether the log must have what the task names, as one with outcomes has.

    Raises:
        DataError: the task names an event type that the log does not have.
    """
    if not task.terminal:
        nothing = no_events(log.n_customers)
        return Presence(log, None, nothing, nothing.times)
    gone = events_of(log, task.event_types, types, place="target.event", strict=strict)
    returns = events_of_return(log, task, task.event_types, types, strict=strict)
    return Presence(log, None, gone, first_after(returns, gone.owners, gone.times))


@dataclass(frozen=True)
class ContractPresence(Presence):
    """The customers of contracts, and what the log shows after each ending.

    Attributes:
        seen_until: (len(gone.times),) the last instant of the day of each ending, if it is a mere date.
        again: when the customer was seen after that, however late; NEVER if not.
    """

    seen_until: Instants
    again: Instants


def contract_presence(
    log: EventLog | None,
    task: ContractTask,
    columns: Mapping[str, Column],
    types: Texts | None,
    zone: str,
    *,
    listed: int | None = None,
    strict: bool = True,
) -> ContractPresence:
    """The customers of contracts, one row each.

    Args:
        listed: rows of the table; further customers, of whom only the log knows, have no contract. None
            for all of them.
        strict: as for `log_presence`.

    Raises:
        DataError: a column is absent or holds no dates, or an event type is not in the log.
    """
    starts, ends = contract_dates(columns, task, zone)
    if starts is not None:
        starts = np.where(starts == MISSING_TIME, NEVER, starts)  # one that never starts is not eligible
    ended = np.flatnonzero(ends != MISSING_TIME)
    gone = log_of(ended, ends[ended], len(ends))
    if log is None:
        never = np.full(len(ended), NEVER)
        return ContractPresence(None, starts, gone, never, gone.times, never)
    everyone = np.arange(len(ends))
    if starts is None:
        starts = first_after(log, everyone, np.full(len(ends), MISSING_TIME))
    starts = np.where(everyone < (len(ends) if listed is None else listed), starts, NEVER)
    # An end that is a mere date may lie anywhere on that day: what happens on it is not a return.
    dated = is_midnight(columns[task.ends], task.ends_format)[ended]
    _, clock = contract_dates(columns, task, "UTC")
    seen_until = np.where(dated, localize(clock[ended] + DAY, zone) - 1, gone.times)
    again = first_after(events_of_return(log, task, (), types, strict=strict), ended, seen_until)
    back = np.where(again - gone.times <= days(task.reactivates_within_days), again, NEVER)
    return ContractPresence(log, starts, gone, back, seen_until, again)


def contract_dates(
    columns: Mapping[str, Column], task: ContractTask, zone: str
) -> tuple[Instants | None, Instants]:
    """(C,) starts (None without the column) and ends of contracts; MISSING_TIME where there is none.

    An end does not count in a row without the value of `ended_when`.

    Raises:
        DataError: a column is absent or holds no dates.
    """
    check_names(task.columns, list(columns), "the customer table")
    ends = column_instants(columns[task.ends], task.ends_format, f"target.ends {task.ends!r}", zone)
    if task.ended_when:
        ends = np.where(has_ended(columns, task.ended_when), ends, MISSING_TIME)
    if task.starts is None:
        return None, ends
    what = f"target.starts {task.starts!r}"
    return column_instants(columns[task.starts], task.starts_format, what, zone), ends


def has_ended(columns: Mapping[str, Column], when: EndedWhen) -> NDArray[np.bool_]:
    """(C,) whether the row has the value of a contract that has ended, in any spelling."""
    return _is_one_of(as_categories(columns[when.column]), when.values)


def running_from(
    columns: Mapping[str, Column], task: ContractTask, since: int | Instants, zone: str
) -> dict[str, Column]:
    """The columns without the ends at an instant, or that of their row, or later."""
    texts = as_texts(columns[task.ends])
    running = as_dates(texts, task.ends_format, zone) >= since
    return {**columns, task.ends: Texts(np.where(running, -1, texts.codes).astype(np.int32), texts.values)}


def events_of(
    log: EventLog, wanted: Sequence[str], types: Texts | None, *, place: str, strict: bool = True
) -> EventLog:
    """The events of some types, in any spelling, without their fields; all of them where none is named.

    Raises:
        DataError: the log has no such type.
    """
    if not wanted:
        return EventLog(offsets=log.offsets, times=log.times, values={}, categories={})
    for name in wanted if strict else ():
        if types is None or not matching(types.values, [name]):
            known = list(types.values)[:20] if types else "none, since the study names no type column"
            raise DataError(f"{place} must be a type in the log, got {name!r}; the types are {known}")
    if types is None:
        return no_events(log.n_customers)
    return chosen(log, _is_one_of(types, wanted))


def events_of_return(
    log: EventLog, task: LogTask | ContractTask, endings: Sequence[str], types: Texts | None, *, strict: bool
) -> EventLog:
    """The events that mean a customer is back: of the types named, else all but endings and their marks."""
    if task.returns:
        return events_of(log, task.returns, types, place="target.returns", strict=strict)
    others = (*endings, *task.involuntary)
    if types is None or not others:
        return events_of(log, (), None, place="")
    return chosen(log, ~_is_one_of(types, others))


def first_after(log: EventLog, owners: Positions, times: Instants) -> Instants:
    """(N,) the first event of each owner after each time; NEVER where there is none."""
    position = log.until(owners, times)
    return log.times_at(position, position < log.offsets[owners + 1], NEVER)


def chosen(log: EventLog, which: NDArray[np.bool_]) -> EventLog:
    """Some of the events, without their fields."""
    kept = np.concatenate([[0], np.cumsum(which)])
    return EventLog(offsets=kept[log.offsets], times=log.times[which], values={}, categories={})


def log_of(owners: Positions, times: Instants, n_customers: int) -> EventLog:
    """Events without fields, as a log."""
    return EventLog.build(owners, times, n_customers=n_customers, values={}, categories={})


def no_events(n_customers: int) -> EventLog:
    """A log without events."""
    empty = np.empty(0, dtype=np.int64)
    return log_of(empty, empty, n_customers)


def _is_one_of(types: Texts, wanted: Sequence[str]) -> NDArray[np.bool_]:
    same = set(matching(types.values, wanted))
    return np.isin(types.codes, [code for code, name in enumerate(types.values) if name in same])
