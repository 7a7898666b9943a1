"""The last instant that the files of a study show, as the study states it or as the data do."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from model.errors import DataError
from model.files.dataset import Dataset
from model.files.names import agreed, counted
from model.scoring.as_of import later_events, log_end, now
from model.task import ContractTask
from model.times import DAY, MISSING_TIME, Instants, format_instant, midnight
from model.values.dense import QUIET_DAYS, USUAL, dense_end, usual_gap

STALE_DAYS: Final = 31  # without a start or an end: the table may be older than the log
# Of all ends on the last day, and MASS_TIMES those of any other day: they are no ends.
MASS_SHARE: Final = 0.1
MASS_TIMES: Final = 5
MASS_FEWEST: Final = 10  # ends
MASS_DAYS: Final = 2  # from that day to the end of the data, at most
OPEN_SHARE: Final = 0.01  # of the contracts without an end; with more, ends are no plan
MANY_STARTS: Final = 20  # were to be expected in a time without any
HISTORY_TIMES: Final = 3  # of that time must be covered by starts

Notes = tuple[str, ...]


def observed_log(dataset: Dataset, zone: str, until: int | None) -> tuple[int, Notes]:
    """Return the end of a log, and what is later.

    Raises:
        DataError: `until` or many events are in the future.
    """
    if until is not None:
        _check_past(until, zone)
        return until, later_events(dataset, until, zone, "target.observed_until")
    end = log_end(dataset, zone)
    notes = later_events(dataset, end, zone, "where the log ends but for them")
    advice = " If the log does reach further, set target.observed_until."
    return end, tuple(note + advice for note in notes)


def observed_contracts(
    dataset: Dataset, task: ContractTask, starts: Instants, ends: Instants, zone: str, until: int | None
) -> tuple[int, Notes]:
    """Return the end of contracts and their log, if any: the latest dates that have come and are no strays.

    Beside a log, ends do not count: they may be written in advance.

    Raises:
        DataError: `until`, all dates or many events are in the future.
    """
    if until is not None:
        return observed_log(dataset, zone, until)
    dates = np.concatenate([starts, ends[ends != MISSING_TIME]]) if dataset.log is None else starts
    past = dates[dates <= now()]
    if dataset.log is None and not len(past):
        raise DataError(
            f"some dates of contracts must be in the past, got only future dates in {task.ends!r} and "
            f"{task.starts!r}. Correct them."
        )
    end = dense_end(past) if len(past) else MISSING_TIME
    notes: Notes = ()
    if dataset.log is not None:
        log_until, notes = observed_log(dataset, zone, None)
        end = max(end, log_until)
    if stray := int((past > end).sum()):
        notes += (
            f"{counted(stray, 'date')} of contracts up to {format_instant(int(past.max()), zone)} "
            f"{agreed(stray, 'is', 'are')} after {format_instant(end, zone)}, where the dates end but for "
            f"{agreed(stray, 'it', 'them')}. If the table does reach further, set target.observed_until.",
        )
    return end, notes


@dataclass(frozen=True)
class LastDay:
    """The last day of the data, on which so many contracts end that they are running.

    Attributes:
        start, end: its first instant, and the last end on it.
    """

    start: int
    end: int
    note: str


def ends_on_last_day(ends: Instants, data_end: int, zone: str) -> LastDay | None:
    """Return the last day of the data, if a tenth of all ends, and 5 times those of any other day, are on it.

    Some systems write the day of the export where a contract runs on.
    """
    past = ends[(ends != MISSING_TIME) & (ends <= data_end)]
    if not len(past) or past.max() < data_end - MASS_DAYS * DAY:
        return None
    start = midnight(int(past.max()), zone)
    n = int((past >= start).sum())
    others = np.unique(past[past < start] // DAY, return_counts=True)[1]
    if n < max(MASS_FEWEST, MASS_SHARE * len(past)) or n < MASS_TIMES * others.max(initial=0):
        return None
    most = int(others.max(initial=0))
    return LastDay(
        start,
        int(past.max()),
        f"{n:,} of {len(past):,} contracts ({n / len(past):.0%}) end on {format_instant(start, zone)}, the "
        f"last day of the data, and at most {most:,} on any other day: they count as running. If they did "
        "end, set target.observed_until to a later day, or name the column that says so (target.ended_when).",
    )


def ends_in_advance(starts: Instants, ends: Instants, data_end: int, zone: str) -> tuple[int, Notes]:
    """Return the last start in place of the end of the data, if ends seem to be written in advance.

    That is so for prepaid periods: every contract has an end, and ends go on where starts stop at once.
    Starts stop where none follows for more than 7 days and 3 usual gaps, although 20 or more came in as many
    days before, and the starts cover three times as many days.
    """
    past = starts[starts <= data_end]
    if len(past) < MANY_STARTS or (ends == MISSING_TIME).mean() > OPEN_SHARE:
        return data_end, ()
    last = dense_end(past)
    silent, busy = data_end - last, np.unique(past[past <= last] // DAY)
    usual = usual_gap(busy) if len(busy) > 1 else 0.0
    expected = int(((past > last - silent) & (past <= last)).sum())
    covered = last - int(past.min()) >= HISTORY_TIMES * silent
    if silent <= DAY * max(QUIET_DAYS, USUAL * usual) or expected < MANY_STARTS or not covered:
        return data_end, ()
    later = int(((ends > last) & (ends <= data_end)).sum())
    until = format_instant(last, zone)
    return last, (
        f"Every contract has an end, none starts after {until}, and {later:,} end after it, up to "
        f"{format_instant(data_end, zone)}: their ends seem to be written in advance, as of prepaid periods. "
        f"The data count as observed until {until}; set target.observed_until to the day the table was "
        "taken.",
    )


def stale_table(starts: Instants, ends: Instants, data_end: int, zone: str, *, log_ends: bool) -> Notes:
    """Return a note if the table may have been taken earlier than the end of the data."""
    last_start, last_end = _latest(starts, data_end), _latest(ends, data_end)
    table_until = max(last_start, last_end)
    advice = "If the table was taken earlier, set target.observed_until to that day."
    if log_ends and data_end > table_until + STALE_DAYS * DAY:
        return (
            f"The last event is at {format_instant(data_end, zone)}, the latest date of a contract at "
            f"{format_instant(table_until, zone)}. {advice}",
        )
    if not log_ends and MISSING_TIME < last_start < last_end - STALE_DAYS * DAY:
        return (
            f"The last contract starts at {format_instant(last_start, zone)}, the last ends at "
            f"{format_instant(last_end, zone)}, which is used as the end of the data. {advice}",
        )
    return ()


def _check_past(until: int, zone: str) -> None:
    if until > now() + DAY:
        raise DataError(
            f"target.observed_until must not be in the future, got {format_instant(until, zone)}."
        )


def _latest(times: Instants, until: int) -> int:
    """Return the latest of these instants up to another."""
    return int(times[times <= until].max(initial=MISSING_TIME))
