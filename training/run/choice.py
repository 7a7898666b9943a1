"""The choice of network parts that improve the later dates: the piecewise-linear code and the sequence.

A part that helps on shuffled rows may hurt later in time. Where examples have dates, fits with and without
it are compared on out-of-fold logits.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from model.probability import event_by_horizon
from model.store.manifest import HeadName, NetworkSpec
from training.fit.model_fit import Fitted, ModelPlan
from training.measure.bootstrap import Difference, interval_text, paired_differences
from training.question.labels import LabelledExamples
from training.split.plan import Plan

TIMELESS: Final = ("rows", "groups")  # splits without dates

FitModel = Callable[[ModelPlan], Fitted]


@dataclass(frozen=True)
class Trial:
    """One of the compared fits.

    Attributes:
        validation_loss: calibrated, in nats per at-risk entry, on the judged examples of the later dates.
    """

    head: HeadName
    piecewise: bool
    validation_loss: float
    seconds: float


@dataclass(frozen=True)
class Choice:
    """The compared fits and the choice.

    Attributes:
        trials: empty where there was no choice.
        sequence: log loss with the sequence minus the loss without it, at the longest horizon; None for a
            head without a sequence.
        sentences: the choice in words.
    """

    trials: tuple[Trial, ...] = ()
    sequence: Difference | None = None
    sentences: str = ""


def choose(
    labelled: LabelledExamples, plan: Plan, model: ModelPlan, fit: FitModel
) -> tuple[ModelPlan, Fitted, Choice]:
    """Fit the study's network and simpler ones, and return the best on the later dates.

    The mlp head, which is the fastest, is fitted with and without the piecewise-linear code. A head with a
    sequence is then compared with the better of them, and kept if it is better beyond chance. The
    linear head has neither part.

    Args:
        labelled: with the labels known at the test date.
        fit: fits a model on `plan.measured`.
    """
    if plan.kind in TIMELESS or model.spec.head == "linear":
        return model, fit(model), Choice()
    spec = model.spec
    tried = [_try(model, spec.model_copy(update={"head": "mlp"}), fit)]
    if spec.piecewise:
        tried.append(_try(model, tried[0][0].spec.model_copy(update={"piecewise": False}), fit))
    best = min(tried, key=_loss)
    sentences = [_of_numbers(tried)] if spec.piecewise else []
    sequence = None
    if spec.reads_steps:
        longer = _try(model, best[0].spec.model_copy(update={"head": spec.head}), fit)
        tried.append(longer)
        sequence = _difference(labelled, plan, best[1], longer[1])
        pays = sequence.high is not None and sequence.high < 0  # a sequence costs several times as much
        sentences.append(_of_sequence(sequence, kept=pays, head=spec.head))
        best = longer if pays else best
    trials = tuple(
        Trial(r.spec.head, r.spec.piecewise, round(f.validation_loss, 6), round(f.seconds, 3))
        for r, f in tried
    )
    return *best, Choice(trials, sequence, " ".join(sentences))


def _try(model: ModelPlan, spec: NetworkSpec, fit: FitModel) -> tuple[ModelPlan, Fitted]:
    changed = replace(model, spec=spec)
    return changed, fit(changed)


def _loss(tried: tuple[ModelPlan, Fitted]) -> float:
    return tried[1].validation_loss


def _difference(labelled: LabelledExamples, plan: Plan, without: Fitted, with_it: Fitted) -> Difference:
    """The difference in log loss at the longest horizon, on the judged examples with a complete window."""
    judged = plan.measured.rows[plan.measured.judged]
    known = labelled.labels.complete[judged, -1]
    happened = labelled.labels.events[judged[known]].any(axis=1).astype(np.float64)
    before, after = (event_by_horizon(f.unseen)[known, -1] for f in (without, with_it))
    return paired_differences(happened, before, after, plan.groups[judged[known]])["log_loss"]


def _of_numbers(tried: list[tuple[ModelPlan, Fitted]]) -> str:
    coded, plain = (_loss(one) for one in tried)
    taken = "with" if coded <= plain else "without"
    return (
        f"Numbers are read {taken} a piecewise-linear code: the loss on the later dates is {coded:.4f} with "
        f"it and {plain:.4f} without."
    )


def _of_sequence(difference: Difference, *, kept: bool, head: HeadName) -> str:
    value = ""
    if difference.value is not None:
        value = f" (log loss {difference.value:+.4f}, {interval_text(difference.low, difference.high)})"
    if kept:
        return f"The sequence improves the later dates{value}, so the {head} head is kept."
    return (
        f"The sequence does not improve the later dates beyond chance{value}, so the head is mlp instead of "
        f"{head}."
    )
