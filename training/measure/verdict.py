"""The verdict: the network against the best baseline, with a recommendation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from model.files.names import counted
from training.measure.bootstrap import Difference, interval_text, paired_differences
from training.measure.measuring import BASE_RATE, MODEL, display_name

Outcome = Literal["beats", "equals", "trails"]

NETWORK: Final = "network"


@dataclass(frozen=True)
class Verdict:
    """The network against the best baseline, at the longest horizon.

    Attributes:
        outcome: "equals" where chance may explain the difference, or the test has one outcome only.
        against: the baseline with the lowest log loss.
        log_loss, auc: the network's measure minus the baseline's, on the same customers.
        recommended: NETWORK, or the baseline.
        sentences: the verdict in words.
    """

    outcome: Outcome
    against: str
    log_loss: Difference
    auc: Difference
    recommended: str
    sentences: str


def judge(
    labels: NDArray[np.float64],
    probabilities: Mapping[str, NDArray[np.float64]],
    metrics: Mapping[str, Mapping[str, Any]],
    groups: NDArray[np.int64],
) -> Verdict:
    """Compare on the same test customers, by a paired bootstrap.

    Args:
        labels: (N,) of 0 and 1.
        probabilities: (N,) by model: MODEL, BASE_RATE and the other baselines.
        metrics: of each of them on these labels.
        groups: (N,) the customer of each example.
    """
    against = min((name for name in probabilities if name != MODEL), key=lambda n: metrics[n]["log_loss"])
    differences = paired_differences(labels, probabilities[against], probabilities[MODEL], groups)
    loss, auc = differences["log_loss"], differences["auc"]
    if auc.value is None:  # with one outcome, a constant has the lowest loss
        sentences = (
            f"All of {counted(len(labels), 'test example')} have the same outcome, so the network cannot be "
            "compared with the baselines. Add customers, or raise split.test_fraction."
        )
        return Verdict("equals", against, loss, auc, against, sentences)
    outcome = _outcome(loss)
    recommended = NETWORK if outcome == "beats" else against
    return Verdict(outcome, against, loss, auc, recommended, _sentences(outcome, against, loss, metrics))


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
    first = {
        "beats": f"The network is better than the best baseline, {name}",
        "equals": f"The network is no better than {name} beyond chance",
        "trails": f"The network is worse than {name}",
    }[outcome]
    last = {
        "beats": "Use the network.",
        "equals": f"Use {name}: it is simpler.",
        "trails": f"Use {name}.",
    }[outcome]
    if against == BASE_RATE and outcome != "beats":
        last = "No model distinguishes these customers: do not act on the probabilities."
    return f"{first} ({losses}; {difference}, on {model['n']:,} test examples). {last}"
