"""The facts of an audit: the label, the types of events, the log, the customers at each cutoff, returns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from model.scoring.eligible import ELIGIBLE, Bools, refusals
from model.scoring.presence import first_after
from model.task import ColumnTask, ContractTask, LogTask
from model.times import DAY, add_days, days, format_instant, midnight
from model.values.columns import Column, Texts
from model.values.duplicates import duplicate_events
from model.values.history import EventLog
from model.values.spelling import matching
from training.question.label_column import read_label
from training.question.question import Question
from training.question.timeline import Timeline
from training.split.plan import Plan

SHOWN: Final = 5
QUIET_DAYS: Final = 3  # a gap must have more days, and more than UNUSUAL usual ones
UNUSUAL: Final = 5

Facts = dict[str, Any]


def label_facts(columns: Mapping[str, Column], task: ColumnTask) -> Facts:
    """Return the label column with its values, their rows, and the side of each."""
    return {"column": task.column, "values": [asdict(value) for value in read_label(columns, task).values]}


def event_type_facts(types: Texts, task: LogTask | ContractTask | ColumnTask) -> list[Facts]:
    """Return each type of the log with its events and the keys of the target that it counts for."""
    keys: dict[str, list[str]] = {}
    for key, names in _named(task):
        for value in matching(types.values, names):
            keys.setdefault(value, []).append(f"target.{key}")
    counts = np.bincount(types.codes[types.codes >= 0], minlength=len(types.values))
    return [
        {
            "type": types.values[code],
            "count": int(counts[code]),
            "counts_as": keys.get(types.values[code], []),
        }
        for code in np.argsort(-counts, kind="stable").tolist()
        if counts[code]
    ]


def _named(task: LogTask | ContractTask | ColumnTask) -> Iterable[tuple[str, Sequence[str]]]:
    if isinstance(task, LogTask):
        yield "event", task.event_types
    if not isinstance(task, ColumnTask):
        yield "returns", task.returns
        yield "involuntary", task.involuntary


def log_facts(log: EventLog, zone: str) -> Facts:
    """Return the number of events, their first and last time, exact duplicates, and the longest gaps."""
    return {
        "events": len(log.times),
        "first_event": format_instant(int(log.times.min()), zone),
        "last_event": format_instant(int(log.times.max()), zone),
        "duplicate_events": duplicate_events(log),
        "gaps": quiet_times(log, zone),
    }


def quiet_times(log: EventLog, zone: str) -> list[Facts]:
    """Return the longest gaps in days without any event: a shop was closed, or events are missing."""
    first, last = midnight(int(log.times.min()), zone), int(log.times.max())
    mornings = add_days(first, np.arange((last - first) // DAY + 2), zone)
    busy = np.flatnonzero(np.bincount(np.searchsorted(mornings, log.times, side="right") - 1))
    spans = np.diff(busy)
    if not len(spans):
        return []
    unusual = np.flatnonzero(spans - 1 > max(QUIET_DAYS, UNUSUAL * float(np.median(spans))))
    longest = unusual[np.argsort(-spans[unusual], kind="stable")][:SHOWN]
    return [
        {
            "after": format_instant(int(mornings[busy[i]]), zone),
            "before": format_instant(int(mornings[busy[i + 1]]), zone),
            "days": int(spans[i]) - 1,
        }
        for i in sorted(longest.tolist())
    ]


def cutoff_table(question: Question, plan: Plan, grid: tuple[int, ...], *, refit: bool) -> list[Facts]:
    """Return a row for each cutoff: role, eligible customers, positives and masked examples, refusals.

    `positives` and `rates` count complete windows, `masked` counts incomplete ones.

    Args:
        refit: whether the published model is fitted again, with cutoffs that are too late for the test.
    """
    task, labels = question.task, plan.labels
    at = np.searchsorted(np.asarray(grid), plan.examples.cutoffs)
    counts = (
        _by_cutoff(at, labels.complete, len(grid)),
        _by_cutoff(at, labels.outcomes & labels.complete, len(grid)),
    )
    learnt = _by_cutoff(at, np.any(plan.measured_labels.at_risk, axis=1, keepdims=True), len(grid))
    tested = set(plan.examples.cutoffs[plan.test].tolist())
    rows = []
    for i, cutoff in enumerate(grid):
        eligible = int(plan.standings[i, ELIGIBLE])
        complete, positive = ([int(n) for n in count[i]] for count in counts)
        known = {name: k for k, name in enumerate(task.output_names) if complete[k]}
        rows.append(
            {
                "cutoff": format_instant(cutoff, question.zone),
                "role": _role(
                    bool(learnt[i, 0]), cutoff in tested, "published model only" if refit else "none"
                ),
                "eligible": eligible,
                "positives": {name: positive[k] for name, k in known.items()},
                "rates": {name: positive[k] / complete[k] for name, k in known.items()},
                "masked": {name: eligible - complete[k] for k, name in enumerate(task.output_names)},
                "refused": {
                    reason: int(plan.standings[i, code])
                    for code, reason in enumerate(refusals(task), start=1)
                    if plan.standings[i, code]
                },
            }
        )
    return rows


def dropped(question: Question, plan: Plan) -> Facts:
    """Return the number of customers who are never eligible, and the reasons at the latest cutoff."""
    ever = np.zeros(question.timeline.n_customers, dtype=bool)
    ever[plan.examples.customers] = True
    reasons = np.bincount(plan.last_standing[~ever], minlength=1)
    named = {r: int(n) for r, n in zip(refusals(question.task), reasons[1:], strict=False) if n}
    return {"customers": int((~ever).sum()), "reasons": named}


def came_back(question: Question, plan: Plan) -> Facts | None:
    """Return how many of the customers who count as gone returned within twice the longest horizon.

    They are counted by ending, or by example where the outcome is the absence of events, and only if they
    were observed for so long. None for a task without endings.
    """
    task, timeline = question.task, question.timeline
    horizon, observed = days(task.horizons_days[-1]), question.data_end - days(task.ingestion_lag_days)
    silence = isinstance(task, LogTask) and task.outcome == "absent"
    if silence:
        closes = plan.examples.cutoffs + days(task.window_days)
        seen = plan.labels.complete[:, -1] & (closes + horizon <= observed)
        gone = np.flatnonzero(seen & plan.labels.outcomes[:, -1])
        again = first_after(timeline.targets, plan.examples.customers[gone], closes[gone])
        back = again <= closes[gone] + horizon
    elif len(timeline.seen_again):
        ended = timeline.targets.times
        gone = np.flatnonzero(_is_last(timeline) & (ended + 2 * horizon <= observed))
        back = timeline.seen_again[gone] <= ended[gone] + 2 * horizon
    else:
        return None
    return {
        "within_days": 2 * task.horizons_days[-1],
        "of": "example" if silence else "ending",
        "left": len(gone),
        "back": int(back.sum()),
        "share": float(back.mean()) if len(gone) else None,
    }


def _is_last(timeline: Timeline) -> Bools:
    """(len(targets.times),) whether an ending is that of the row itself, not of a renewal."""
    rows = timeline.targets.owners
    return np.asarray(
        timeline.gone.until(rows, timeline.targets.times)
        > timeline.gone.until(rows, timeline.targets.times - 1)
    )


def _role(learnt: bool, tested: bool, neither: str) -> str:
    return " and ".join(["train"] * learnt + ["test"] * tested) or neither


def _by_cutoff(at: np.ndarray, flags: np.ndarray, n_cutoffs: int) -> np.ndarray:
    """(T, K) sums of (N, K) flags over the examples of each cutoff."""
    return np.stack([np.bincount(at, flags[:, k], n_cutoffs) for k in range(flags.shape[1])], axis=1)
