"""Labels compiled from an event log, and who is eligible for one.

The window of interval j is `(cutoff + gap + h[j-1], cutoff + gap + h[j]]`. An interval that ends after
the data end was not observed: it is masked, never taken for "nothing happened".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model.columns import Texts
from model.customers import Examples
from model.errors import DataError
from model.history import EventLog
from model.task import LogTask
from model.times import DAY, Instants, days

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Labels:
    """What happened to N examples in K intervals.

    Attributes:
        events: (N, K) bool, the first event after the cutoff and gap fell into the interval.
        at_risk: (N, K) bool, the interval was observed and no earlier interval held an event: what
            the hazard likelihood reads.
        outcomes: (N, K) bool, the positive outcome of the task by each horizon.
        complete: (N, K) bool, the window up to each horizon was observed: what the metrics read.
    """

    events: Bools
    at_risk: Bools
    outcomes: Bools
    complete: Bools

    def __len__(self) -> int:
        return len(self.events)

    def take(self, rows: NDArray[np.integer] | Bools) -> Self:
        """Some of the examples."""
        return type(self)(self.events[rows], self.at_risk[rows], self.outcomes[rows], self.complete[rows])

    @classmethod
    def of_column(cls, positive: Bools) -> Self:
        """Labels that a column states: one interval, always observed."""
        one = positive[:, None]
        return cls(events=one, at_risk=np.ones_like(one), outcomes=one, complete=np.ones_like(one))


def compile_labels(
    log: EventLog, task: LogTask, examples: Examples, *, kinds: Texts | None, data_end: int
) -> Labels:
    """Labels of N examples.

    Args:
        kinds: the events' types, length E; read only if the task names one.
        data_end: the last instant that was observed.

    Raises:
        DataError: the task names an event type that the log does not have.
    """
    targets = log if task.event == "any" else _only(log, task.event, kinds)
    start = targets.until(examples.customers, examples.cutoffs + days(task.gap_days))
    ends = [
        targets.until(examples.customers, examples.cutoffs + days(task.gap_days + h))
        for h in task.horizons_days
    ]
    happened = np.stack([end > start for end in ends], axis=1)
    closes = np.stack([examples.cutoffs + days(task.gap_days + h) for h in task.horizons_days], axis=1)
    complete = closes <= data_end
    before = np.concatenate([np.zeros((len(examples), 1), dtype=bool), happened[:, :-1]], axis=1)
    return Labels(
        events=happened & ~before,
        at_risk=complete & ~before,
        outcomes=happened if task.outcome == "occurs" else ~happened,
        complete=complete,
    )


def eligible(log: EventLog, task: LogTask, examples: Examples) -> Bools:
    """(N,) whether the customer has an event of any kind in `(cutoff - eligible_within, cutoff]`."""
    start, end = log.window(
        examples.customers, examples.cutoffs - days(task.eligible_within_days), examples.cutoffs
    )
    return end > start


def eligible_examples(log: EventLog, task: LogTask, cutoffs: Sequence[int]) -> Examples:
    """Every eligible (customer, cutoff), cutoff by cutoff."""
    everyone = np.arange(log.n_customers, dtype=np.int64)
    parts = []
    for cutoff in cutoffs:
        asked = Examples(everyone, np.full(len(everyone), cutoff, dtype=np.int64))
        parts.append(asked.take(eligible(log, task, asked)))
    return Examples(_joined([p.customers for p in parts]), _joined([p.cutoffs for p in parts]))


def cutoff_grid(
    *, first_event: int, data_end: int, task: LogTask, every_days: int, first: int | None, last: int | None
) -> list[int]:
    """Cutoffs in ascending order, `every_days` apart, at midnight UTC unless `last` says otherwise.

    One of them is the latest whose longest window is complete. The grid goes on from there to `last`,
    or to the latest whose shortest window is complete, and back to `first`, or until one step of
    history is left.
    """
    latest_complete = latest_complete_cutoff(task, data_end)
    latest = _midnight(data_end - days(task.gap_days + task.horizons_days[0])) if last is None else last
    earliest = first_event + days(every_days) if first is None else first
    anchor = min(latest, latest_complete)
    step = days(every_days)
    back = np.arange(anchor, earliest - 1, -step, dtype=np.int64)
    forward = np.arange(anchor + step, latest + 1, step, dtype=np.int64)
    return [*reversed(back.tolist()), *forward.tolist()]


def latest_complete_cutoff(task: LogTask, data_end: int) -> int:
    """The latest midnight whose longest window was observed to its end."""
    return _midnight(data_end - days(task.window_days))


def _midnight(instant: int) -> int:
    return instant - instant % DAY


def _only(log: EventLog, event: str, kinds: Texts | None) -> EventLog:
    """The events of one type, without their fields."""
    if kinds is None or event not in kinds.values:
        known = list(kinds.values)[:20] if kinds else "none, since the study names no type column"
        raise DataError(f"target.event must be a type in the log, got {event!r}; the types are {known}")
    chosen = kinds.codes == kinds.values.index(event)
    kept = np.concatenate([[0], np.cumsum(chosen)])
    return EventLog(offsets=kept[log.offsets], times=log.times[chosen], values={}, categories={})


def _joined(parts: list[Instants]) -> Instants:
    return np.concatenate([*parts, np.empty(0, dtype=np.int64)])
