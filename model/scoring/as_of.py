"""The instant that files are scored at where none is named, and what is later than it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.files.dataset import Dataset
from model.files.names import agreed, some_of
from model.schema import Schema
from model.task import ContractTask, Task
from model.times import DAY, MISSING_TIME, format_instant, midnight, to_instant
from model.values.columns import Column, as_dates
from model.values.dense import dense_end

_SHOWN: Final = 3
_MOST_FUTURE: Final = 0.05  # of the events; beyond it the log is no record of what has happened


@dataclass(frozen=True)
class AsOf:
    """An instant of prediction.

    Attributes:
        source: where it comes from, such as `the end of the log`.
    """

    instant: int
    source: str


def today(zone: str) -> AsOf:
    """The last midnight. A table is scored as of today where nobody names a day, whatever its rows."""
    return AsOf(midnight(now(), zone), "today")


def log_end(dataset: Dataset, zone: str) -> int:
    """The end of the log, without strays and events to come: see `model.values.dense`.

    Raises:
        DataError: many events are in the future.
    """
    assert dataset.log is not None
    times = dataset.log.times
    past = times[times <= now() + DAY]
    n_future = len(times) - len(past)
    if n_future > _MOST_FUTURE * len(times):
        raise DataError(
            f"the events of a log must have happened, got {n_future:,} of {len(times):,} in the future, up "
            f"to {format_instant(int(times.max()), zone)}. Correct their times, leave them out, or name the "
            "last day that was observed (target.observed_until, --as-of)."
        )
    return dense_end(past)


def log_date(dataset: Dataset, task: Task, schema: Schema) -> AsOf:
    """The end of the log, or of the starts of contracts that are not to come, if that is later."""
    end, zone = log_end(dataset, schema.time_zone), schema.time_zone
    if isinstance(task, ContractTask) and task.starts in dataset.columns:
        starts = as_dates(dataset.columns[task.starts], task.starts_format, zone)
        starts = starts[(starts != MISSING_TIME) & (starts <= now())]
        if len(starts) and dense_end(starts) > end:
            return AsOf(dense_end(starts), "the last start of a contract")
    return AsOf(end, "the end of the log")


def later_events(dataset: Dataset, end: int, zone: str, why: str) -> tuple[str, ...]:
    """A sentence on the events after an instant, which nothing reads, with whose they are.

    Args:
        why: what the instant is, such as `the end of the log`.
    """
    log = dataset.log
    later = np.flatnonzero(log.times > end) if log is not None else ()
    if log is None or not len(later):
        return ()
    named = _named(dataset, later[np.argsort(-log.times[later], kind="stable")], zone)
    return (
        f"{some_of(len(later), len(log.times), 'event')} {agreed(len(later), 'is', 'are')} after "
        f"{format_instant(end, zone)}, {why}, and not read: {named}.",
    )


def earlier_events(dataset: Dataset, first: int, zone: str) -> tuple[str, ...]:
    """A sentence on the events before the log begins but for them, with whose they are."""
    assert dataset.log is not None
    times = dataset.log.times
    earlier = np.flatnonzero(times < first)
    if not len(earlier):
        return ()
    named = _named(dataset, earlier[np.argsort(times[earlier], kind="stable")], zone)
    return (
        f"{some_of(len(earlier), len(times), 'event')} {agreed(len(earlier), 'is', 'are')} before "
        f"{format_instant(first, zone)}, where the log begins but for {agreed(len(earlier), 'it', 'them')}: "
        f"{named}. They count as history; if their times are wrong, correct them or leave them out.",
    )


def _named(dataset: Dataset, rows: NDArray[np.int64], zone: str) -> str:
    """The customers and times of the first of these events."""
    assert dataset.log is not None
    first = rows[:_SHOWN]
    owners, times = dataset.log.owners[first].tolist(), dataset.log.times[first].tolist()
    pairs = zip(owners, times, strict=True)
    named = ", ".join(f"{dataset.ids[owner]!r} at {format_instant(time, zone)}" for owner, time in pairs)
    return named + (", ..." if len(rows) > _SHOWN else "")


@dataclass
class LaterDates:
    """Dates of a table that are after the instant of prediction, counted over the batches of a file."""

    formats: Mapping[str, str | None]
    as_of: AsOf
    zone: str
    present: Counter[str] = field(default_factory=Counter)
    later: Counter[str] = field(default_factory=Counter)

    def add(self, columns: Mapping[str, Column]) -> None:
        """Count the dates of some rows."""
        for name, time_format in self.formats.items():
            times = as_dates(columns[name], time_format, self.zone)
            self.present[name] += int((times != MISSING_TIME).sum())
            self.later[name] += int((times > self.as_of.instant).sum())

    def notes(self) -> tuple[str, ...]:
        """A sentence for each column that has some."""
        when = f"{format_instant(self.as_of.instant, self.zone)} ({self.as_of.source})"
        return tuple(
            f"{some_of(n, self.present[name], 'date')} of {name!r} {agreed(n, 'is', 'are')} after {when} and "
            f"{agreed(n, 'counts', 'count')} as unknown."
            for name, n in self.later.items()
            if n
        )


def now() -> int:
    """This instant."""
    return to_instant(datetime.now(UTC))
