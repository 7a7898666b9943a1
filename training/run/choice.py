"""The choice of the head and its form, by predictions of training customers that no fit had read.

A more complex model is taken only where its log loss is lower beyond noise. The test examples are not read.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.files.names import counted
from model.probability import event_by_horizon
from model.store.manifest import HeadName
from training.fit.model_fit import Fitted, ModelPlan
from training.measure.bootstrap import Difference, interval_text
from training.measure.loss_difference import loss_difference
from training.measure.measuring import display_name
from training.question.labels import LabelledExamples
from training.split.deal import RARER, Rows, n_rarer
from training.split.plan import Folds, Plan

FitModel = Callable[[ModelPlan, Folds], Fitted]

TRIAL_CUSTOMERS: Final = 4000  # that the networks of a trial read, and as many that judge them
TRIAL_EXAMPLES: Final = 10_000  # of each, at most
LEAST_GAIN: Final = 0.001  # nats in a trial that are worth a fit in all folds


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
        examples: the judged examples of the comparison of the network with the linear head.
        network: the loss of the network minus that of the linear head; None without the comparison.
        sequence: the loss with the sequence minus the loss without it, in all folds or, where that decided,
            in the trial; None for a head without one.
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


def as_named(plan: Plan, model: ModelPlan, fit: FitModel) -> Chosen:
    """Take the head of the study without a comparison."""
    sentence = f"The study names the {model.spec.head} head, which is published."
    return Chosen(Candidate(model, fit(model, plan.measured)), None, Choice(sentence))


def choose(labelled: LabelledExamples, plan: Plan, model: ModelPlan, fit: FitModel) -> Chosen:
    """Fit the linear head, the study's network and simpler forms of it, and choose.

    A sequence is kept if it is better than mlp beyond noise, the network if it is better than the linear head
    beyond noise. Of many customers a sequence is tried in one fold on some of them first, and fitted in all
    folds only if it wins there beyond noise, or by LEAST_GAIN.

    Args:
        labelled: with the labels known at the first test date.
        fit: fits a model on all or some of `plan.measured`.
    """
    spec = model.spec
    if spec.head == "linear":
        return as_named(plan, model, fit)

    def attempt(head: HeadName, folds: Folds, n_folds: int = spec.folds) -> Candidate:
        changed = replace(model, spec=spec.model_copy(update={"head": head, "folds": n_folds}))
        return Candidate(changed, fit(changed, folds))

    def compare(simple: Candidate, complex_: Candidate, folds: Folds) -> Difference:
        return _difference(labelled, plan, folds, simple, complex_)

    sequence, about_sequence = None, ""
    if spec.reads_steps and (some := _some(labelled, plan)):
        sequence = compare(attempt("mlp", some, 1), attempt(spec.head, some, 1), some)
        about_sequence = _of_trial(sequence, len(_judged(labelled, some)[0]), head=spec.head)
    linear, network = (attempt(head, plan.measured) for head in ("linear", "mlp"))
    tried = [linear, network]
    if spec.reads_steps and (sequence is None or _promising(sequence)):
        longer = attempt(spec.head, plan.measured)
        tried.append(longer)
        sequence = compare(network, longer, plan.measured)
        about_sequence = _of_sequence(sequence, head=spec.head)
        network = longer if _lower(sequence) else network
    gain = compare(linear, network, plan.measured)
    best, other = (network, linear) if _lower(gain) else (linear, network)
    n = len(_judged(labelled, plan.measured)[0])
    sentence = _of_head(gain, network.model.spec.head, n)
    trials = tuple(_trial(one) for one in tried)
    return Chosen(best, other, Choice(sentence, trials, n, gain, sequence, about_sequence))


def _some(labelled: LabelledExamples, plan: Plan) -> Folds | None:
    """Customers to be read, and customers of the first fold to judge; None where they would be too few."""
    folds, draw = plan.measured, np.random.default_rng(0)
    groups, read = plan.groups[folds.rows], folds.fold != 0

    def drawn(side: NDArray[np.bool_]) -> Rows:
        customers = draw.permutation(np.unique(groups[side]))[:TRIAL_CUSTOMERS]
        return draw.permutation(folds.rows[side & np.isin(groups, customers)])[:TRIAL_EXAMPLES]

    if len(np.unique(groups[read])) < 2 * TRIAL_CUSTOMERS:
        return None
    some = folds.among(np.concatenate([drawn(read), drawn(folds.judged & ~read)])).first
    happened = labelled.labels.outcomes[_judged(labelled, some)[0], -1]
    return some if n_rarer(happened) >= RARER else None


def _trial(tried: Candidate) -> Trial:
    spec, fitted = tried.model.spec, tried.fitted
    return Trial(spec.head, round(fitted.validation_loss, 6), round(fitted.seconds, 3))


def _difference(
    labelled: LabelledExamples, plan: Plan, folds: Folds, simple: Candidate, complex_: Candidate
) -> Difference:
    """The log loss of the second minus that of the first on the judged examples with a complete window."""
    rows, known = _judged(labelled, folds)
    happened = labelled.labels.events[rows].any(axis=1).astype(np.float64)
    before, after = (event_by_horizon(one.fitted.unseen)[known, -1] for one in (simple, complex_))
    fold = folds.fold[folds.judged][known]
    return loss_difference(happened, before, after, plan.groups[rows], fold)


def _judged(labelled: LabelledExamples, folds: Folds) -> tuple[np.ndarray, np.ndarray]:
    """The judged examples whose longest window is complete, and (J,) which of the judged they are."""
    judged = folds.rows[folds.judged]
    known = labelled.labels.complete[judged, -1]
    return judged[known], known


def _lower(difference: Difference) -> bool:
    return difference.high is not None and difference.high < 0


def _higher(difference: Difference) -> bool:
    return difference.low is not None and difference.low > 0


def _promising(trial: Difference) -> bool:
    return trial.value is None or trial.value <= -LEAST_GAIN or _lower(trial)


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


def _of_trial(difference: Difference, n: int, *, head: HeadName) -> str:
    return (
        f"The sequence was tried with fits that read {TRIAL_CUSTOMERS:,} customers. On "
        f"{counted(n, 'training example')} that they had not read, its gain is below {LEAST_GAIN} "
        f"({_text(difference)}), so its head is mlp instead of {head}."
    )


def _text(difference: Difference) -> str:
    if difference.value is None:
        return "no judged example has a complete window"
    return f"log loss {difference.value:+.4f}, {interval_text(difference.low, difference.high)}"
