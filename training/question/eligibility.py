"""The customers that are asked about at each cutoff of a study."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.scoring.eligible import ELIGIBLE, Standing, refusals, standing
from model.task import ContractTask, LogTask
from model.values.customers import Examples
from training.question.timeline import Timeline


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


def tally(task: LogTask | ContractTask, counts: NDArray[np.int64]) -> str:
    """How many customers each refusal keeps out, such as `has left (2), not there yet (1)`.

    Args:
        counts: (1 + refusals,) as a row of `RollCall.counts`.
    """
    told = zip(refusals(task), counts[1:].tolist(), strict=True)
    return ", ".join(f"{reason} ({count:,})" for reason, count in told if count)


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
