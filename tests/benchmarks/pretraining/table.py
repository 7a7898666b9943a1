"""What the arms said, next to each other: means over the seeds, and paired differences."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.pretraining.arms import ARMS, Arm, Told
from training.measure.bootstrap import Difference, paired_differences
from training.measure.metrics import measure

HEAD: Final = (
    "log",
    "labelled customers",
    "head",
    "AUC",
    "log loss",
    "seconds",
    "loss, started - cold",
    "AUC, started - cold",
    "loss - mlp's",
)
NONE: Final = "-"

Floats = NDArray[np.float64]
Answers = Mapping[Arm, Sequence[Told]]  # of each arm, by seed


def rows(
    problem: str, n_customers: int, answers: Answers, labels: Floats, groups: NDArray[np.int64]
) -> list[str]:
    """A line of Markdown for each arm.

    Args:
        labels: (M,) of the test examples.
        groups: (M,) whose they are.
    """
    return [
        row((problem, f"{n_customers:,}", *_cells(arm, answers, labels, groups)))
        for arm in ARMS
        if arm in answers
    ]


def row(cells: Sequence[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |"


def heading() -> str:
    """The lines above the rows."""
    return f"{row(HEAD)}\n{row(['---'] * 3 + ['---:'] * (len(HEAD) - 3))}"


def compared(
    one: Sequence[Told], other: Sequence[Told], labels: Floats, groups: NDArray[np.int64]
) -> dict[str, Difference]:
    """What the other's answers change; a customer's answers of all seeds are drawn together."""
    seeds = len(one)
    first, second = (np.concatenate([told.probabilities for told in arm]) for arm in (one, other))
    return paired_differences(np.tile(labels, seeds), first, second, np.tile(groups, seeds))


def _cells(arm: Arm, answers: Answers, labels: Floats, groups: NDArray[np.int64]) -> tuple[str, ...]:
    told, cold, plain = answers[arm], answers.get(Arm(arm.head)), answers.get(Arm("mlp"))
    measured = [measure(labels, one.probabilities) for one in told]
    start = compared(cold, told, labels, groups) if arm.started and cold else {}
    against = compared(plain, told, labels, groups) if plain and arm.head != "mlp" else {}
    return (
        arm.name,
        f"{np.mean([one.auc or np.nan for one in measured]):.3f}",
        f"{np.mean([one.log_loss for one in measured]):.4f}",
        f"{np.mean([one.seconds for one in told]):.0f}",
        _told(start.get("log_loss"), 4),
        _told(start.get("auc"), 3),
        _told(against.get("log_loss"), 4),
    )


def _told(difference: Difference | None, digits: int) -> str:
    if difference is None or difference.value is None or difference.low is None or difference.high is None:
        return NONE
    value, low, high = (f"{x:+.{digits}f}" for x in (difference.value, difference.low, difference.high))
    return f"{value} ({low} to {high})"
