"""The task of a study with windows, completed from its data.

What the study states is kept. What it leaves open is read off the data, with a note for the report.
"""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from model.errors import DataError
from model.files.dataset import Dataset
from model.files.names import agreed, counted, listed
from model.scoring.as_of import earlier_events
from model.scoring.presence import NEVER, contract_dates, has_ended, running_from
from model.task import ContractTask, LogTask
from model.times import MISSING_TIME, format_instant
from model.values.columns import Texts, as_categories
from model.values.dense import dense_start
from model.values.spelling import matching
from training.question.contract_columns import likely_start, with_formats
from training.question.label_column import listed_counts
from training.question.observed import (
    ends_in_advance,
    ends_on_last_day,
    observed_contracts,
    observed_log,
    stale_table,
)
from training.question.refunds import refund_note
from training.question.timeline import (
    Timeline,
    contract_timeline,
    contracts_at_once,
    followed_share,
    log_timeline,
)

LAST_SHARE: Final = 0.05  # an event is terminal if a smaller share of it is followed by further events
NAMED_SHARE: Final = 0.5  # the same for an event whose name means an ending
FEW: Final = 3  # fewer events decide nothing

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
        until: the last observed instant as the study states it; None for the end of the log.

    Raises:
        DataError: many events are in the future, or the log lacks an event type that the task names.
    """
    assert dataset.log is not None
    data_end, notes = observed_log(dataset, zone, until)
    if terminal is None and task.event_types and task.outcome == "occurs" and types is not None:
        count, share = followed_share(dataset.log, task.event_types, types)
        others = len(matching(types.values, task.event_types)) < len(types.values)
        ends = others and _ends_life(task, count, share)
        task = task.model_copy(update={"terminal": ends})
        notes = (_terminal_note(task, count, share), *notes)
    if not task.terminal:
        notes += refund_note(dataset.log, task, types)
    first = dense_start(dataset.log.times)
    notes += earlier_events(dataset, first, zone)
    return Question(task, log_timeline(dataset.log, task, types), first, data_end, zone, notes)


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
        until: as in `log_question`; None for the end of the dates and events.
        settled: whether the task is that of a model, with its columns and formats.

    Raises:
        DataError: a column is absent, has no dates or no end, or the start of the contracts is unknown.
    """
    notes: tuple[str, ...] = ()
    if not settled and task.starts is None and (start := likely_start(dataset, task, zone)):
        task = task.model_copy(update={"starts": start})
        notes = (f"Contracts start at {start!r}, the only date column that is never after {task.ends!r}.",)
    if not settled:
        task = with_formats(task, dataset)
        notes += tuple(one.note for name in task.dates if (one := dataset.dates.get(name)) and one.note)
    starts, every_end = contract_dates(dataset.columns, task.model_copy(update={"ended_when": None}), zone)
    _, ends = contract_dates(dataset.columns, task, zone)
    notes += _planned(dataset, task, every_end, ends)
    _check_some("target.ends", task.ends, ends)
    if starts is not None:
        _check_some("target.starts", task.starts, starts)
    known = starts[starts != MISSING_TIME] if starts is not None else np.empty(0, dtype=np.int64)
    data_end, seen = observed_contracts(dataset, task, known, ends, zone, until)
    notes += seen
    columns = dataset.columns
    if (last_day := ends_on_last_day(ends, data_end, zone)) and not settled:
        task = task.model_copy(update={"last_day_runs": True})
        notes += (last_day.note,)
    if task.last_day_runs and last_day:
        columns, data_end = running_from(columns, task, last_day.start, zone), last_day.end
        _, ends = contract_dates(columns, task, zone)
    elif until is None and not settled and dataset.log is None:
        data_end, note = ends_in_advance(known, ends, data_end, zone)
        notes += note
    timeline = contract_timeline(dataset.log, task, columns, dataset.ids, types, zone, listed=dataset.listed)
    dates = [known, *([dataset.log.times] if dataset.log else [])]
    first = dense_start(np.concatenate(dates)) if any(map(len, dates)) else NEVER
    if until is None:
        notes += stale_table(known, ends, data_end, zone, log_ends=dataset.log is not None)
    notes = (*notes, *_odd_rows(starts, ends, task, data_end, zone))
    notes += _at_once(*contracts_at_once(dataset.ids, starts, ends))
    return Question(task, timeline, first, data_end, zone, notes)


