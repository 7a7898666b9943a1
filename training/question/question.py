"""The task of a study with windows, completed from its data.

What the study states is kept. What it leaves open is read off the data, with a note for the report.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from model.errors import DataError
from model.files.dataset import Dataset
from model.files.dates import column_instants
from model.files.names import listed
from model.scoring.presence import NEVER, contract_dates
from model.task import ContractTask, LogTask
from model.times import DAY, MISSING_TIME, format_instant, to_instant
from model.values.columns import Texts
from model.values.spelling import matching
from training.question.timeline import Timeline, contract_timeline, followed_share, log_timeline

LAST_SHARE: Final = 0.05  # an event is terminal if a smaller share of it is followed by further events
NAMED_SHARE: Final = 0.5  # the same for an event whose name means an ending
FEW: Final = 3  # fewer events decide nothing
STALE_DAYS: Final = 31  # without a start or an end: the table may be older than the log
FILLED: Final = 0.99  # share of filled rows of a column that may be the start of the contract

_ENDING: Final = re.compile(
    r"cancel|churn|clos|terminat|unsubscri|quit|leave|left|exit|expire|deactivat|withdr", re.IGNORECASE
)


@dataclass(frozen=True)
class Question:
    """A complete task with windows, and the timeline of its customers.

    Attributes:
        first: the first event, or the first start of a contract.
        data_end: the last instant that was observed.
        zone: of the dates that are shown.
        notes: what was read off the data, as sentences for the report.
    """

    task: LogTask | ContractTask
    timeline: Timeline
    first: int
    data_end: int
    zone: str
    notes: tuple[str, ...]


def log_question(
    dataset: Dataset,
    task: LogTask,
    types: Texts | None,
    zone: str,
    *,
    terminal: bool | None,
    until: int | None = None,
) -> Question:
    """Complete a task about events.

    Args:
        terminal: as the study states it; None to read it off the log.
        until: the last observed instant as the study states it; None for the last event.

    Raises:
        DataError: the log ends in the future, or lacks an event type that the task names.
    """
    log, first = dataset.log, dataset.first_event
    data_end = _observed(log_end(dataset), until)
    assert log is not None
    assert first is not None
    notes: tuple[str, ...] = ()
    if terminal is None and task.event_types and task.outcome == "occurs" and types is not None:
        count, share = followed_share(log, task.event_types, types)
        others = len(matching(types.values, task.event_types)) < len(types.values)
        ends = others and _ends_life(task, count, share)
        task = task.model_copy(update={"terminal": ends})
        notes = (_terminal_note(task, count, share),)
    return Question(task, log_timeline(log, task, types), first, data_end, zone, notes)


def contract_question(
    dataset: Dataset,
    task: ContractTask,
    types: Texts | None,
    zone: str,
    *,
    until: int | None = None,
    settled: bool = False,
) -> Question:
    """Complete a task about contracts.

    Args:
        until: as in `log_question`; None for the latest date or event.
        settled: whether the task is that of a model, with its columns and formats.

    Raises:
        DataError: a column is absent, has no dates or no end, or the start of the contracts is unknown.
    """
    notes: tuple[str, ...] = ()
    if not settled and task.starts is None and (start := _likely_start(dataset, task, zone)):
        task = task.model_copy(update={"starts": start})
        notes = (f"Contracts start at {start!r}, the only date column that is never after {task.ends!r}.",)
    if not settled:
        task = _with_formats(task, dataset)
        notes += tuple(one.note for name in task.dates if (one := dataset.dates.get(name)) and one.note)
    starts, ends = contract_dates(dataset.columns, task, zone)
    _check_some("target.ends", task.ends, ends)
    if starts is not None:
        _check_some("target.starts", task.starts, starts)
    timeline = contract_timeline(
        dataset.log, task, dataset.columns, dataset.ids, types, zone, listed=dataset.listed
    )
    known = starts[starts != MISSING_TIME] if starts is not None else np.empty(0, dtype=np.int64)
    if dataset.log is None:
        data_end = _latest(np.concatenate([known, ends]))
        if data_end == MISSING_TIME:
            raise DataError(
                f"some dates of contracts must be in the past, got only future dates in {task.ends!r} and "
                f"{task.starts!r}. Correct them."
            )
    else:
        data_end = max(log_end(dataset), _latest(known))
    data_end = _observed(data_end, until)
    first = int(min(known.min(initial=NEVER), NEVER if dataset.first_event is None else dataset.first_event))
    if until is None:
        notes += _stale(_latest(known), _latest(ends), None if dataset.log is None else data_end, zone)
    notes = (*notes, *_odd_rows(starts, ends, task, data_end, zone))
    return Question(task, timeline, first, data_end, zone, notes)


def _observed(shown: int, until: int | None) -> int:
    """Return the last observed instant: as the study states it, else as the data show it.

    Raises:
        DataError: the study names a future day.
    """
    if until is None:
        return shown
    if until > to_instant(datetime.now(UTC)) + DAY:
        raise DataError(f"target.observed_until must not be in the future, got {format_instant(until)}.")
    return until


def _with_formats(task: ContractTask, dataset: Dataset) -> ContractTask:
    """Return the task with the formats of its dates; an absent column is reported later."""
    found = {
        f"{key}_format": dataset.dates[name].time_format
        for key, name in (("ends", task.ends), ("starts", task.starts))
        if name in dataset.dates
    }
    return task.model_copy(update=found)


def _stale(last_start: int, last_end: int, log_until: int | None, zone: str) -> tuple[str, ...]:
    """Return a note if the table may have been taken earlier than the data end."""
    table_until = max(last_start, last_end)
    advice = "If the table was taken earlier, set target.observed_until to that day."
    if log_until is not None and log_until > table_until + STALE_DAYS * DAY:
        return (
            f"The last event is at {format_instant(log_until, zone)}, the latest date of a contract at "
            f"{format_instant(table_until, zone)}. {advice}",
        )
    if log_until is None and MISSING_TIME < last_start < last_end - STALE_DAYS * DAY:
        return (
            f"The last contract starts at {format_instant(last_start, zone)}, the last ends at "
            f"{format_instant(last_end, zone)}, which is used as the end of the data. {advice}",
        )
    return ()


def _check_some(place: str, name: str | None, times: np.ndarray) -> None:
    if not (times != MISSING_TIME).any():
        raise DataError(f"{place} {name!r} must have some dates, got empty cells only.")


def _ends_life(task: LogTask, count: int, share: float) -> bool:
    if task.reactivates_within_days or task.returns or task.involuntary:
        return True
    named = any(_ENDING.search(name) for name in task.event_types)
    return count >= FEW and share <= (NAMED_SHARE if named else LAST_SHARE)


def _terminal_note(task: LogTask, count: int, share: float) -> str:
    names = " or ".join(repr(name) for name in task.event_types)
    seen = f"{share:.1%} of its {count:,} events are followed by further events of the customer"
    if task.terminal:
        return (
            f"{names} is a terminal event ({seen}): a customer is not eligible after it, unless the customer "
            "returns. Set target.terminal: false to change that."
        )
    return f"{names} is not a terminal event ({seen}). Set target.terminal: true to change that."


def _likely_start(dataset: Dataset, task: ContractTask, zone: str) -> str | None:
    """Return the only date column, filled nearly everywhere, that is never after the end.

    Raises:
        DataError: there is no log, and not exactly one such column.
    """
    if task.ends not in dataset.columns:
        return None  # reported later with the list of columns
    _, ends = contract_dates(dataset.columns, _with_formats(task, dataset), zone)
    found = []
    for name, one in dataset.dates.items():
        if name == task.ends:
            continue
        try:
            times = column_instants(dataset.columns[name], one.time_format, repr(name), zone)
        except DataError:
            continue  # it holds more than dates
        both = (times != MISSING_TIME) & (ends != MISSING_TIME)
        if (times != MISSING_TIME).mean() >= FILLED and not (times[both] > ends[both]).any():
            found.append(name)
    if len(found) == 1:
        return found[0]
    if dataset.log is not None:
        return None
    hint = f" It may be one of {listed(found)}." if found else ""
    raise DataError(
        "target.starts must name the column with the first day of a contract, got none. Add it to the study: "
        f"without it, customers would count before they joined.{hint}"
    )


def log_end(dataset: Dataset) -> int:
    """Return the last event.

    Raises:
        DataError: it is in the future.
    """
    assert dataset.data_end is not None
    if dataset.data_end > to_instant(datetime.now(UTC)) + DAY:
        raise DataError(
            f"the last event must not be in the future, got {format_instant(dataset.data_end)}. It sets the "
            "end of the observed time: correct it, or leave such events out of the log."
        )
    return dataset.data_end


def _latest(times: np.ndarray) -> int:
    """Return the latest of these instants that is not in the future."""
    now = to_instant(datetime.now(UTC))
    return int(times[times <= now].max(initial=MISSING_TIME))


def _odd_rows(
    starts: np.ndarray | None, ends: np.ndarray, task: ContractTask, data_end: int, zone: str
) -> tuple[str, ...]:
    ended = ends != MISSING_TIME
    notes = []
    if starts is not None:
        backwards = int((ended & (ends < starts)).sum())
        if backwards:
            notes.append(f"{backwards:,} contracts end before they start; they are never eligible.")
        missing = int((starts == MISSING_TIME).sum())
        if missing:
            notes.append(f"{missing:,} contracts have no {task.starts!r}; they are never eligible.")
    later = int((ended & (ends > data_end)).sum())
    if later:
        notes.append(
            f"{later:,} contracts end after {format_instant(data_end, zone)}, the end of the observed time; "
            "they count as running."
        )
    return tuple(notes)
