"""The dates of a test: the latest complete cutoff, and earlier ones until the test is large enough."""

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.files.names import counted, listed
from model.task import WindowTask
from model.times import DAY, Instants, days, format_instant
from training.question.labels import Labels
from training.question.question import Question
from training.split.deal import RARER, n_rarer

MIN_EACH: Final = 20  # examples with and without the event by the longest horizon that a forward test needs
MIN_INTERVAL: Final = 5  # and in every interval


def complete_cutoffs(grid: list[int], question: Question) -> list[int]:
    """Return the cutoffs whose longest window is complete, ascending.

    Raises:
        DataError: none is.
    """
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
    return complete


def first_test_date(
    dates: list[int],
    cutoffs: Instants,
    labels: Labels,
    asked: NDArray[np.bool_],
    suffices: Callable[[int, int], bool],
) -> int:
    """Return the latest date from which on the test has RARER examples of the rarer outcome.

    Where none has, it is the earliest that adds to them and whose training suffices.

    Args:
        dates: the complete cutoffs, ascending.
        cutoffs: (N,) of the examples.
        labels: of the examples, known from all data.
        asked: (N,) whether a test at the example's cutoff asks about its customer.
        suffices: whether a fit with the labels known at a date suffices for a test from that date on with so
            many examples of the rarer outcome.
    """

    def rarer(since: int) -> int:
        return n_rarer(labels.outcomes[asked & (cutoffs >= since) & labels.complete[:, -1], -1])

    since = dates[-1]
    for date in reversed(dates[:-1]):
        if rarer(since) >= RARER or not suffices(date, rarer(date)):
            break
        if rarer(date) > rarer(since):
            since = date
    return since


def lacking(known: Labels, task: WindowTask) -> str | None:
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


def named_dates(cutoffs: Iterable[int], zone: str) -> str:
    """Return a date, or the number of dates with the first and the last."""
    dates = sorted(set(cutoffs))
    ends = [format_instant(t, zone) for t in (dates[0], dates[-1])]
    return ends[0] if len(dates) == 1 else f"{len(dates)} dates from {ends[0]} to {ends[1]}"
