"""The probe for event types that nearly determine the outcome: within the gap, or just before the cutoff."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from model.task import ContractTask, LogTask
from model.times import Instants, days
from model.values.columns import Texts
from model.values.customers import Examples
from model.values.history import EventLog
from model.values.spelling import matching
from training.audit.findings import Finding
from training.question.labels import Bools

MAX_ROWS: Final = 50_000
FEW: Final = 20  # examples that a share needs
STATED: Final = 0.95  # the share of positives among the examples with such an event
PLAIN: Final = 0.8  # the base rate above which such a share is usual
RECENT_DAYS: Final = 30
_CHANCE: Final = 1e-6


class _Span(NamedTuple):
    """A window for each example, with the advice about an event in it."""

    probe: str
    place: str
    after: Instants
    until: Instants
    advice: str


class _Seen(NamedTuple):
    """(T,) counts by event type: examples with such an event, the positive ones of them, customers."""

    examples: NDArray[np.int64]
    positive: NDArray[np.int64]
    customers: NDArray[np.int64]


def probe_event_types(
    log: EventLog, types: Texts, task: LogTask | ContractTask, examples: Examples, positive: Bools
) -> list[Finding]:
    """Find event types whose presence nearly determines a positive outcome.

    The event of the task itself does not count: that a buyer buys again is no leak.

    Args:
        types: (E,) the types of the log's events.
        examples: N training examples.
        positive: (N,) their outcome by the longest horizon.
    """
    if not len(positive) or positive.mean() > PLAIN:
        return []
    awaited = _awaited(task, types)
    probed = np.array([name not in awaited for name in types.values], dtype=bool)
    found = []
    for span in _spans(task, examples):
        seen = _seen(log, types, examples, span, positive)
        stated = np.flatnonzero(probed & _is_stated(seen, float(positive.mean())))
        found += [_finding(span, types.values[code], seen, code, positive) for code in stated.tolist()]
    return found


def _awaited(task: LogTask | ContractTask, types: Texts) -> frozenset[str]:
    """Return the types that make an outcome positive."""
    if not isinstance(task, LogTask) or task.outcome == "absent":
        return frozenset()
    return frozenset(matching(types.values, task.event_types) if task.event_types else types.values)


def _spans(task: LogTask | ContractTask, examples: Examples) -> list[_Span]:
    """Return the days before the cutoff and, if there is one, the gap."""
    cutoffs = examples.cutoffs
    before = _Span(
        "event_before",
        f"in the {RECENT_DAYS} days before the cutoff",
        cutoffs - days(RECENT_DAYS),
        cutoffs,
        "These customers have already decided at the cutoff, so predicting them is of little use. If the "
        "event is the outcome itself, name it under target.event; else raise target.gap_days.",
    )
    if not task.gap_days:
        return [before]
    within = _Span(
        "event_within",
        f"within the gap of {task.gap_days} days",
        cutoffs,
        cutoffs + days(task.gap_days),
        "The outcome is decided before its window opens: shorten target.gap_days, or name the event "
        "under target.event.",
    )
    return [before, within]


def _seen(log: EventLog, types: Texts, examples: Examples, span: _Span, positive: Bools) -> _Seen:
    offsets, events = log.histories(*log.window(examples.customers, span.after, span.until))
    n_types, codes = len(types.values), types.codes[events].astype(np.int64)
    example = np.repeat(np.arange(len(examples)), np.diff(offsets))
    example, code = np.divmod(np.unique((example * n_types + codes)[codes >= 0]), n_types)
    customers = np.unique(examples.customers[example] * n_types + code) % n_types
    counted = (code, code[positive[example]], customers)
    return _Seen(*(np.bincount(codes, minlength=n_types) for codes in counted))


def _is_stated(seen: _Seen, base_rate: float) -> Bools:
    """(T,) whether nearly all examples with such an event are positive, beyond chance."""
    odd = seen.examples - seen.positive
    by_chance = np.asarray(binom.cdf(odd, seen.customers, 1 - base_rate)) >= _CHANCE
    stated: Bools = (seen.examples >= FEW) & (seen.positive >= STATED * seen.examples) & ~by_chance
    return stated


def _finding(span: _Span, name: str, seen: _Seen, code: int, positive: Bools) -> Finding:
    n, n_positive = int(seen.examples[code]), int(seen.positive[code])
    return Finding(
        span.probe,
        "warning",
        name,
        f"{n_positive:,} of {n:,} examples with a {name!r} event {span.place} are positive "
        f"({n_positive / n:.1%}, against {positive.mean():.1%} of all {len(positive):,}).",
        span.advice,
    )
