"""The plan of a log study: several cutoffs a customer, tested on other customers at a later date."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.columns import Texts
from model.customers import Examples
from model.errors import DataError
from model.history import EventLog
from model.task import LogTask
from model.times import DAY, days, format_instant
from training.labels import Labels, compile_labels, cutoff_grid, eligible_examples
from training.plan import CALIBRATION, VALIDATION, Plan, Refit, Slices, SplitKind
from training.split import hash_shares

MIN_EACH: Final = 20  # a forward fit needs this many examples with and without the event, in every interval


def plan_log(
    ids: Sequence[str],
    log: EventLog,
    task: LogTask,
    *,
    kinds: Texts | None,
    first_event: int,
    data_end: int,
    every_days: int,
    first: int | None,
    last: int | None,
    test_fraction: float,
    seed: int,
) -> Plan:
    """Choose cutoffs, compile labels and deal customers and dates.

    The test asks about customers that training never sees, at the latest cutoff whose longest window
    is complete. Training labels are cut at that date: an interval that closes later is masked. Where
    the log is too short for that, the test customers are still unseen but the dates are the same.

    Args:
        ids: N customers of the log.
        kinds: types of the log's events.

    Raises:
        DataError: no cutoff is complete, nobody is eligible, or all outcomes are equal.
    """
    grid = cutoff_grid(
        first_event=first_event, data_end=data_end, task=task, every_days=every_days, first=first, last=last
    )
    test_date = _test_date(grid, task, first_event, data_end)
    examples = eligible_examples(log, task, grid)
    labels = compile_labels(log, task, examples, kinds=kinds, data_end=data_end)
    known = compile_labels(log, task, examples, kinds=kinds, data_end=min(test_date, data_end))
    held_out = hash_shares(ids, seed=seed, purpose="test")[examples.customers] < test_fraction
    kind: SplitKind = "forward" if _can_learn(known, ~held_out) else "customers"
    measured_labels = known if kind == "forward" else labels
    _check_outcomes(labels, task)
    place = hash_shares(ids, seed=seed, purpose="slice")[examples.customers]
    return Plan(
        examples=examples,
        labels=labels,
        measured=_slices(place, examples, measured_labels, ~held_out),
        measured_labels=measured_labels,
        test=np.flatnonzero(held_out & (examples.cutoffs == test_date)),
        final=_refit(place, examples, labels),
        kind=kind,
        sentence=_sentence(kind, test_date),
        warnings=() if kind == "forward" else (_too_short(task, first_event, data_end),),
    )


def _test_date(grid: list[int], task: LogTask, first_event: int, data_end: int) -> int:
    complete = [t for t in grid if t + days(task.window_days) <= data_end]
    if not complete:
        needed = task.window_days
        latest = data_end - days(needed)
        remedy = (
            f"a cutoff at or before {format_instant(latest)} would work: shorten horizons_days, or set "
            "target.cutoffs.first and last"
            if latest > first_event
            else "no cutoff would work: shorten horizons_days"
        )
        raise DataError(
            f"a cutoff needs {needed} observed days after it (gap + longest horizon), however the log runs "
            f"from {format_instant(first_event)} to {format_instant(data_end)} and the cutoffs are "
            f"{[format_instant(t) for t in grid] or 'none'}; {remedy}"
        )
    return complete[-1]


def _can_learn(known: Labels, rows: NDArray[np.bool_]) -> bool:
    """Whether every interval has examples of both kinds at the test date."""
    events = (known.events & known.at_risk)[rows].sum(axis=0)
    others = (~known.events & known.at_risk)[rows].sum(axis=0)
    return bool((events >= MIN_EACH).all() and (others >= MIN_EACH).all())


def _check_outcomes(labels: Labels, task: LogTask) -> None:
    if not len(labels):
        raise DataError(
            f"nobody is eligible: no customer has an event within {task.eligible_within_days} days before "
            "a cutoff; raise target.eligible_within_days"
        )
    positives = labels.outcomes[labels.complete[:, -1], -1]
    if positives.all() or not positives.any():
        raise DataError(
            f"a model needs both outcomes, however all {len(positives)} complete examples "
            f"{'are' if positives.all() else 'are not'} positive at {task.horizons_days[-1]} days; "
            "look at target.event, outcome and horizons_days"
        )


def _slices(
    place: NDArray[np.float64], examples: Examples, labels: Labels, allowed: NDArray[np.bool_]
) -> Slices:
    """Whole customers to early stopping and calibration, by their hash, and of these the later dates."""
    rows = allowed & np.any(labels.at_risk, axis=1)
    late = _late(examples, labels, rows)
    return Slices(
        train=np.flatnonzero(rows & (place >= VALIDATION + CALIBRATION)),
        validation=np.flatnonzero(late & (place >= CALIBRATION) & (place < VALIDATION + CALIBRATION)),
        calibration=np.flatnonzero(late & (place < CALIBRATION)),
    )


def _refit(place: NDArray[np.float64], examples: Examples, labels: Labels) -> Refit:
    """The same customers calibrate as in `_slices`; all others train."""
    rows = np.any(labels.at_risk, axis=1)
    return Refit(
        train=np.flatnonzero(rows & (place >= CALIBRATION)),
        calibration=np.flatnonzero(_late(examples, labels, rows) & (place < CALIBRATION)),
    )


def _late(examples: Examples, labels: Labels, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N,) those of the rows from the middle of the complete cutoffs on: they resemble the dates to come."""
    complete = np.unique(examples.cutoffs[rows & labels.complete[:, -1]])
    return rows & (examples.cutoffs >= complete[len(complete) // 2]) if len(complete) else rows


def _sentence(kind: SplitKind, test_date: int) -> str:
    date = format_instant(test_date)
    if kind == "forward":
        return f"tested at {date} on customers unseen in training, whose labels had all closed by {date}"
    return f"tested at {date} on customers unseen in training, at dates that training saw too"


def _too_short(task: LogTask, first_event: int, data_end: int) -> str:
    window = task.window_days
    have = (data_end - first_event) // DAY
    return (
        f"The log holds {have} days; a test forward in time needs two windows of gap + longest horizon "
        f"({2 * window} days) and some history before them. The figures are for unseen customers at dates "
        "that training saw, and flatter the model if behaviour changes."
    )
