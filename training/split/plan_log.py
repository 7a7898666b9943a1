"""The plan of a log study: several cutoffs a customer, tested on other customers at a later date."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.files.names import listed
from model.task import ContractTask, LogTask, WindowTask
from model.times import DAY, days, format_instant
from model.values.customers import Examples
from training.question.eligibility import RollCall, roll_call, tally
from training.question.labels import Labels, compile_labels
from training.question.timeline import Timeline
from training.split.plan import EasySplit, Folds, HeldOut, Plan, SplitKind
from training.split.split import deal, deal_folds, group_numbers, hash_shares

MIN_EACH: Final = 20  # a forward fit needs this many examples with and without the event by the last horizon
MIN_INTERVAL: Final = 5  # and so many in every interval


def plan_log(
    ids: Sequence[str],
    timeline: Timeline,
    task: LogTask | ContractTask,
    *,
    grid: list[int],
    first_event: int,
    data_end: int,
    zone: str = "UTC",
    group: str | None,
    test_fraction: float,
    folds: int,
    seed: int,
) -> Plan:
    """Compile labels at every cutoff, and deal customers and dates.

    The test asks about customers that training never sees, at the latest cutoff whose longest window
    is complete. Training labels are cut at that date: an interval that is known later is masked. Where
    too little was known by then, the test customers are still unseen but the dates are the same.

    Args:
        ids: N texts that name the customers of the timeline, or the groups they belong to.
        grid: the cutoffs, ascending.
        zone: whose clock tells the dates.
        group: the column that the ids come from, if it is not the customer's own.
        folds: how many a fit has.

    Raises:
        DataError: no cutoff is complete, nobody is eligible, or all outcomes are equal.
    """
    test_date = _test_date(grid, task, first_event, data_end, zone)
    roll = roll_call(timeline, task, grid)
    _check_anybody(roll, task, format_instant(grid[-1], zone))
    examples = roll.examples
    labels = compile_labels(timeline, task, examples, data_end=data_end)
    known = compile_labels(timeline, task, examples, data_end=min(test_date, data_end))
    held_out = hash_shares(ids, seed=seed, purpose="test")[examples.customers] < test_fraction
    lacking = _lacking(known.take(~held_out), task)
    kind: SplitKind = "customers" if lacking else "forward"
    measured_labels = known if kind == "forward" else labels
    _check_outcomes(labels, task)
    date = format_instant(test_date, zone)
    groups = group_numbers(ids)[examples.customers]
    happened = np.asarray(labels.events.any(axis=1), dtype=np.int64)
    places = hash_shares(ids, seed=seed, purpose="fold")[examples.customers]
    fold = deal_folds(groups, happened, folds, places)
    tested = (examples.cutoffs == test_date) & labels.complete.any(axis=1)
    return Plan(
        examples=examples,
        groups=groups,
        labels=labels,
        measured=_folds(fold, examples, measured_labels, ~held_out),
        measured_labels=measured_labels,
        test=np.flatnonzero(held_out & tested),
        seen_later=np.flatnonzero(~held_out & tested & (kind == "forward")),
        easy=_easy(labels, test_fraction, folds, seed),
        final=_folds(fold, examples, labels, np.ones(len(examples), dtype=bool)),
        kind=kind,
        sentence=_sentence(kind, date),
        held_out=HeldOut(
            kind=kind, group=group, seed=seed, below=test_fraction, since=float(min(test_date, data_end))
        ),
        standings=roll.counts,
        last_standing=roll.last,
        warnings=(_not_forward(lacking, task, first_event, data_end, date),) if lacking else (),
    )


def _test_date(grid: list[int], task: WindowTask, first_event: int, data_end: int, zone: str) -> int:
    needed = task.window_days + task.wait_days
    complete = [t for t in grid if t + days(needed) <= data_end]
    if not complete:
        latest = data_end - days(needed)
        remedy = (
            f"a cutoff at or before {format_instant(latest, zone)} would work: shorten horizons_days, or set "
            "target.cutoffs.first and last"
            if latest > first_event
            else f"no cutoff would work in {(data_end - first_event) // DAY} days: shorten horizons_days"
        )
        wait = f" and {task.wait_days} days to be certain" if task.wait_days else ""
        span = f"from {format_instant(first_event, zone)} to {format_instant(data_end, zone)}"
        raise DataError(
            f"a cutoff needs {needed} observed days after it (gap + longest horizon{wait}), however the data "
            f"run {span} and the cutoffs are "
            f"{listed([format_instant(t, zone) for t in grid]) if grid else 'none'}; {remedy}"
        )
    return complete[-1]


def _lacking(known: Labels, task: WindowTask) -> str | None:
    """What a fit of labels known at the test date would lack, and what helps; None if nothing."""
    horizons = task.horizons_days
    happened = known.events[known.complete[:, -1]].any(axis=1)
    whole = f"at the longest horizon of {horizons[-1]} days"
    parts = [(np.asarray(happened), MIN_EACH, whole, "shorten horizons_days")]
    for k, (start, end) in enumerate(zip((0, *horizons), horizons, strict=False)):
        where = f"in the interval from {start} to {end} days"
        parts.append((known.events[known.at_risk[:, k], k], MIN_INTERVAL, where, "name fewer horizons_days"))
    for happened, needed, where, remedy in parts:
        n_events, n_others = int(happened.sum()), int((~happened).sum())
        if min(n_events, n_others) < needed:
            return (
                f"{n_events:,} examples with and {n_others:,} without the event were known {where}, and a "
                f"test forward in time needs {needed} of each: {remedy}, bring more customers, or set "
                "target.cutoffs"
            )
    return None


def _check_anybody(roll: RollCall, task: LogTask | ContractTask, latest: str) -> None:
    if not len(roll.examples):
        raise DataError(
            f"somebody must be eligible at a cutoff, however nobody is; at {latest} customers are left out "
            f"as {tally(task, roll.counts[-1])}: loosen target.eligible_within_days or target.eligible, or "
            "set target.cutoffs"
        )


def _check_outcomes(labels: Labels, task: LogTask | ContractTask) -> None:
    positives = labels.outcomes[labels.complete[:, -1], -1]
    if not len(positives):
        raise DataError(
            f"the window of {task.horizons_days[-1]} days must be complete for somebody, however it is for "
            f"none of {len(labels):,} examples; shorten horizons_days, or set target.cutoffs"
        )
    if positives.all() or not positives.any():
        read = "event, outcome" if isinstance(task, LogTask) else "ends"
        raise DataError(
            f"a model needs both outcomes, however all {len(positives)} complete examples "
            f"{'are' if positives.all() else 'are not'} positive at {task.horizons_days[-1]} days; "
            f"look at target.{read} and horizons_days"
        )


def _folds(fold: NDArray[np.int64], examples: Examples, labels: Labels, allowed: NDArray[np.bool_]) -> Folds:
    """The allowed examples of which something is known; the later dates are judged."""
    rows = allowed & labels.at_risk.any(axis=1)
    return Folds(np.flatnonzero(rows), fold[rows], _late(examples, labels, rows)[rows])


def _easy(labels: Labels, test_fraction: float, folds: int, seed: int) -> EasySplit:
    """Examples dealt one by one, as if each were a stranger."""
    rows = np.flatnonzero(labels.at_risk.any(axis=1) & labels.complete.any(axis=1))
    alone, places = np.arange(len(rows)), np.random.default_rng(seed).random(len(rows))
    strata = np.asarray(labels.events[rows].any(axis=1), dtype=np.int64)
    test, train = deal(alone, strata, (test_fraction,), places)
    fold = deal_folds(alone[train], strata[train], folds, np.random.default_rng([seed, 1]).random(len(train)))
    return EasySplit(Folds(rows[train], fold, np.ones(len(train), dtype=bool)), rows[test])


def _late(examples: Examples, labels: Labels, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N,) those of the rows from the middle of the complete cutoffs on: they resemble the dates to come."""
    complete = np.unique(examples.cutoffs[rows & labels.complete[:, -1]])
    return rows & (examples.cutoffs >= complete[len(complete) // 2]) if len(complete) else rows


def _sentence(kind: SplitKind, date: str) -> str:
    if kind == "forward":
        return f"tested at {date} on customers unseen in training, whose labels had all closed by {date}"
    return f"tested at {date} on customers unseen in training, at dates that training saw too"


def _not_forward(lacking: str, task: WindowTask, first_event: int, data_end: int, test_date: str) -> str:
    window, span = task.window_days + task.wait_days, data_end - first_event
    if span < days(2 * window):
        why = (
            f"The log holds {span // DAY} days; a test forward in time needs two windows of gap + longest "
            f"horizon ({2 * window} days) and some history before them"
        )
    else:
        why = f"By the test date {test_date} only {lacking}"
    return (
        f"{why}. The figures are for unseen customers at dates that training saw, and flatter the model if "
        "behaviour changes."
    )