def _planned(
    dataset: Dataset, task: ContractTask, every_end: np.ndarray, ends: np.ndarray
) -> tuple[str, ...]:
    """Return a note on the ends that do not count, since their rows have not the value of an ended contract.

    Raises:
        DataError: no row has it.
    """
    if task.ended_when is None:
        return ()
    name, ended = task.ended_when.column, has_ended(dataset.columns, task.ended_when)
    if not ended.any():
        texts = as_categories(dataset.columns[name])
        counts = np.bincount(texts.codes[texts.codes >= 0], minlength=len(texts.values)).tolist()
        raise DataError(
            f"target.ended_when.value must be a value of {name!r}, got {listed(task.ended_when.values)}. The "
            f"values are {listed_counts(zip(texts.values, counts, strict=True))}."
        )
    planned = int(((every_end != MISSING_TIME) & (ends == MISSING_TIME)).sum())
    n_ended = int((ends != MISSING_TIME).sum())
    undated = int((ended[: len(ends)] & (every_end == MISSING_TIME)).sum())
    notes = [
        f"{_contracts(n_ended, 'has', 'have')} ended by {name!r}; {planned:,} other "
        f"{agreed(planned, 'end is planned, and counts', 'ends are planned, and count')} as none."
    ]
    if undated:
        notes.append(
            f"{_contracts(undated, 'has', 'have')} ended by {name!r} without a date in {task.ends!r} and "
            f"{agreed(undated, 'counts', 'count')} as running."
        )
    return tuple(notes)


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
    are = agreed(count, "is", "are")
    seen = f"{share:.1%} of its {counted(count, 'event')} {are} followed by further events of the customer"
    if task.terminal:
        return (
            f"{names} is a terminal event ({seen}): a customer is not eligible after it, unless the customer "
            "returns. Set target.terminal: false to change that."
        )
    return f"{names} is not a terminal event ({seen}). Set target.terminal: true to change that."


def _contracts(count: int, one: str, several: str) -> str:
    return f"{counted(count, 'contract')} {agreed(count, one, several)}"


def _at_once(n_owners: int, n_beside: int) -> tuple[str, ...]:
    if not n_beside:
        return ()
    several = f"{counted(n_owners, 'customer')} {agreed(n_owners, 'has', 'have')} contracts at the same time"
    return (
        f"{several}: {_contracts(n_beside, 'begins', 'begin')} before an earlier one ends. They end with the "
        "last of them, and each row is an example, so the customer counts several times. Keep one row if "
        "that is not meant.",
    )


def _odd_rows(
    starts: np.ndarray | None, ends: np.ndarray, task: ContractTask, data_end: int, zone: str
) -> tuple[str, ...]:
    ended = ends != MISSING_TIME
    notes = []
    if starts is not None:
        backwards = int((ended & (ends < starts)).sum())
        if backwards:
            never = agreed(backwards, "before it starts and is", "before they start and are")
            notes.append(f"{_contracts(backwards, 'ends', 'end')} {never} never eligible.")
        missing = int((starts == MISSING_TIME).sum())
        if missing:
            are = agreed(missing, "is", "are")
            notes.append(f"{_contracts(missing, 'has', 'have')} no {task.starts!r} and {are} never eligible.")
    later = int((ended & (ends > data_end)).sum())
    if later:
        notes.append(
            f"{_contracts(later, 'ends', 'end')} after {format_instant(data_end, zone)}, the end of the "
            f"observed time, and {agreed(later, 'counts', 'count')} as running."
        )
    return tuple(notes)
