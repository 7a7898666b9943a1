"""Who is asked about at each cutoff, how many are positive, who is left out and why, who came back."""

from typing import Any

import numpy as np

from model.scoring.eligible import ELIGIBLE, Bools, refusals
from model.scoring.presence import first_after
from model.task import LogTask
from model.times import days, format_instant
from training.question.question import Question
from training.question.timeline import Timeline
from training.split.plan import Plan

Facts = dict[str, Any]


def cutoff_table(
    question: Question, plan: Plan, grid: tuple[int, ...], zone: str, *, refit: bool
) -> list[Facts]:
    """A row for each cutoff: its role, customers, positives and masked examples by horizon, refusals.

    `positives` and `rates` are of the complete windows; `masked` counts examples whose window is not.

    Args:
        refit: whether the published model is fitted again, on cutoffs that are too late for the measured one.
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
                "cutoff": format_instant(cutoff, zone),
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
    """Customers who are asked about at no cutoff, and why at the latest of them."""
    asked = np.zeros(question.timeline.n_customers, dtype=bool)
    asked[plan.examples.customers] = True
    reasons = np.bincount(plan.last_standing[~asked], minlength=1)
    named = {r: int(n) for r, n in zip(refusals(question.task), reasons[1:], strict=False) if n}
    return {"customers": int((~asked).sum()), "reasons": named}


def came_back(question: Question, plan: Plan) -> Facts | None:
    """Of those who count as gone, how many were back within twice the longest horizon.

    They are endings or, where a silence is what counts, examples; and only those that were observed
    so long. None where the task asks about no leaving.
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
        "of": "examples" if silence else "endings",
        "left": len(gone),
        "back": int(back.sum()),
        "share": float(back.mean()) if len(gone) else None,
    }


def _is_last(timeline: Timeline) -> Bools:
    """(len(targets.times),) whether an ending is a row's own, not that of the contract that renewed it."""
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
