"""The report page: what it says, that it stands alone, and that it trusts no text."""

import json
from copy import deepcopy
from dataclasses import asdict, replace
from html.parser import HTMLParser
from typing import Any, cast

import numpy as np
import pytest

from model.task import ColumnTask, LogTask, Task
from training.reporting.metrics import Metrics, base_rate_metrics, curves, measure
from training.reporting.report import Compared, Report, question, render_html, verdict

EVIL = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
TASK = LogTask(outcome="occurs", horizons_days=(30, 180))


def results(seed: int) -> tuple[Compared, dict[str, Any]]:
    rng = np.random.default_rng(seed)
    p = rng.random(500) ** 2
    y = (rng.random(500) < p).astype(np.float64)
    return (
        {"model": asdict(measure(y, p)), "base_rate": asdict(base_rate_metrics(y, 0.25))},
        asdict(curves(y, p)),
    )


@pytest.fixture
def report() -> Report:
    (short, short_curves), (long, long_curves) = results(1), results(2)
    return {
        "name": "purchase",
        "version": 3,
        "created": "2026-11-24T06:00:00Z",
        "study": {"name": "purchase", "target": {"horizons_days": (30, 180)}, "note": "naïve & bare"},
        "task": TASK.model_dump(),
        "question": question(TASK),
        "data": {
            "customers": 23570,
            "events": 69659,
            "first_event": "1997-01-01",
            "last_event": "1998-06-30",
            "read": ["events.csv: 69,659 rows."],
            "left_out": [{"column": "surname", "reason": "excluded by the study"}],
            "columns": [{"name": "tenure", "kind": "numeric", "missing_share": 0.0125, "detail": "1 to 72"}],
        },
        "examples": [
            {
                "cutoff": "1997-06-30",
                "eligible": 21000,
                "positives": {"30": 1234, "180": 5678},
                "role": "train",
            }
        ],
        "published": "The published model is the measured one.",
        "split": {
            "kind": "forward",
            "sentence": "Test cutoffs lie after every training label.",
            "train": 800,
            "validation": 100,
            "calibration": 101,
            "test": 500,
        },
        "metrics": {"30": short, "180": long},
        "curves": {"30": short_curves, "180": long_curves},
        "fit": {
            "head": "mlp",
            "device": "cpu",
            "epochs": 2,
            "best_epoch": 1,
            "seconds": 83.0,
            "parameters": 41233,
            "history": [
                {"epoch": 1, "train_loss": 0.5, "validation_loss": 0.51},
                {"epoch": 2, "train_loss": 0.4, "validation_loss": 0.52},
            ],
        },
        "calibration": {"slopes": [1.0, 0.9], "intercepts": [-0.25, 0.125]},
        "warnings": ["Only 12 positives."],
    }


