"""The eligible customers of a study at each cutoff."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.scoring.eligible import ELIGIBLE, Standing, refusals, standing
from model.task import ContractTask, LogTask
from model.values.customers import Examples
from training.question.timeline import Timeline


@dataclass(frozen=True)
class EligibilityCounts:
    """The eligibility of C customers at T cutoffs.

    Attributes:
        examples: the eligible (customer, cutoff) pairs, cutoff by cutoff.
        counts: (T, 1 + refusals) customers of each standing.
        last: (C,) the standing at the last cutoff.
    """

    examples: Examples
    counts: NDArray[np.int64]
    last: Standing


def count_eligible(
    timeline: Timeline, task: LogTask | ContractTask, cutoffs: Sequence[int]
) -> EligibilityCounts:
    """Return the eligible customers and the refusals at T cutoffs."""
    customers = np.arange(timeline.n_customers, dtype=np.int64)
    last = np.zeros(len(customers), dtype=np.int8)
    parts, counts = [customers[:0]], []
    for cutoff in cutoffs:
        at_cutoff = Examples(customers, np.full(len(customers), cutoff, dtype=np.int64))
        last = standing(timeline, task, at_cutoff)
        parts.append(np.flatnonzero(last == ELIGIBLE))
        counts.append(np.bincount(last, minlength=1 + len(refusals(task))))
    sizes = [len(part) for part in parts[1:]]
    examples = Examples(np.concatenate(parts), np.repeat(np.asarray(cutoffs, dtype=np.int64), sizes))
    return EligibilityCounts(examples, np.array(counts, dtype=np.int64), last)


def tally(task: LogTask | ContractTask, counts: NDArray[np.int64]) -> str:
    """Spell the number of customers of each refusal, such as `has left (2), not yet a customer (1)`.

    Args:
        counts: (1 + refusals,) as a row of `EligibilityCounts.counts`.
    """
    named = zip(refusals(task), counts[1:].tolist(), strict=True)
    return ", ".join(f"{reason} ({count:,})" for reason, count in named if count)
