"""The plan of a study with windows: several cutoffs a customer, tested on other customers at later dates."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.task import ContractTask, LogTask
from model.times import DAY, days, format_instant
from model.values.customers import Examples
from training.question.eligibility import EligibilityCounts, count_eligible, tally
from training.question.labels import Labels, compile_labels
from training.question.question import Question
from training.question.timeline import group_numbers
from training.split.dates import complete_cutoffs, first_test_date, lacking, named_dates
from training.split.deal import TEST_SHARES, deal, deal_folds, hash_shares, n_rarer, test_share
from training.split.plan import Folds, HeldOut, Plan, ShuffledSplit, SplitKind
from training.study.sections import SplitOptions


def plan_log(
    ids: Sequence[str], question: Question, options: SplitOptions, *, grid: list[int], folds: int
) -> Plan:
    """Compile labels at every cutoff, and deal customers and dates.

    The test examples are all customers at the latest cutoff whose longest window is complete, and at as many
    earlier ones as RARER examples of the rarer outcome take; a stated `test_fraction` keeps it at the latest.
    Training labels are cut at the first date of the test: intervals that are known only later are masked, and
    training keeps at least as many examples of the rarer outcome as the test has. A share of the customers is
    held out of training; the fold of each other customer says which network never read him. Where too little
    was known by the latest date, the test has the held-out customers only, and training has the same dates.

    Args:
        ids: N texts that name the customers of the timeline, or the groups that they belong to.
        grid: the cutoffs, ascending.
        folds: of a fit.

    Raises:
        DataError: no cutoff is complete, no customer is eligible, or all outcomes are equal.
    """
    timeline, task, data_end = question.timeline, question.task, question.data_end
    complete = complete_cutoffs(grid, question)
    eligible = count_eligible(timeline, task, grid)
    _check_eligible(eligible, task, format_instant(grid[-1], question.zone))
    examples = eligible.examples
    cutoffs = examples.cutoffs

    def known_by(date: int) -> Labels:
        return compile_labels(timeline, task, examples, data_end=date)

    labels, known = known_by(data_end), known_by(complete[-1])
    seed = options.seed
    places = hash_shares(ids, seed=seed, purpose="test")[examples.customers]
    share = TEST_SHARES[0] if options.test_fraction is None else options.test_fraction
    lacks = lacking(known.take(places >= share), task)
    kind: SplitKind = "customers" if lacks else "forward"
    if lacks:
        last, whole = labels.outcomes[:, -1], (cutoffs == complete[-1]) & labels.complete[:, -1]
        share = test_share(options.test_fraction, lambda share: n_rarer(last[whole & (places < share)]))
    held_out = places < share

    def suffices(date: int, n_tested: int) -> bool:
        if lacks:
            return True  # training has the same dates
        read = known_by(date).take(~held_out)
        enough = n_rarer(read.outcomes[read.complete[:, -1], -1]) >= n_tested
        return enough and lacking(read, task) is None

    asked = held_out | (kind == "forward")
    since = complete[-1]
    if options.test_fraction is None:
        since = first_test_date(complete, cutoffs, labels, asked, suffices)
        known = known if since == complete[-1] else known_by(since)
    measured_labels = labels if lacks else known
    tested = asked & (cutoffs >= since) & (cutoffs <= complete[-1]) & labels.complete.any(axis=1)
    _check_outcomes(labels, task)
    groups = group_numbers(ids)[examples.customers]
    happened = np.asarray(labels.events.any(axis=1), dtype=np.int64)
    fold_places = hash_shares(ids, seed=seed, purpose="fold")[examples.customers]
    fold = deal_folds(groups, happened, folds, fold_places)
    measured = _folds(fold, examples, measured_labels, ~held_out)
    read = np.isin(groups, groups[measured.rows])
    test = np.flatnonzero(tested)
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
        sentence=_sentence(kind, [t for t in complete if t >= since], question.zone),
        held_out=HeldOut(
            kind=kind,
            group=options.group,
            seed=seed,
            below=share,
            since=float(since),
        ),
        standings=eligible.counts,
        last_standing=eligible.last,
        warnings=(_not_forward(lacks, question, complete[-1]),) if lacks else (),
    )


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


def _sentence(kind: SplitKind, dates: list[int], zone: str) -> str:
    at = named_dates(dates, zone)
    if kind == "forward":
        return (
            f"tested at {at} on all customers, each with a network that never read this customer; all "
            f"training labels were known by {format_instant(dates[0], zone)}"
        )
    return f"tested at {at} on customers unseen in training; training has the same dates"


def _not_forward(lacks: str, question: Question, test_date: int) -> str:
    window, span = question.task.window_days + question.task.wait_days, question.data_end - question.first
    if span < days(2 * window):
        why = (
            f"The data span {span // DAY} days. A test forward in time needs two windows of gap + longest "
            f"horizon ({2 * window} days) and some history before them"
        )
    else:
        why = f"By the test date {format_instant(test_date, question.zone)}, only {lacks}"
    return (
        f"{why}. The figures are for unseen customers at dates that training has too: they are too good if "
        "behaviour changes over time."
    )
