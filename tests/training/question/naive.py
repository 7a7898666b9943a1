"""The rules of a task as its words say them, one customer and one event at a time.

What the vectorised code finds must be what this finds. Nothing here is quick, and nothing is shared
with `training`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from model.task import ContractTask, LogTask
from model.times import DAY
from tests.strategies import Event

Row = tuple[int | None, int | None]  # the first day of a contract and its end


@dataclass(frozen=True)
class Ending:
    """When a customer left, when it came back (None if never), and whether that counts."""

    time: int
    back: int | None
    real: bool
    forced: bool


@dataclass(frozen=True)
class Life:
    """One customer: when it began, its events (None without a log), what the task asks about, its endings."""

    began: int | None
    events: list[int] | None
    targets: list[int]
    endings: list[Ending]

    @property
    def forced(self) -> list[int]:
        """Real endings that were not the customer's choice."""
        return [e.time for e in self.endings if e.real and e.forced]


@dataclass(frozen=True)
class Interval:
    """The label of one interval."""

    event: bool
    at_risk: bool
    outcome: bool
    complete: bool


def life_in_log(listed: Sequence[Event], customer: int, task: LogTask) -> Life:
    """A customer of a task about events."""
    own = sorted((e for e in listed if e.customer == customer), key=lambda e: e.time)
    times = [e.time for e in own]
    named = [e.time for e in own if not task.event_types or e.type in task.event_types]
    began = times[0] if times else None
    if not task.terminal:
        return Life(began, times, named, [])
    endings = [_ending(own, time, time, task.event_types, task) for time in named]
    return Life(began, times, [e.time for e in endings if e.real and not e.forced], endings)


def life_of_contract(listed: Sequence[Event], customer: int, row: Row, task: ContractTask) -> Life:
    """A customer with a row of dates beside a log."""
    start, end = row
    own = sorted((e for e in listed if e.customer == customer), key=lambda e: e.time)
    times = [e.time for e in own]
    began = start if task.starts else next(iter(times), None)
    if end is None:
        return Life(began, times, [], [])
    last_instant = end + DAY - 1 if end % DAY == 0 else end  # a mere date covers its day
    ending = _ending(own, end, last_instant, (), task)
    if ending.real:  # a return later than that does not take a contract back
        ending = Ending(end, None, real=True, forced=ending.forced)
    targets = [end] if ending.real and not ending.forced else []
    return Life(began, times, targets, [ending])


def life_of_row(rows: Sequence[Row], mine: int, task: ContractTask) -> Life:
    """A row of an id without a log, among all `rows` of the id: its period ends with the last of them."""
    start, end = rows[mine]
    together = {mine}
    for _ in rows:
        together |= {
            i for i in range(len(rows)) if any(_one_period(rows[i], rows[j], task) for j in together)
        }
    ends = [rows[i][1] for i in together]
    known = [e for e in ends if e is not None]
    last = max(known) if len(known) == len(ends) else None  # None: a contract of the period still runs
    own = [] if end is None else [Ending(end, None, real=end == last, forced=False)]
    renewed = [] if last in (None, end) else [Ending(last, None, real=True, forced=False)]
    return Life(start, None, [] if last is None else [last], own + renewed)


def is_asked(life: Life, task: LogTask | ContractTask, cutoff: int) -> bool:
    """Whether a customer is eligible, from its past alone."""
    past = [time for time in life.events or () if time <= cutoff]
    if life.began is None or life.began > cutoff:
        return False
    left = [e for e in life.endings if e.time <= cutoff]
    if left:
        back = max(left, key=lambda e: e.time).back
        if back is None or back > cutoff:
            return False
    within = task.eligible_within_days
    silent = not any(t > cutoff - (within or 0) * DAY for t in past)
    if within is not None and life.events is not None and silent:
        return False
    enough = len(past) >= task.eligible.min_events
    most = task.eligible.max_history_days
    young = most is None or life.began >= cutoff - most * DAY
    return enough and young and life.began <= cutoff - task.eligible.min_history_days * DAY


def labels_of(life: Life, task: LogTask | ContractTask, cutoff: int, data_end: int) -> list[Interval]:
    """The label of each horizon's interval."""
    opens = cutoff + task.gap_days * DAY
    wait = (task.reactivates_within_days + task.ingestion_lag_days) * DAY
    left_in_gap = any(cutoff < e.time <= opens for e in life.endings if e.real)
    found: list[Interval] = []
    earlier = False
    for horizon in task.horizons_days:
        closes = opens + horizon * DAY
        inside = [t for t in life.targets if opens < t <= closes]
        complete = closes + wait <= data_end and not left_in_gap
        happened = bool(inside)
        found.append(
            Interval(
                event=happened and not earlier,
                at_risk=complete and not earlier,
                outcome=happened == (task.outcome == "occurs"),
                complete=complete,
            )
        )
        earlier = earlier or happened
    return found


def _ending(
    own: Sequence[Event], time: int, last_instant: int, named: Sequence[str], task: LogTask | ContractTask
) -> Ending:
    """An ending, told by what came before it and after it."""
    if task.returns:
        returns = [e.time for e in own if e.type in task.returns]
    else:
        returns = [e.time for e in own if e.type not in (*named, *task.involuntary)]
    back = next((t for t in returns if t > last_instant), None)
    marks = [
        e
        for e in own
        if e.type in task.involuntary and time - task.involuntary_within_days * DAY <= e.time <= last_instant
    ]
    real = back is None or back - time > task.reactivates_within_days * DAY
    return Ending(time, back, real=real, forced=bool(marks))


def _one_period(one: Row, other: Row, task: ContractTask) -> bool:
    """Whether two rows overlap, or one follows the other soon enough."""
    (start, end), (other_start, other_end) = one, other
    if start is None or other_start is None:
        return False
    grace = task.reactivates_within_days * DAY
    return (end is None or other_start <= end + grace) and (other_end is None or start <= other_end + grace)
