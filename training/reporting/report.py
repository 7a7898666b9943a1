"""The report of a training run: its shape (report.json) and the self-contained page made of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypedDict

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from model.task import ColumnTask, Task
from training.reporting import charts

# Field of Metrics, its name for a reader, which way is better.
MEASURES: Final = (
    ("auc", "AUC", "higher"),
    ("average_precision", "Average precision", "higher"),
    ("lift_at_10", "Lift at 10 %", "higher"),
    ("log_loss", "Log loss", "lower"),
    ("brier", "Brier score", "lower"),
    ("calibration_error", "Calibration error", "lower"),
)


class Column(TypedDict):
    """A column that the model reads; `missing_share` is of all customers."""

    name: str
    kind: str
    missing_share: float
    detail: str


class LeftOut(TypedDict):
    """A column that the model does not read, and why, as part of a sentence."""

    column: str
    reason: str


class DataPart(TypedDict):
    """What was read. `events` and its two times are None for a study without a log."""

    customers: int
    events: int | None
    first_event: str | None
    last_event: str | None
    read: Sequence[str]
    left_out: Sequence[LeftOut]
    columns: Sequence[Column]


class ExamplesAtCutoff(TypedDict):
    """Examples of one cutoff; `positives` by horizon as in `Report.metrics`, where the window is complete."""

    cutoff: str
    eligible: int
    positives: Mapping[str, int]
    role: str


class SplitPart(TypedDict):
    """How the examples were split, in plain words and in numbers."""

    kind: str
    sentence: str
    train: int
    validation: int
    calibration: int
    test: int


class Compared(TypedDict):
    """`asdict` of two `training.reporting.metrics.Metrics` on the same test examples."""

    model: Mapping[str, Any]
    base_rate: Mapping[str, Any]


class Epoch(TypedDict):
    """Mean loss of one epoch."""

    epoch: int
    train_loss: float
    validation_loss: float


class FitPart(TypedDict):
    """How the network was fitted; `parameters` counts its weights."""

    head: str
    device: str
    epochs: int
    best_epoch: int
    seconds: float
    history: Sequence[Epoch]
    parameters: int


class CalibrationPart(TypedDict):
    """Slope and intercept of each of the K logits."""

    slopes: Sequence[float]
    intercepts: Sequence[float]


class Report(TypedDict):
    """All of report.json: plain values only.

    `metrics` and `curves` (`asdict` of `training.reporting.metrics.Curves`) have one entry per horizon, in
    days and increasing, or the single entry "label". `examples` is empty for a study of a table.
    """

    name: str
    version: int
    created: str
    study: Mapping[str, Any]
    task: Mapping[str, Any]
    question: str
    data: DataPart
    examples: Sequence[ExamplesAtCutoff]
    split: SplitPart
    published: str
    metrics: Mapping[str, Compared]
    curves: Mapping[str, Mapping[str, Any]]
    fit: FitPart
    calibration: CalibrationPart
    warnings: Sequence[str]


def question(task: Task) -> str:
    """What a task asks about a customer, as a plain sentence."""
    if isinstance(task, ColumnTask):
        return f'Is {task.column} "{task.positive}" for this customer?'
    *first, last = task.horizons_days
    horizons = f"{', '.join(map(str, first))} or {_days(last)}" if first else _days(last)
    event = "event" if task.event == "any" else f'"{task.event}" event'
    have = {
        "absent": f"have no {event}",
        "occurs": f"have {'another' if task.event == 'any' else 'at least one'} {event}",
    }[task.outcome]
    gap = f", counted from {_days(task.gap_days)} later" if task.gap_days else ""
    who = f"a customer with an event in the last {_days(task.eligible_within_days)}"
    return f"Will {who} {have} within {horizons}{gap}?"


def verdict(compared: Compared) -> tuple[bool, str]:
    """Whether the model beats the base rate on the test examples, and sentences that say by how much."""
    model, base = compared["model"], compared["base_rate"]
    losses = f"(log loss {model['log_loss']:.3f} against {base['log_loss']:.3f})"
    if model["log_loss"] >= base["log_loss"]:
        return False, (
            f"On {model['n']:,} test examples the model is no better than the base rate {losses}: "
            "do not act on its probabilities."
        )
    share, off = 1 - model["log_loss"] / base["log_loss"], model["calibration_error"]
    sentences = [
        f"On {model['n']:,} test examples the model's loss is "
        f"{100 * share:.1f} % below the base rate's {losses}."
    ]
    if model["lift_at_10"] is not None:
        sentences.append(
            "The tenth with the highest probabilities holds "
            f"{model['lift_at_10']:.1f} times as many positives as a tenth at random."
        )
    sentences.append(f"On average its probabilities are off by {100 * off:.1f} percentage points.")
    return True, " ".join(sentences)


def render_html(report: Mapping[str, Any]) -> str:
    """A page that needs nothing else: no script, no request; every text of the data is escaped.

    Args:
        report: a `Report`, fresh or read back from report.json.
    """
    longest = list(report["metrics"])[-1]
    good, sentences = verdict(report["metrics"][longest])
    return _template().render(
        report=report,
        box=charts.BOX,
        longest=longest,
        good=good,
        verdict=sentences,
        measures=MEASURES,
        charts={horizon: _charts(report, horizon) for horizon in report["curves"]},
        training=charts.training_chart(report["fit"]["history"], report["fit"]["best_epoch"]),
        study=yaml.safe_dump(report["study"], sort_keys=False, allow_unicode=True),
    )


def _charts(report: Mapping[str, Any], horizon: str) -> list[charts.Chart]:
    """The charts of a horizon; those that its labels do not define are left out."""
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


def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"fixed": _fixed, "count": _count, "percent": _percent, "horizon": _horizon}
    environment.filters["duration"] = _duration
    return environment.get_template("report.html.j2")


def _fixed(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _count(value: int | None) -> str:
    return "none" if value is None else f"{value:,}"


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"


def _horizon(name: str) -> str:
    return name if name == "label" else _days(int(name))


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
