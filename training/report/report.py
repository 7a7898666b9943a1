"""The report of a training run: the type of report.json, and the question that it answers."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict

from model.files.names import counted
from model.task import ColumnTask, ContractTask, Task

# Field of Metrics, its label, and whether higher or lower is better.
MEASURES: Final = (
    ("auc", "AUC", "higher"),
    ("average_precision", "Average precision", "higher"),
    ("lift_at_10", "Lift at 10 %", "higher"),
    ("log_loss", "Log loss", "lower"),
    ("brier", "Brier score", "lower"),
    ("calibration_error", "Calibration error", "lower"),
)


class DataPart(TypedDict):
    """The data. `events` and its two times are None for a study without a log.

    `columns` are `column_facts.ColumnFacts`.
    """

    customers: int
    events: int | None
    first_event: str | None
    last_event: str | None
    read: Sequence[str]
    columns: Sequence[Mapping[str, Any]]


class SplitPart(TypedDict):
    """The split of the examples, as a sentence and in numbers.

    `held_out` are the examples among those of the test whose customers the measured model never read; those
    of the others are answered by the fold that never read them.
    """

    kind: str
    sentence: str
    train: int
    judged: int
    test: int
    held_out: int
    test_customers: int
    held_out_customers: int


class FitPart(TypedDict):
    """The fit of the model: `loop.Epoch`s, kept L2 penalty, number of weights, distillation."""

    head: str
    device: str
    epochs: int
    best_epoch: int
    seconds: float
    seconds_published: float
    validation_loss: float
    history: Sequence[Mapping[str, Any]]
    penalty: float | None
    parameters: int
    distillation: str


class Report(TypedDict):
    """All of report.json: plain values only.

    `metrics` (by model: "model", the head that was not chosen, the baselines and "base_rate", as
    `measuring.measured` has them) and `curves` (`asdict` of `metrics.Curves`) have one entry per horizon, in
    days and increasing, or the single entry "label". `dates` are `splits.DateFigure`s, empty where the test
    has one date. `contacts` is a `contacts.Contacts`, `fairness` that of `training.fairness.fairness`, None
    where the study names no groups. `title` and `of_whom` are of `headline`. `audit` is `Audit.facts` with
    its findings, `verdict` a `verdict.Verdict`, `decision` the `decision.Decision.facts` of a challenger,
    else None, `splits` are `splits.SplitFigure`s, `choice` is a `choice.Choice`, `learning_curve` has
    `learning_curve.LearningPoint`s, `drivers` are those of `training.reasons.drivers`.
    """

    name: str
    version: int | None
    created: str
    title: str
    study: Mapping[str, Any]
    task: Mapping[str, Any]
    question: str
    of_whom: str
    data: DataPart
    audit: Mapping[str, Any]
    split: SplitPart
    splits: Sequence[Mapping[str, Any]]
    published: str
    verdict: Mapping[str, Any]
    decision: Mapping[str, Any] | None
    metrics: Mapping[str, Mapping[str, Any]]
    dates: Sequence[Mapping[str, Any]]
    contacts: Mapping[str, Any]
    drivers: Mapping[str, Any]
    fairness: Mapping[str, Any] | None
    curves: Mapping[str, Mapping[str, Any]]
    choice: Mapping[str, Any]
    fit: FitPart
    calibration: Mapping[str, Any]
    learning_curve: Sequence[Mapping[str, Any]]
    learning_conclusion: str
    warnings: Sequence[str]
    versions: Mapping[str, str]


def question(task: Task) -> str:
    """Return the question that a task answers about a customer."""
    if isinstance(task, ColumnTask):
        values = " or ".join(f'"{value}"' for value in task.positives)
        return f"Will {task.column} of a customer be {values}?"
    *first, last = task.horizons_days
    horizons = f"{', '.join(map(str, first))} or {_days(last)}" if first else _days(last)
    gap = f", counted from {_days(task.gap_days)} later" if task.gap_days else ""
    if isinstance(task, ContractTask):
        return f"Will a running contract end ({task.ends}) within {horizons}{gap}?"
    event = " or ".join(f'"{name}"' for name in task.event_types)
    event = f"{event} event" if event else "event"
    have = {
        "absent": f"have no {event}",
        "occurs": f"have {'at least one' if task.event_types else 'another'} {event}",
    }[task.outcome]
    customer = f"a customer with an event in the last {_days(task.eligible_within_days)}"
    return f"Will {customer} {have} within {horizons}{gap}?"


def test_size(split: SplitPart) -> str:
    """Return the size of the test, and how much of it is of customers whom training never read."""
    size = f"{counted(split['test'], 'example')} of {counted(split['test_customers'], 'customer')}"
    unread = f"{split['held_out_customers']:,} of them ({counted(split['held_out'], 'example')})"
    return f"The test has {size}; training never read {unread}."


def _days(days: int) -> str:
    return counted(days, "day")
