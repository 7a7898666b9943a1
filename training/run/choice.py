"""The choice of the head and its form, by predictions of training customers that no fit had read.

A more complex model is taken only where its log loss is lower beyond noise. The test examples are not read.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from model.files.names import counted
from model.probability import event_by_horizon
from model.store.manifest import HeadName
from training.fit.model_fit import Fitted, ModelPlan
from training.measure.bootstrap import Difference, interval_text
from training.measure.loss_difference import loss_difference
from training.measure.measuring import display_name
from training.question.labels import LabelledExamples
from training.split.plan import Plan

FitModel = Callable[[ModelPlan], Fitted]


@dataclass(frozen=True)
class Candidate:
    """A model and its fit on `Plan.measured`."""

    model: ModelPlan
    fitted: Fitted


@dataclass(frozen=True)
class Trial:
    """One of the compared fits.

    Attributes:
        validation_loss: calibrated, in nats per at-risk entry, on the judged examples.
    """

    head: HeadName
    validation_loss: float
    seconds: float


@dataclass(frozen=True)
class Choice:
    """The compared fits and the choice. Differences are in log loss at the longest horizon.

    Attributes:
        sentence: which head is published, and why.
        trials: empty where nothing was compared.
        examples: the judged examples of the comparisons.
        network: the loss of the network minus that of the linear head; None without the comparison.
        sequence: the loss with the sequence minus the loss without it; None for a head without one.
        sequence_sentence: whether the network reads the sequence, and why; empty for a head without one.
    """

    sentence: str
    trials: tuple[Trial, ...] = ()
    examples: int = 0
    network: Difference | None = None
    sequence: Difference | None = None
    sequence_sentence: str = ""


@dataclass(frozen=True)
class Chosen:
    """The model to publish, and the better of those that were not chosen; None without a comparison."""

    best: Candidate
    other: Candidate | None
    choice: Choice


def as_named(model: ModelPlan, fit: FitModel) -> Chosen:
    """Take the head of the study without a comparison."""
    sentence = f"The study names the {model.spec.head} head, which is published."
    return Chosen(Candidate(model, fit(model)), None, Choice(sentence))


def choose(labelled: LabelledExamples, plan: Plan, model: ModelPlan, fit: FitModel) -> Chosen:
    """Fit the linear head, the study's network and simpler forms of it, and choose.

    A sequence is kept if it is better than mlp beyond noise, the network if it is better than the linear head
    beyond noise.

    Args:
        labelled: with the labels known at the first test date.
        fit: fits a model on `plan.measured`.
    """
    spec = model.spec
    if spec.head == "linear":
        return as_named(model, fit)

    def attempt(head: HeadName) -> Candidate:
        changed = replace(model, spec=spec.model_copy(update={"head": head}))
        return Candidate(changed, fit(changed))

    linear, network = attempt("linear"), attempt("mlp")
    tried, sequence, about_sequence = [linear, network], None, ""
    if spec.reads_steps:
        longer = attempt(spec.head)
        tried.append(longer)
        sequence = _difference(labelled, plan, network, longer)
        about_sequence = _of_sequence(sequence, head=spec.head)
        network = longer if _lower(sequence) else network
    gain = _difference(labelled, plan, linear, network)
    best, other = (network, linear) if _lower(gain) else (linear, network)
    n = len(_judged(labelled, plan)[0])
    sentence = _of_head(gain, network.model.spec.head, n)
    trials = tuple(_trial(one) for one in tried)
    return Chosen(best, other, Choice(sentence, trials, n, gain, sequence, about_sequence))


def _trial(tried: Candidate) -> Trial:
    spec, fitted = tried.model.spec, tried.fitted
    return Trial(spec.head, round(fitted.validation_loss, 6), round(fitted.seconds, 3))


def _difference(labelled: LabelledExamples, plan: Plan, simple: Candidate, complex_: Candidate) -> Difference:
    """The log loss of the second minus that of the first on the judged examples with a complete window."""
    rows, known = _judged(labelled, plan)
    happened = labelled.labels.events[rows].any(axis=1).astype(np.float64)
    before, after = (event_by_horizon(one.fitted.unseen)[known, -1] for one in (simple, complex_))
    fold = plan.measured.fold[plan.measured.judged][known]
    return loss_difference(happened, before, after, plan.groups[rows], fold)


def _judged(labelled: LabelledExamples, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """The judged examples whose longest window is complete, and (J,) which of the judged they are."""
    judged = plan.measured.rows[plan.measured.judged]
    known = labelled.labels.complete[judged, -1]
    return judged[known], known


def _lower(difference: Difference) -> bool:
    return difference.high is not None and difference.high < 0


def _higher(difference: Difference) -> bool:
    return difference.low is not None and difference.low > 0


def _of_head(gain: Difference, head: HeadName, n: int) -> str:
    on = f"on {counted(n, 'training example')} that the fits had not read"
    network, linear = f"the {display_name(head)}", display_name("linear")
    if _lower(gain):
        return f"The published model is {network}: {on}, it is better than {linear} ({_text(gain)})."
    than = "worse" if _higher(gain) else "no better beyond noise"
    return f"The published model is {linear}: {on}, {network} is {than} ({_text(gain)})."


def _of_sequence(difference: Difference, *, head: HeadName) -> str:
    if _lower(difference):
        return f"The sequence improves the network ({_text(difference)}), so its head is {head}."
    return (
        f"The sequence does not improve the network beyond noise ({_text(difference)}), so its head is mlp "
        f"instead of {head}."
    )


def _text(difference: Difference) -> str:
    if difference.value is None:
        return "no judged example has a complete window"
    return f"log loss {difference.value:+.4f}, {interval_text(difference.low, difference.high)}"
