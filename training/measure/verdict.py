"""In words: does the network beat what is simpler, and what should the user take?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from model.files.names import counted
from training.measure.bootstrap import Difference, paired_differences
from training.measure.measuring import BASE_RATE, MODEL, who

Outcome = Literal["beats", "equals", "trails"]

NETWORK: Final = "network"


@dataclass(frozen=True)
class Verdict:
    """The network against the best of what is simpler, at the longest horizon.

    Attributes:
        outcome: "equals" where chance may explain the difference, or the test holds one outcome only.
        against: the baseline with the lowest log loss.
        log_loss, auc: the network's measure minus the baseline's, on the same customers.
        recommended: NETWORK, or the baseline.
        sentences: all of it in words.
    """

    outcome: Outcome
    against: str
    log_loss: Difference
    auc: Difference
    recommended: str
    sentences: str


def judge(
    labels: NDArray[np.float64],
    answers: Mapping[str, NDArray[np.float64]],
    metrics: Mapping[str, Mapping[str, Any]],
    groups: NDArray[np.int64],
) -> Verdict:
    """Compare on the same test customers, by a paired bootstrap.

    Args:
        labels: (N,) of 0 and 1.
        answers: (N,) probabilities by who gives them: MODEL, BASE_RATE and the others.
        metrics: of each of them on these labels.
        groups: (N,) the customer of each example.
    """
    against = min((who for who in answers if who != MODEL), key=lambda who: metrics[who]["log_loss"])
    differences = paired_differences(labels, answers[against], answers[MODEL], groups)
    loss, auc = differences["log_loss"], differences["auc"]
    if auc.value is None:  # whoever says less, or more, to everybody has the lower loss
        told = (
            f"Among {counted(len(labels), 'test example')} there is one outcome only, which cannot tell "
            "whether the network is better than what is simpler. Bring more customers, or raise "
            "split.test_fraction."
        )
        return Verdict("equals", against, loss, auc, against, told)
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
    off = "too few customers for an interval"
    if loss.value is not None and loss.low is not None and loss.high is not None:
        off = f"difference {loss.value:+.4f}, 95 % interval {loss.low:+.4f} to {loss.high:+.4f}"
    name = "the base rate" if against == BASE_RATE else who(against)
    first = {
        "beats": f"The network beats the best of what is simpler, {name}",
        "equals": f"The network is no better than {name} beyond chance",
        "trails": f"The network is worse than {name}",
    }[outcome]
    last = {
        "beats": "Take the network.",
        "equals": f"Take {name}: it is simpler.",
        "trails": f"Take {name}.",
    }[outcome]
    if against == BASE_RATE and outcome != "beats":
        last = "Nothing tells these customers apart: do not act on the probabilities."
    return f"{first} ({losses}; {off}, on {model['n']:,} test examples). {last}"
