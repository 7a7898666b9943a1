"""The verdict: the published model against the best baseline, on the test."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from model.files.names import counted
from training.measure.bootstrap import Difference, interval_text, paired_differences
from training.measure.measuring import BASE_RATE, MODEL, display_name

Outcome = Literal["beats", "equals", "trails"]

LIKELY_BY_CHANCE: Final = 3.0  # expected examples of an outcome, of which none occurs in 1 of 20 tests


@dataclass(frozen=True)
class Verdict:
    """The measured model against the best baseline, at the longest horizon.

    Attributes:
        outcome: "equals" where chance may explain the difference, or the test has one outcome only.
        against: the baseline with the lowest log loss.
        log_loss, auc: the model's measure minus the baseline's, on the same customers.
        sentences: the verdict in words.
        fault: why the model must not go into service; empty if it may.
    """

    outcome: Outcome
    against: str
    log_loss: Difference
    auc: Difference
    sentences: str
    fault: str = ""


def judge(
    labels: NDArray[np.float64],
    probabilities: Mapping[str, NDArray[np.float64]],
    metrics: Mapping[str, Mapping[str, Any]],
    groups: NDArray[np.int64],
    *,
    published: str = "",
    check: str = "the label and the split",
) -> Verdict:
    """Compare on the same test customers, by a paired bootstrap.

    A model is at fault where the test has one outcome only, or the base rate is better beyond chance.

    Args:
        labels: (N,) of 0 and 1.
        probabilities: (N,) by model: MODEL, BASE_RATE and the other baselines.
        metrics: of each of them on these labels.
        groups: (N,) the customer of each example.
        published: a sentence about the published head, which comes first.
        check: what to look at in the data if the model is at fault.
    """
    against = min((name for name in probabilities if name != MODEL), key=lambda n: metrics[n]["log_loss"])
    model, best = probabilities[MODEL], probabilities[against]
    differences = paired_differences(labels, best, model, groups, names=("log_loss", "auc"))
    loss, auc = differences["log_loss"], differences["auc"]
    expected = float(probabilities[BASE_RATE].mean())
    if auc.value is None:  # with one outcome, a constant has the lowest loss
        fault = _one_outcome(labels, expected, check)
        return Verdict("equals", against, loss, auc, _joined(fault, published), fault)
    outcome = _outcome(loss)
    sentences = _joined(
        published,
        _sentences(outcome, against, loss, metrics),
        _tie(auc, outcome, against, metrics, probabilities),
    )
    constant = probabilities[BASE_RATE]
    rate = paired_differences(labels, constant, model, groups, names=["log_loss"])["log_loss"]
    if _outcome(rate) != "trails":
        return Verdict(outcome, against, loss, auc, sentences)
    fault = _worse_than_rate(float(labels.mean()), expected, rate, check)
    return Verdict(outcome, against, loss, auc, _joined(fault, sentences), fault)


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _one_outcome(labels: NDArray[np.float64], expected: float, check: str) -> str:
    n, kind = len(labels), "positive" if labels[0] else "negative"
    first = f"All of {counted(n, 'test example')} are {kind}: such a test measures nothing."
    other = n * (1 - expected if labels[0] else expected)
    if other < LIKELY_BY_CHANCE:
        return (
            f"{first} Only {other:.1f} of the other outcome were to be expected: lengthen the horizon, or "
            "raise split.test_fraction."
        )
    return (
        f"{first} Of the training examples {expected:.1%} are positive, so the labels of the test are "
        f"likely wrong. Check {check}."
    )


def _worse_than_rate(observed: float, expected: float, loss: Difference, check: str) -> str:
    return (
        f"The model is worse than the base rate beyond chance (log loss {loss.value:+.4f}, "
        f"{interval_text(loss.low, loss.high)}), so the test and the training data are not alike: "
        f"{observed:.1%} of the test examples are positive, {expected:.1%} of the training examples. "
        f"Check {check}."
    )


def _tie(
    auc: Difference,
    outcome: Outcome,
    against: str,
    metrics: Mapping[str, Mapping[str, Any]],
    probabilities: Mapping[str, NDArray[np.float64]],
) -> str:
    """Where two models rank alike but differ in log loss, the sentence about their mean probabilities."""
    if outcome == "equals" or against == BASE_RATE or auc.low is None or auc.high is None:
        return ""
    if not auc.low <= 0 <= auc.high:
        return ""
    mean, other = (f"{probabilities[one].mean():.1%}" for one in (MODEL, against))
    aucs = " against ".join(f"{metrics[one]['auc']:.4f}" for one in (MODEL, against))
    return (
        f"Both rank customers alike (AUC {aucs}), so their probabilities differ in level or spread: "
        f"on average they are {mean} and {other}, and {metrics[MODEL]['base_rate']:.1%} happened."
    )


def _outcome(loss: Difference) -> Outcome:
    if loss.low is None or loss.high is None:
        return "equals"
    return "beats" if loss.high < 0 else "trails" if loss.low > 0 else "equals"


def _sentences(
    outcome: Outcome, against: str, loss: Difference, metrics: Mapping[str, Mapping[str, Any]]
) -> str:
    model, other = metrics[MODEL], metrics[against]
    losses = f"log loss {model['log_loss']:.4f} against {other['log_loss']:.4f}"
    difference = interval_text(loss.low, loss.high)
    if loss.low is not None and loss.value is not None:
        difference = f"difference {loss.value:+.4f}, {difference}"
    name = "the base rate" if against == BASE_RATE else display_name(against)
    result = {
        "beats": f"better than the best baseline, {name}",
        "equals": f"no better than {name} beyond chance",
        "trails": f"worse than {name}",
    }[outcome]
    useless = against == BASE_RATE and outcome != "beats"
    return _joined(
        f"On {counted(model['n'], 'test example')} the model is {result} ({losses}; {difference}).",
        "No model distinguishes these customers: do not act on the probabilities." if useless else "",
    )
