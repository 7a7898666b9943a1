"""Parts of a network that are kept only if they pay, judged on examples that the networks had not read.

What helps on shuffled rows may hurt later in time (piecewise-linear numbers), and what costs most may
add nothing (sequences beside aggregates). Where the examples have dates, both are tried.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from model.probability import event_by_horizon
from model.store.manifest import HeadName, NetworkSpec
from training.fit.model_fit import Fitted, Reading
from training.measure.bootstrap import Difference, paired_differences
from training.question.examples import Asked
from training.split.plan import Plan

TIMELESS: Final = ("rows", "groups")  # splits without dates

FitReading = Callable[[Reading], Fitted]


@dataclass(frozen=True)
class Trial:
    """One fit that was tried.

    Attributes:
        validation_loss: calibrated, in nats per at-risk entry, on the judged examples of the later dates.
    """

    head: HeadName
    piecewise: bool
    validation_loss: float
    seconds: float


@dataclass(frozen=True)
class Choice:
    """What was tried and taken.

    Attributes:
        trials: empty where nothing was to be chosen.
        sequence: log loss with the sequence minus that without, at the longest horizon; None where the
            head reads none.
        sentences: all of it in words.
    """

    trials: tuple[Trial, ...] = ()
    sequence: Difference | None = None
    sentences: str = ""


def choose(asked: Asked, plan: Plan, reading: Reading, fit: FitReading) -> tuple[Reading, Fitted, Choice]:
    """Fit what the study asks for and what is simpler, and take what is best on the later dates.

    Numbers are tried with and without their piecewise-linear code, on the mlp head, which is the
    quickest; then a head that reads sequences is tried against it, and kept if it is better beyond chance.

    Args:
        asked: with the labels known at the test date.
        fit: fits a reading on `plan.measured`.
    """
    if plan.kind in TIMELESS:
        return reading, fit(reading), Choice()
    spec = reading.spec
    tried = [_try(reading, spec.model_copy(update={"head": "mlp"}), fit)]
    if spec.piecewise:
        tried.append(_try(reading, tried[0][0].spec.model_copy(update={"piecewise": False}), fit))
    best = min(tried, key=_loss)
    sentences = [_of_numbers(tried)] if spec.piecewise else []
    sequence = None
    if spec.reads_steps:
        longer = _try(reading, best[0].spec.model_copy(update={"head": spec.head}), fit)
        tried.append(longer)
        sequence = _difference(asked, plan, best[1], longer[1])
        pays = sequence.high is not None and sequence.high < 0  # it costs several times as much
        sentences.append(_of_sequence(sequence, kept=pays, head=spec.head))
        best = longer if pays else best
    trials = tuple(
        Trial(r.spec.head, r.spec.piecewise, round(f.validation_loss, 6), round(f.seconds, 3))
        for r, f in tried
    )
    return *best, Choice(trials, sequence, " ".join(sentences))


def _try(reading: Reading, spec: NetworkSpec, fit: FitReading) -> tuple[Reading, Fitted]:
    changed = replace(reading, spec=spec)
    return changed, fit(changed)


def _loss(tried: tuple[Reading, Fitted]) -> float:
    return tried[1].validation_loss


def _difference(asked: Asked, plan: Plan, without: Fitted, with_it: Fitted) -> Difference:
    """Of the log loss at the longest horizon, on the judged examples whose window is complete."""
    judged = plan.measured.rows[plan.measured.judged]
    known = asked.labels.complete[judged, -1]
    happened = asked.labels.events[judged[known]].any(axis=1).astype(np.float64)
    before, after = (event_by_horizon(f.unseen)[known, -1] for f in (without, with_it))
    return paired_differences(happened, before, after, plan.groups[judged[known]])["log_loss"]


def _of_numbers(tried: list[tuple[Reading, Fitted]]) -> str:
    coded, plain = (_loss(one) for one in tried)
    taken = "with" if coded <= plain else "without"
    return (
        f"Numbers are read {taken} a piecewise-linear code: on the later dates the loss was {coded:.4f} with "
        f"it and {plain:.4f} without."
    )


def _of_sequence(difference: Difference, *, kept: bool, head: HeadName) -> str:
    told = "" if difference.value is None else f" (log loss {difference.value:+.4f}{_between(difference)})"
    if kept:
        return f"The sequence pays on the later dates{told}, so the {head} head is kept."
    return (
        f"The sequence adds nothing beyond chance to the columns and aggregates on the later dates{told}, so "
        f"the network is an mlp, although the study asks for {head}."
    )


def _between(difference: Difference) -> str:
    if difference.low is None or difference.high is None:
        return ""
    return f", 95 % interval {difference.low:+.4f} to {difference.high:+.4f}"
