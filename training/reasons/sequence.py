"""What a head that reads events reads of them: how much a logit changes without some of them (occlusion)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.features.inputs import Inputs, Steps
from model.scorer import Scorer

AGES_DAYS: Final = (0.0, 7.0, 30.0, 90.0, 365.0, np.inf)


@dataclass(frozen=True)
class Part:
    """The events of one type, or of an age.

    Attributes:
        change: the mean size of the change of a logit without them.
        share: of the events that the head reads.
    """

    events: str
    change: float
    share: float


def sequence_effects(scorer: Scorer, own: Inputs) -> list[Part]:
    """Return the parts of the events of some examples; none for a head that reads no events."""
    steps = own.steps
    if steps is None or steps.ages is None or scorer.schema.events is None:
        return []
    owner = np.repeat(np.arange(len(own)), steps.ends - steps.starts)
    events = np.concatenate([np.arange(a, b) for a, b in zip(steps.starts, steps.ends, strict=True)])
    ages = steps.ages[1][owner] - steps.ages[0][events]
    before = _logits(scorer, own)
    found = []
    for name, dropped in _parts(scorer, steps.categories[events], ages):
        if dropped.any():
            left = Inputs(own.numeric, own.categories, _without(steps, owner, events, dropped))
            change = float(np.abs(_logits(scorer, left) - before).mean())
            found.append(Part(name, round(change, 6), round(float(dropped.mean()), 4)))
    return found


def _parts(
    scorer: Scorer, codes: NDArray[np.int64], ages: NDArray[np.float64]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    assert scorer.schema.events
    kind = scorer.schema.events.type
    for code, name in enumerate(kind.vocabulary if kind else (), start=2):
        yield name, codes[:, 0] == code
    for youngest, oldest in pairwise(AGES_DAYS):
        text = f"{youngest:g} to {oldest:g} days old" if oldest < np.inf else f"over {youngest:g} days old"
        yield text, (ages >= youngest) & (ages < oldest)


def _without(
    steps: Steps, owner: NDArray[np.int64], events: NDArray[np.int64], dropped: NDArray[np.bool_]
) -> Steps:
    """The same sequences without some of their events."""
    assert steps.ages
    kept = events[~dropped]
    ends = np.cumsum(np.bincount(owner[~dropped], minlength=len(steps.starts)))
    starts = np.concatenate([[0], ends[:-1]])
    ages = (steps.ages[0][kept], steps.ages[1])
    return Steps(steps.numbers[kept], steps.categories[kept], starts, ends, ages)


def _logits(scorer: Scorer, inputs: Inputs) -> NDArray[np.float64]:
    logits: NDArray[np.float64] = scorer.horizon_logits(scorer.logits(inputs))[:, -1]
    return logits
