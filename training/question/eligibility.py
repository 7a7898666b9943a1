"""Who is asked about at a cutoff, from what was known by then."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.task import ContractTask, LogTask
from model.times import MISSING_TIME, Instants, days
from model.values.customers import Examples
from training.question.timeline import NEVER, Timeline

ELIGIBLE: Final = 0  # else a position in `refusals`, from 1

Bools = NDArray[np.bool_]
Standing = NDArray[np.int8]


@dataclass(frozen=True)
class RollCall:
    """The standing of C customers at T cutoffs.

    Attributes:
        examples: who is eligible, cutoff by cutoff.
        counts: (T, 1 + refusals) customers of each standing.
        last: (C,) the standing at the last cutoff.
    """

    examples: Examples
    counts: NDArray[np.int64]
    last: Standing


def refusals(task: LogTask | ContractTask) -> tuple[str, ...]:
    """Why a customer is not asked about, in the order of the rules; the first that fits is told."""
    return (
        "not there yet",
        "has left",
        f"no event within {task.eligible_within_days} days",
        f"fewer than {task.eligible.min_events} events",
        f"less than {task.eligible.min_history_days} days of history",
        f"more than {task.eligible.max_history_days} days of history",
    )


def tally(task: LogTask | ContractTask, counts: NDArray[np.int64]) -> str:
    """How many customers each refusal keeps out, such as `has left (2), not there yet (1)`.

    Args:
        counts: (1 + refusals,) as a row of `RollCall.counts`.
    """
    told = zip(refusals(task), counts[1:].tolist(), strict=True)
    return ", ".join(f"{reason} ({count:,})" for reason, count in told if count)


def standing(timeline: Timeline, task: LogTask | ContractTask, examples: Examples) -> Standing:
    """(N,) ELIGIBLE, or which of the `refusals` applies, counted from 1."""
    customers, cutoffs = examples.customers, examples.cutoffs
    began, (n_events, last) = _began(timeline, customers), _past(timeline, examples)
    rules = [began > cutoffs, _has_left(timeline, examples)]
    rules.append(_is_silent(task, last, cutoffs))
    rules.append(n_events < task.eligible.min_events)
    rules.append(began > cutoffs - days(task.eligible.min_history_days))
    most = task.eligible.max_history_days
    rules.append(np.zeros(len(examples), dtype=bool) if most is None else began < cutoffs - days(most))
    return np.select(rules, range(1, len(rules) + 1), ELIGIBLE).astype(np.int8)


def eligible(timeline: Timeline, task: LogTask | ContractTask, examples: Examples) -> Bools:
    """(N,) whether the customer is asked about at the cutoff."""
    return np.equal(standing(timeline, task, examples), ELIGIBLE)


def eligible_examples(timeline: Timeline, task: LogTask | ContractTask, cutoffs: Sequence[int]) -> Examples:
    """Every eligible (customer, cutoff), cutoff by cutoff."""
    return roll_call(timeline, task, cutoffs).examples


def roll_call(timeline: Timeline, task: LogTask | ContractTask, cutoffs: Sequence[int]) -> RollCall:
    """Everybody's standing at T cutoffs."""
    everyone = np.arange(timeline.n_customers, dtype=np.int64)
    last = np.zeros(len(everyone), dtype=np.int8)
    parts, counts = [everyone[:0]], []
    for cutoff in cutoffs:
        asked = Examples(everyone, np.full(len(everyone), cutoff, dtype=np.int64))
        last = standing(timeline, task, asked)
        parts.append(np.flatnonzero(last == ELIGIBLE))
        counts.append(np.bincount(last, minlength=1 + len(refusals(task))))
    sizes = [len(part) for part in parts[1:]]
    examples = Examples(np.concatenate(parts), np.repeat(np.asarray(cutoffs, dtype=np.int64), sizes))
    return RollCall(examples, np.array(counts, dtype=np.int64), last)


def _began(timeline: Timeline, customers: NDArray[np.int64]) -> Instants:
    """(N,) the start of the contract, else the first event; NEVER for neither."""
    if timeline.starts is not None:
        return timeline.starts[customers]
    assert timeline.log is not None
    first, end = timeline.log.offsets[customers], timeline.log.offsets[customers + 1]
    return timeline.log.times_at(first, end > first, NEVER)


def _has_left(timeline: Timeline, examples: Examples) -> Bools:
    """(N,) whether the last ending up to the cutoff was not followed by a return up to the cutoff."""
    gone = timeline.gone
    if not len(gone.times):
        return np.zeros(len(examples), dtype=bool)
    end = gone.until(examples.customers, examples.cutoffs)
    ended = np.greater(end, gone.offsets[examples.customers])
    return np.asarray(ended & (timeline.back[np.where(ended, end - 1, 0)] > examples.cutoffs))


def _is_silent(task: LogTask | ContractTask, last: Instants, cutoffs: Instants) -> Bools:
    if task.eligible_within_days is None:
        return np.zeros(len(cutoffs), dtype=bool)
    return np.less_equal(last, cutoffs - days(task.eligible_within_days))


def _past(timeline: Timeline, examples: Examples) -> tuple[NDArray[np.int64], Instants]:
    """(N,) the events up to the cutoff, and the last of them; nobody is silent where there is no log."""
    if timeline.log is None:
        return np.zeros(len(examples), dtype=np.int64), np.full(len(examples), NEVER)
    end = timeline.log.until(examples.customers, examples.cutoffs)
    n_events = end - timeline.log.offsets[examples.customers]
    return n_events, timeline.log.times_at(end - 1, n_events > 0, MISSING_TIME)
