"""The plan of a study with windows: several cutoffs a customer, tested on other customers at a later date."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.files.names import counted, listed
from model.task import ContractTask, LogTask, WindowTask
from model.times import DAY, days, format_instant
from model.values.customers import Examples
from training.question.eligibility import EligibilityCounts, count_eligible, tally
from training.question.labels import Labels, compile_labels
from training.question.question import Question
from training.question.timeline import group_numbers
from training.split.deal import TEST_SHARES, deal, deal_folds, hash_shares, n_rarer, test_share
from training.split.plan import Folds, HeldOut, Plan, ShuffledSplit, SplitKind
from training.study.sections import SplitOptions

MIN_EACH: Final = 20  # examples with and without the event by the longest horizon that a forward test needs
MIN_INTERVAL: Final = 5  # and in every interval


def plan_log(
    ids: Sequence[str], question: Question, options: SplitOptions, *, grid: list[int], folds: int
) -> Plan:
    """Compile labels at every cutoff, and deal customers and dates.

    The test examples are all customers at the latest cutoff whose longest window is complete. Training
    labels are cut at that date: intervals that are known only later are masked. A share of the customers is
    held out of training; the fold of each other customer says which network never read him. Where too little
    was known by then, the test has the held-out customers only, and training has the same dates.

    Args:
        ids: N texts that name the customers of the timeline, or the groups that they belong to.
        grid: the cutoffs, ascending.
        folds: of a fit.

    Raises:
        DataError: no cutoff is complete, no customer is eligible, or all outcomes are equal.
    """
    timeline, task, data_end = question.timeline, question.task, question.data_end
    test_date = _test_date(grid, question)
    eligible = count_eligible(timeline, task, grid)
    _check_eligible(eligible, task, format_instant(grid[-1], question.zone))
    examples = eligible.examples
    labels = compile_labels(timeline, task, examples, data_end=data_end)
    known = compile_labels(timeline, task, examples, data_end=min(test_date, data_end))
    seed = options.seed
    tested = (examples.cutoffs == test_date) & labels.complete.any(axis=1)
    places = hash_shares(ids, seed=seed, purpose="test")[examples.customers]
    share = TEST_SHARES[0] if options.test_fraction is None else options.test_fraction
    lacking = _lacking(known.take(places >= share), task)
    kind: SplitKind = "customers" if lacking else "forward"
    if lacking:
        last, whole = labels.outcomes[:, -1], tested & labels.complete[:, -1]
        share = test_share(options.test_fraction, lambda share: n_rarer(last[whole & (places < share)]))
    held_out = places < share
    measured_labels = known if kind == "forward" else labels
    _check_outcomes(labels, task)
    date = format_instant(test_date, question.zone)
    groups = group_numbers(ids)[examples.customers]
    happened = np.asarray(labels.events.any(axis=1), dtype=np.int64)
    fold_places = hash_shares(ids, seed=seed, purpose="fold")[examples.customers]
    fold = deal_folds(groups, happened, folds, fold_places)
    measured = _folds(fold, examples, measured_labels, ~held_out)
    read = np.isin(groups, groups[measured.rows])
    test = np.flatnonzero(tested & (held_out | (kind == "forward")))
    return Plan(
        examples=examples,
        groups=groups,
        labels=labels,
        measured=measured,
        measured_labels=measured_labels,
        test=test,
        test_fold=np.where(read, fold, -1)[test],
        shuffled=_shuffled(labels, share, folds, seed),
        final=_folds(fold, examples, labels, np.ones(len(examples), dtype=bool)),
        kind=kind,
        sentence=_sentence(kind, date),
        held_out=HeldOut(
            kind=kind,
            group=options.group,
            seed=seed,
            below=share,
            since=float(min(test_date, data_end)),
        ),
        standings=eligible.counts,
        last_standing=eligible.last,
        warnings=(_not_forward(lacking, question, date),) if lacking else (),
    )


def _test_date(grid: list[int], question: Question) -> int:
    task, first, data_end, zone = question.task, question.first, question.data_end, question.zone
    needed = task.window_days + task.wait_days
    complete = [t for t in grid if t + days(needed) <= data_end]
    if not complete:
        latest = data_end - days(needed)
        remedy = (
            "Shorten horizons_days, or set target.cutoffs.first and last for a cutoff at or before "
            f"{format_instant(latest, zone)}."
            if latest > first
            else f"Shorten horizons_days: the data span {(data_end - first) // DAY} days."
        )
        wait = f" + {task.wait_days} days of waiting" if task.wait_days else ""
        shown = listed([format_instant(t, zone) for t in grid]) if grid else "none"
        raise DataError(
            f"a cutoff must have {needed} observed days after it (gap + longest horizon{wait}), got data "
            f"from {format_instant(first, zone)} to {format_instant(data_end, zone)} and the cutoffs "
            f"{shown}. {remedy}"
        )
    return complete[-1]


def _lacking(known: Labels, task: WindowTask) -> str | None:
    """Return what the labels known at the test date lack for a fit, with the remedy; None if nothing."""
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
                f"{counted(n_events, 'example')} with and {n_others:,} without the event were known {where}; "
                f"a test forward in time needs {needed} of each: {remedy}, "
                "add customers, or set target.cutoffs"
            )
    return None


def _check_eligible(eligible: EligibilityCounts, task: LogTask | ContractTask, latest: str) -> None:
    if not len(eligible.examples):
        raise DataError(
            f"a customer must be eligible at a cutoff, got none; not eligible at {latest}: "
            f"{tally(task, eligible.counts[-1])}. Loosen target.eligible_within_days or target.eligible, or "
            "set target.cutoffs."
        )


def _check_outcomes(labels: Labels, task: LogTask | ContractTask) -> None:
    positives = labels.outcomes[labels.complete[:, -1], -1]
    if not len(positives):
        raise DataError(
            f"the window of {task.horizons_days[-1]} days must be complete for some examples, got none of "
            f"{len(labels):,}. Shorten horizons_days, or set target.cutoffs."
        )
    if positives.all() or not positives.any():
        read = "event, outcome" if isinstance(task, LogTask) else "ends"
        raise DataError(
            f"the examples must have both outcomes, got {len(positives):,} complete examples of which "
            f"{'all' if positives.all() else 'none'} are positive at {task.horizons_days[-1]} days. "
            f"Check target.{read} and horizons_days."
        )


def _folds(fold: NDArray[np.int64], examples: Examples, labels: Labels, allowed: NDArray[np.bool_]) -> Folds:
    """Return the allowed examples with known labels; the later dates are judged."""
    rows = allowed & labels.at_risk.any(axis=1)
    return Folds(np.flatnonzero(rows), fold[rows], _late(examples, labels, rows)[rows])


def _shuffled(labels: Labels, share: float, folds: int, seed: int) -> ShuffledSplit:
    """Deal the examples one by one."""
    rows = np.flatnonzero(labels.at_risk.any(axis=1) & labels.complete.any(axis=1))
    alone, places = np.arange(len(rows)), np.random.default_rng(seed).random(len(rows))
    strata = np.asarray(labels.events[rows].any(axis=1), dtype=np.int64)
    test, train = deal(alone, strata, (share,), places)
    fold = deal_folds(alone[train], strata[train], folds, np.random.default_rng([seed, 1]).random(len(train)))
    return ShuffledSplit(Folds(rows[train], fold, np.ones(len(train), dtype=bool)), rows[test])


def _late(examples: Examples, labels: Labels, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N,) the rows from the middle of the complete cutoffs on: they are closest to the dates of use."""
    complete = np.unique(examples.cutoffs[rows & labels.complete[:, -1]])
    return rows & (examples.cutoffs >= complete[len(complete) // 2]) if len(complete) else rows


def _sentence(kind: SplitKind, date: str) -> str:
    if kind == "forward":
        return (
            f"tested at {date} on all customers, each with a network that never read this customer; all "
            f"training labels were known by {date}"
        )
    return f"tested at {date} on customers unseen in training; training has the same dates"


def _not_forward(lacking: str, question: Question, test_date: str) -> str:
    window, span = question.task.window_days + question.task.wait_days, question.data_end - question.first
    if span < days(2 * window):
        why = (
            f"The data span {span // DAY} days. A test forward in time needs two windows of gap + longest "
            f"horizon ({2 * window} days) and some history before them"
        )
    else:
        why = f"By the test date {test_date}, only {lacking}"
    return (
        f"{why}. The figures are for unseen customers at dates that training has too: they are too good if "
        "behaviour changes over time."
    )