class Page(HTMLParser):
    """A page's tags, attributes and text, as a browser would see them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += " ".join(data.split()) + "\n"


def test_page_says_what_the_report_holds(report: Report) -> None:
    page = Page(render_html(report))
    assert page.open == []
    for text in (
        "Will a customer with an event in the last 365 days have another event within 30 or 180 days?",
        "Only 12 positives.",
        f"{report['metrics']['180']['model']['auc']:.3f}",
        f"{report['metrics']['30']['model']['log_loss']:.3f}",
        f"{report['metrics']['30']['base_rate']['log_loss']:.3f}",
        "180 days",
        "1 min 23 s",
        "Test cutoffs lie after every training label.",
        "1.000 \N{MULTIPLICATION SIGN} logit \N{MINUS SIGN} 0.250; 0.900",
        "logit + 0.125.",
        "23,570 customers, 69,659 events from 1997-01-01 to 1998-06-30.",
        "1.2 %",
        "excluded by the study",
        "5,678",
        "note: naïve & bare",
    ):
        assert text in page.text, text
    assert page.tags.count("figure") == 2 * 5 + 1


def test_page_is_the_same_from_json(report: Report) -> None:
    assert render_html(json.loads(json.dumps(report))) == render_html(report)


def poisoned(value: Any) -> Any:
    """The same value with every text that data or a study can carry replaced by markup."""
    if isinstance(value, dict):
        return {key: poisoned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [poisoned(item) for item in value]
    return EVIL if isinstance(value, str) else value


def test_no_text_becomes_markup(report: Report) -> None:
    clean, evil = Page(render_html(report)), Page(render_html(poisoned(report)))
    assert evil.tags == clean.tags
    assert len(evil.attributes) == len(clean.attributes)
    assert "script" not in evil.tags
    assert evil.text.count("<script>alert('x')</script>") > 10


def test_page_asks_for_nothing(report: Report) -> None:
    html = render_html(report)
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not {"src", "href", "srcset", "action"} & {name for name, _ in page.attributes}
    assert "url(" not in html
    assert "@import" not in html
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


def test_table_study_of_one_class_still_has_a_page(report: Report) -> None:
    y, p = np.zeros(20), np.full(20, 0.1)
    table = deepcopy(report)
    table["question"] = question(ColumnTask(column="Churn", positive="Yes"))
    table["metrics"] = {
        "label": {"model": asdict(measure(y, p)), "base_rate": asdict(base_rate_metrics(y, 0.2))}
    }
    table["curves"] = {"label": asdict(curves(y, p))}
    table["examples"], table["warnings"] = [], []
    table["data"] |= cast(Any, {"events": None, "first_event": None, "last_event": None, "columns": []})
    page = Page(render_html(table))
    assert page.open == []
    assert 'Is Churn "Yes" for this customer?' in page.text
    assert "none\n" in page.text
    assert "events" not in page.text.split("Study")[0].replace("events.csv", "")
    assert "Examples by cutoff" not in page.text
    assert page.tags.count("figure") == 2 + 1
    assert "details" not in page.tags


METRICS = Metrics(
    n=4321,
    positives=500,
    base_rate=0.12,
    auc=0.8,
    average_precision=0.4,
    log_loss=0.41,
    brier=0.1,
    calibration_error=0.0123,
    lift_at_10=3.14,
)


def compared(model: Metrics) -> Compared:
    return {"model": asdict(model), "base_rate": asdict(replace(METRICS, log_loss=0.5))}


def test_verdict_says_by_how_much() -> None:
    assert verdict(compared(METRICS)) == (
        True,
        "On 4,321 test examples the model's loss is 18.0 % below the base rate's "
        "(log loss 0.410 against 0.500). "
        "The tenth with the highest probabilities holds 3.1 times as many positives as a tenth at random. "
        "On average its probabilities are off by 1.2 percentage points.",
    )
    assert "tenth" not in verdict(compared(replace(METRICS, lift_at_10=None)))[1]


def test_verdict_warns_of_a_model_that_is_no_better_than_the_base_rate(report: Report) -> None:
    weak = compared(replace(METRICS, log_loss=0.5))
    assert verdict(weak) == (
        False,
        "On 4,321 test examples the model is no better than the base rate (log loss 0.500 against 0.500): "
        "do not act on its probabilities.",
    )
    report["metrics"] = {"180": weak}
    report["curves"] = {"180": report["curves"]["180"]}
    assert ("class", "verdict bad") in Page(render_html(report)).attributes


WHO = "Will a customer with an event in the last 365 days"


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (ColumnTask(column="Churn", positive="Yes"), 'Is Churn "Yes" for this customer?'),
        (
            LogTask(outcome="occurs", horizons_days=(30, 90, 180)),
            f"{WHO} have another event within 30, 90 or 180 days?",
        ),
        (
            LogTask(event="order", outcome="occurs", horizons_days=(1,), eligible_within_days=1),
            'Will a customer with an event in the last 1 day have at least one "order" event within 1 day?',
        ),
        (
            LogTask(outcome="absent", horizons_days=(90,), gap_days=7),
            f"{WHO} have no event within 90 days, counted from 7 days later?",
        ),
        (
            LogTask(event="cancel", outcome="absent", horizons_days=(30, 60)),
            f'{WHO} have no "cancel" event within 30 or 60 days?',
        ),
    ],
)
def test_question_is_a_plain_sentence(task: Task, expected: str) -> None:
    assert question(task) == expected
