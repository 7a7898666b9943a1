"""The report of a training run: the type of report.json, and the self-contained page."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, TypedDict

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from model.files.names import counted
from model.task import ColumnTask, ContractTask, Task
from training.audit.findings import grouped
from training.audit.sentences import audit_sentences
from training.fairness.sentences import NAMES
from training.measure.measuring import display_name
from training.report import charts

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
    has one date. `fairness` is that of `training.fairness.fairness`, None where the study names no groups.
    `audit` is `Audit.facts` with its findings, `verdict` a `verdict.Verdict`, `decision` the
    `decision.Decision.facts` of a challenger, else None, `splits` are `splits.SplitFigure`s, `choice` is a
    `choice.Choice`, `learning_curve` has `learning_curve.LearningPoint`s.
    """

    name: str
    version: int | None
    created: str
    study: Mapping[str, Any]
    task: Mapping[str, Any]
    question: str
    data: DataPart
    audit: Mapping[str, Any]
    split: SplitPart
    splits: Sequence[Mapping[str, Any]]
    published: str
    verdict: Mapping[str, Any]
    decision: Mapping[str, Any] | None
    metrics: Mapping[str, Mapping[str, Any]]
    dates: Sequence[Mapping[str, Any]]
    fairness: Mapping[str, Any] | None
    curves: Mapping[str, Mapping[str, Any]]
    choice: Mapping[str, Any]
    fit: FitPart
    calibration: Mapping[str, Any]
    learning_curve: Sequence[Mapping[str, Any]]
    learning_conclusion: str
    warnings: Sequence[str]


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


def render_html(report: Mapping[str, Any]) -> str:
    """Return a self-contained page without scripts or requests; texts from the data are escaped.

    Args:
        report: a `Report`, new or read from report.json.
    """
    longest = list(report["metrics"])[-1]
    return _template().render(
        report=report,
        box=charts.BOX,
        longest=longest,
        test_size=test_size(report["split"]),
        measures=MEASURES,
        group_figures=NAMES,
        charts={horizon: _charts(report, horizon) for horizon in report["curves"]},
        training=charts.training_chart(report["fit"]["history"], report["fit"]["best_epoch"]),
        findings=grouped(report["audit"]["findings"]),
        audit_sentences=audit_sentences(report["audit"]),
        conclusion=report["learning_conclusion"],
        study=yaml.safe_dump(report["study"], sort_keys=False, allow_unicode=True),
    )


def _charts(report: Mapping[str, Any], horizon: str) -> list[charts.Chart]:
    """The charts of a horizon; charts that need both classes are left out without them."""
    curves = report["curves"][horizon]
    base_rate = report["metrics"][horizon]["model"]["base_rate"]
    drawn = [charts.calibration_chart(curves["calibration"])]
    if curves["roc"]:
        drawn.append(charts.roc_chart(curves["roc"]))
    if curves["gain"]:
        drawn.append(charts.gain_chart(curves["gain"], base_rate))
    drawn.append(charts.score_chart(curves["histogram"]))
    if curves["precision_recall"]:
        drawn.append(charts.precision_recall_chart(curves["precision_recall"], base_rate))
    return drawn


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"fixed": _fixed, "count": _count, "percent": _percent, "horizon": _horizon}
    environment.filters |= {
        "duration": _duration,
        "display_name": display_name,
        "between": _between,
        "signed": _signed,
    }
    return environment.get_template("report.html.j2")


def _fixed(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _signed(difference: float) -> str:
    return f"{difference:+.4f}"


def _between(interval: Sequence[float] | None) -> str:
    return "none" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def _count(value: int | None) -> str:
    return "none" if value is None else f"{value:,}"


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"


def _horizon(name: str) -> str:
    return _days(int(name)) if name.isdecimal() else name


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
