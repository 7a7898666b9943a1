"""Labels compiled from a timeline, and the grid of cutoffs.

The window of interval j is `(cutoff + gap + h[j-1], cutoff + gap + h[j]]`. An interval that ends after
the data end is masked: it never counts as "no event".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model.scoring.presence import first_after
from model.task import ContractTask, LogTask, WindowTask
from model.times import Instants, add_days, days, midnight
from model.values.columns import Column
from model.values.customers import Examples
from model.values.history import EventLog, Positions
from training.question.timeline import Timeline

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Labels:
    """The labels of N examples in K intervals.

    Attributes:
        events: (N, K) bool, the first event after the cutoff and gap is in the interval.
        at_risk: (N, K) bool, the interval was observed and no earlier one has an event; the hazard
            likelihood reads these entries.
        outcomes: (N, K) bool, the positive outcome of the task by each horizon.
        complete: (N, K) bool, the window up to each horizon was observed; the metrics read these entries.
    """

    events: Bools
    at_risk: Bools
    outcomes: Bools
    complete: Bools

    def __len__(self) -> int:
        return len(self.events)

    def take(self, rows: NDArray[np.integer] | Bools) -> Self:
        """Return the labels of some of the examples."""
        return type(self)(self.events[rows], self.at_risk[rows], self.outcomes[rows], self.complete[rows])

    @classmethod
    def of_column(cls, positive: Bools) -> Self:
        """Return the labels of a column target: one interval, always observed."""
        one = positive[:, None]
        return cls(events=one, at_risk=np.ones_like(one), outcomes=one, complete=np.ones_like(one))


@dataclass(frozen=True)
class LabelledExamples:
    """N examples with their labels, and the columns and the log that they refer to."""

    columns: Mapping[str, Column]
    log: EventLog | None
    examples: Examples
    labels: Labels


def compile_labels(
    timeline: Timeline, task: LogTask | ContractTask, examples: Examples, *, data_end: int
) -> Labels:
    """Return the labels of N examples.

    A window is complete where the data reach `wait_days` beyond its end: until then a customer may
    return, or an event may arrive late. This holds for windows without an event too; otherwise
    incomplete windows would only be known where nothing happened. A customer who leaves within the gap
    is masked. A customer whose ending within the window is involuntary is negative and stays at risk, so
    that the probability is that of leaving by choice among all possible outcomes (Fine & Gray 1999).
    Masking these would drop them and keep those who left earlier.

    Args:
        data_end: the last instant that was observed.
    """
    opens = examples.cutoffs + days(task.gap_days)
    closes = np.stack([opens + days(h) for h in task.horizons_days], axis=1)
    happened = first_after(timeline.targets, examples.customers, opens)[:, None] <= closes
    complete = closes + days(task.wait_days) <= data_end
    complete &= ~_gone_within(timeline, examples.customers, examples.cutoffs, opens)[:, None]
    before = np.concatenate([np.zeros((len(examples), 1), dtype=bool), happened[:, :-1]], axis=1)
    return Labels(
        events=happened & ~before,
        at_risk=complete & ~before,
        outcomes=happened if task.outcome == "occurs" else ~happened,
        complete=complete,
    )


def _gone_within(timeline: Timeline, customers: Positions, after: Instants, until: Instants) -> Bools:
    """(N,) whether the customer left for good in `(after, until]`."""
    if not len(timeline.gone.times):
        return np.zeros(len(customers), dtype=bool)
    endings = [first_after(log, customers, after) for log in (timeline.targets, timeline.involuntary)]
    return np.minimum(*endings) <= until


def cutoff_grid(
    *,
    first_event: int,
    data_end: int,
    task: WindowTask,
    every_days: int,
    first: int | None,
    last: int | None,
    zone: str = "UTC",
) -> list[int]:
    """Return the cutoffs in ascending order, at midnight of the zone unless `last` is another time.

    They are `every_days` calendar days of the zone apart. One of them is the latest cutoff whose longest
    window is complete. The grid goes on from there to `last`, or to the latest cutoff whose shortest window
    is complete, and back to `first`, or until one step of history is left.
    """
    latest_complete = latest_complete_cutoff(task, data_end, zone)
    shortest = days(task.gap_days + task.horizons_days[0] + task.wait_days)
    latest = midnight(data_end - shortest, zone) if last is None else last
    earliest = first_event + days(every_days) if first is None else first
    anchor = min(latest, latest_complete)
    back, forward = (max(span // days(every_days) + 1, 0) for span in (anchor - earliest, latest - anchor))
    steps = np.arange(-back, forward + 1, dtype=np.int64)
    grid = np.unique(add_days(anchor, every_days * steps, zone))
    cutoffs: list[int] = grid[(grid >= earliest) & (grid <= latest)].tolist()
    return cutoffs


def latest_complete_cutoff(task: WindowTask, data_end: int, zone: str = "UTC") -> int:
    """Return the latest midnight of the zone whose longest window is complete."""
    return midnight(data_end - days(task.window_days + task.wait_days), zone)
