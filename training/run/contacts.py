"""What contacting the likeliest customers would have reached, at the latest date of the test."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.probability import Probabilities
from model.task import LogTask
from model.times import format_instant
from training.measure.bootstrap import Floats, percentile_interval, resample_counts
from training.measure.measuring import LEVELS
from training.prepare import Prepared
from training.question.labels import Bools
from training.question.timeline import group_numbers

SHARES: Final = (0.05, 0.1, 0.2, 0.3)


@dataclass(frozen=True)
class Reach:
    """The customers with the highest probabilities.

    Attributes:
        share: of all customers of the table.
        customers, found: how many they are, and how many of them are positive.
        low, high: the 95 % interval of `found` over all positives; None where it is undefined.
        silent, silent_found: those of them who were silent, and how many of these are positive.
    """

    share: float
    customers: int
    found: int
    low: float | None
    high: float | None
    silent: int
    silent_found: int


@dataclass(frozen=True)
class Contacts:
    """The customers at one date, and what contacting the likeliest of them would have reached.

    Attributes:
        date: of the prediction; None for a table.
        customers, positives: at that date, at the longest horizon.
        silent_days: a customer without an event for as long as the longest horizon was silent; None where
            the study does not read a log for its outcome.
        silent, silent_positives: how many were, and how many of them are positive.
        everyone, active: the likeliest of all, and of those who were not silent; empty where nobody was.
    """

    date: str | None
    customers: int
    positives: int
    silent_days: int | None
    silent: int
    silent_positives: int
    everyone: tuple[Reach, ...]
    active: tuple[Reach, ...]


def reachable(prepared: Prepared, tested: Probabilities) -> Contacts:
    """Rank the customers of the latest test date by their (M, K) probabilities at the longest horizon."""
    plan, task, log = prepared.plan, prepared.task, prepared.dataset.log
    cutoffs = plan.examples.cutoffs[plan.test]
    complete = plan.labels.complete[plan.test, -1]
    latest = complete & (cutoffs == cutoffs[complete].max())
    rows, p = plan.test[latest], tested[latest, -1]
    positive, about = plan.labels.outcomes[rows, -1], plan.examples.take(rows)
    silent, silent_days = np.zeros(len(rows), dtype=bool), None
    if isinstance(task, LogTask) and log is not None:
        silent_days = task.horizons_days[-1]
        start, end = log.history(about.customers, about.cutoffs, silent_days)
        silent = start == end
    persons = group_numbers(prepared.dataset.ids)[about.customers]
    active = ~silent
    return Contacts(
        date=format_instant(int(about.cutoffs[0]), prepared.fields.time_zone) if prepared.question else None,
        customers=len(rows),
        positives=int(positive.sum()),
        silent_days=silent_days,
        silent=int(silent.sum()),
        silent_positives=int((silent & positive).sum()),
        everyone=_reach(positive, p, silent, persons),
        active=_reach(positive[active], p[active], silent[active], persons[active]) if silent.any() else (),
    )


def _reach(
    positive: Bools, probabilities: Floats, silent: Bools, persons: NDArray[np.int64]
) -> tuple[Reach, ...]:
    """The likeliest of N customers; equal probabilities are in a random order."""
    n = len(positive)
    if not positive.any():
        return ()
    order = np.lexsort((np.random.default_rng(0).permutation(n), -probabilities))
    positive, silent, persons = positive[order], silent[order], persons[order]
    resamples = np.concatenate([_found(weights, positive) for weights in resample_counts(persons, seed=0)])
    reaches = []
    for k, share in enumerate(SHARES):
        top = slice(max(1, round(share * n)))
        found = int(positive[top].sum())
        ends = percentile_interval(persons, found / int(positive.sum()), [resamples[:, k]])
        both = int((silent & positive)[top].sum())
        size = len(positive[top])
        low, high = ends or (None, None)
        reaches.append(Reach(share, size, found, low, high, int(silent[top].sum()), both))
    return tuple(reaches)


def _found(weights: Floats, positive: Bools) -> Floats:
    """(B, 4) the share of the positives among the first of each of `SHARES`, under (B, N) weightings.

    Of many customers, some neighbours are one place.
    """
    n = len(positive)
    starts = np.arange(0, n, max(1, n // LEVELS))
    place = np.cumsum(np.add.reduceat(weights, starts, axis=1), axis=1)
    found = np.cumsum(np.add.reduceat(weights * positive, starts, axis=1), axis=1)
    found = np.concatenate([np.zeros((len(found), 1)), found], axis=1)
    last = np.stack([(place <= share * place[:, -1:]).sum(axis=1) for share in SHARES], axis=1)
    with np.errstate(invalid="ignore"):  # 0 / 0 where a resample has no positives
        shares: Floats = np.take_along_axis(found, last, axis=1) / found[:, -1:]
    return shares
