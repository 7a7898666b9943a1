"""Labels compiled from a timeline, and the cutoffs at which a task can be asked.

The window of interval j is `(cutoff + gap + h[j-1], cutoff + gap + h[j]]`. An interval that ends after
the data end was not observed: it is masked, never taken for "nothing happened".
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model.scoring.presence import first_after
from model.task import ContractTask, LogTask, WindowTask
from model.times import Instants, add_days, days, midnight
from model.values.customers import Examples
from model.values.history import Positions
from training.question.timeline import Timeline

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
    timeline: Timeline, task: LogTask | ContractTask, examples: Examples, *, data_end: int
) -> Labels:
    """Labels of N examples.

    A window is complete where the data reach `wait_days` beyond its end: until then a customer may
    come back, or an event may be on its way. That holds for windows without an ending too, or else
    the unfinished windows would be known only where nothing happened. Who has gone within the gap was
    not there for the window: it is masked. Who ends involuntarily within the window did not leave by
    choice: he is negative and stays at risk, so that the probability is that of leaving by choice among
    all that may happen (Fine & Gray 1999). Masking him would keep those who left before and lose the others.

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
    """(N,) whether a contract, or a life, ended for good in `(after, until]`."""
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
    """Cutoffs in ascending order, at midnight of the zone unless `last` says otherwise.

    They are `every_days` of its calendar apart: an hour more or less where its clocks change.

    One of them is the latest whose longest window is complete. The grid goes on from there to `last`,
    or to the latest whose shortest window is complete, and back to `first`, or until one step of
    history is left.
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
    """The latest midnight of the zone whose longest window was observed to its end."""
    return midnight(data_end - days(task.window_days + task.wait_days), zone)
