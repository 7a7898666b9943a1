"""The report page: what it says, that it stands alone, and that it trusts no text."""

import json
from copy import deepcopy
from dataclasses import asdict
from typing import Any, cast

import numpy as np
import pytest

from model.task import ColumnTask, ContractTask, LogTask, Task
from tests.training.report.pages import AUDIT, Page, made_up_report
from tests.training.shops import Published
from training.measure.measuring import measured
from training.measure.metrics import base_rate_metrics, curves
from training.report.page import render_html
from training.report.report import Report, question
from training.run.splits import SplitFigure

LEARNING = "Fitted on a share of the training customers"
EVIL = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"


@pytest.fixture
def report() -> Report:
    return made_up_report()


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
        "1.2 %",
        "it looks like an id",
        "It beats it.",
        "The published model is the measured one. The sequence does not improve it.",
        "note: naïve & bare",
    ):
        assert text in page.text, text
    assert page.tags.count("figure") == 2 * 5 + 2


def test_everyone_is_in_the_metrics_with_an_interval(report: Report) -> None:
    page = Page(render_html(report))
    model, recency = (report["metrics"]["30"][who] for who in ("model", "recency"))
    share = f"({100 * model['base_rate']:.1f} %)"
    _, *rows = page.tables[f"30 days: 500 test examples, {model['positives']} positive {share}"]
    low, high = model["intervals"]["auc"]
    assert rows[0][:2] == ["model", f"{model['auc']:.3f} {low:.3f} to {high:.3f}"]
    assert [row[0] for row in rows[1:]] == ["recency alone", "Pareto/NBD", "base rate"]
    assert rows[1][1].startswith(f"{recency['auc']:.3f} ")
    assert rows[3][1] == "0.500"


def test_the_lift_stands_beside_the_highest_that_there_can_be(report: Report) -> None:
    model = report["metrics"]["180"]["model"]
    text = Page(render_html(report)).text
    assert f"{model['lift_at_10']:.3f}\nof at most {1 / model['base_rate']:.3f}; 1 is chance" in text


def test_whom_to_contact_comes_first_and_who_is_gone_is_set_apart(report: Report) -> None:
    page = Page(render_html(report))
    assert (
        "On 1997-12-31, looking 180 days ahead, the 200 likeliest of 2,000 customers hold 110 of the 400 "
        "with another event; as many customers at random would hold 40."
    ) in page.text
    assert "Of these 200, 70 had no event in the 180 days before: they may be gone already." in page.text
    assert page.tables["All customers"][2] == ["10 %", "200", "110", "27.5 % 10 to 90 %", "40"]
    assert page.tables["Only those who were still active"][2] == ["10 %", "170", "75", "30.0 %", "25"]
    assert page.text.index("likeliest of 2,000") < page.text.index("It beats it.")


def test_a_broken_test_says_so_first_and_shows_no_ranking(report: Report) -> None:
    report["verdict"] = {**report["verdict"], "fault": "All of 94 test examples are positive."}
    page = Page(render_html(report))
    assert ("class", "advice broken") in page.attributes
    assert page.text.index("Do not use this version.") < page.text.index("All of 94 test examples")
    assert "All customers" not in page.tables
    assert "of at most" not in page.text


def test_splits_stand_side_by_side_and_ours_is_named(report: Report) -> None:
    page = Page(render_html(report))
    _, *rows = page.tables["The same model under other splits"]
    assert [row[0] for row in rows] == [
        "shuffled",
        "forward",
        "forward, unseen customers (the figures above)",
    ]
    for row, figure in zip(rows, report["splits"], strict=True):
        assert row[3].startswith(f"{figure['metrics']['auc']:.3f} ")
        assert row[5] == "0.613"
    assert "Shuffled: a fit of one network on" in page.text
    assert "Forward: the measured model at the dates of the test, on its training customers." in page.text


def test_each_of_several_test_dates_has_its_figures(report: Report) -> None:
    page = Page(render_html(report))
    assert page.tables["The model at each test date, 180 days"][1:] == [
        ["1997-11-30", "240", "60", "25.0 %", "26.1 %", "0.712", "0.512"],
        ["1997-12-31", "260", "0", "0.0 %", "24.0 %", "none", "0.534"],
    ]
    assert (
        "The test has 500 examples of 300 customers; training never read 60 of them (99 examples)."
        in page.text
    )
    report["dates"] = []
    assert "each test date" not in Page(render_html(report)).text


def test_a_single_split_is_no_comparison(report: Report) -> None:
    report["splits"] = report["splits"][-1:]
    page = Page(render_html(report))
    assert page.open == []
    assert "under other splits" not in page.text


def test_only_splits_that_are_shown_are_explained(report: Report) -> None:
    report["splits"] = [
        {**report["splits"][0], "split": "shuffled"},
        {**report["splits"][2], "split": "forward"},
    ]
    text = Page(render_html(report)).text
    assert "Shuffled: a fit of one network" in text
    assert "Forward: the measured" not in text


def test_the_purchase_model_is_told_apart_where_there_is_one(report: Report) -> None:
    assert "except Pareto/NBD, which reads purchases only." in Page(render_html(report)).text
    for compared in report["metrics"].values():
        del cast(Any, compared)["btyd"]
    assert "Pareto/NBD" not in Page(render_html(report)).text


def test_a_learning_curve_is_shown_where_there_is_one(report: Report) -> None:
    page = Page(render_html(report))
    assert [row[:3] for row in page.tables[LEARNING][1:]] == [
        ["50.0 %", "400", "123"],
        ["100.0 %", "800", "246"],
    ]
    assert "More customers would help." in page.text
    report["learning_curve"], report["learning_conclusion"] = [], ""
    assert LEARNING not in Page(render_html(report)).tables


def test_the_audit_is_shown_with_every_cutoff(report: Report) -> None:
    page = Page(render_html(report))
    assert page.tables["Findings"][1:] == [
        ["warning", "duration", "It all but states the label.", "Exclude it."],
        ["note", "", "The rate fell.", "Look at the cutoffs."],
    ]
    assert page.tables["Eligible and positive customers at each cutoff"] == [
        ["Cutoff", "Role", "Not eligible", "Eligible", "Positive within 30 days", "Positive within 180 days"],
        [
            "1997-12-31",
            "test",
            "2,570 no event within 365 days",
            "21,000",
            "1,234 (5.9 %)",
            "5,678 (27.0 %) 17 masked",
        ],
        ["1998-05-31", "published model only", "", "20,000", "1,111 (5.6 %)", "not yet known"],
    ]
    assert "69,659 events from 1997-01-01 to 1998-06-30, with 255 exact duplicates." in page.text
    assert "Times without an offset are read in Europe/Berlin." in page.text
    report["audit"] = {**AUDIT, "findings": []}
    assert "No column reveals the label, and there are no other findings." in Page(render_html(report)).text


def test_what_is_not_missing_by_cell_has_no_share(report: Report) -> None:
    _, _, tenure, history = Page(render_html(report)).tables["Columns"]
    assert (tenure[4], history[4], tenure[5]) == ("1.2 %", "", "3: unknown")


@pytest.mark.parametrize("name", ["table_model", "log_model", "contract_model", "contract_log_model"])
def test_the_page_of_a_run_stands_alone(name: str, request: pytest.FixtureRequest) -> None:
    model: Published = request.getfixturevalue(name)
    html = (model.trained.folder / "report.html").read_text(encoding="utf-8")
    assert html == render_html(json.loads((model.trained.folder / "report.json").read_text(encoding="utf-8")))
    page = Page(html)
    assert page.open == []
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not {"src", "srcset", "action"} & {name for name, _ in page.attributes}
    assert all(value and value.startswith("#") for name, value in page.attributes if name == "href")
    assert "url(" not in html
    assert "://" not in html
    for section in ("Whom to contact", "Figures", "Audit", "Data", "Study"):
        assert f"\n{section}\n" in page.text
    assert model.trained.report["verdict"]["sentences"] in page.text
    cutoffs = model.trained.report["audit"].get("cutoffs", [])
    assert all(row["cutoff"] in page.text for row in cutoffs)
    assert bool(cutoffs) == (name != "table_model")


def test_page_is_the_same_from_json(report: Report) -> None:
    assert render_html(json.loads(json.dumps(report))) == render_html(report)


def poisoned(value: Any) -> Any:
    """The same value with every text that data or a study can carry replaced by markup."""
    if isinstance(value, dict):
        return {key: poisoned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [poisoned(item) for item in value]
    return EVIL if isinstance(value, str) and value else value


def test_no_text_becomes_markup(report: Report) -> None:
    poison = poisoned(report)
    poison["verdict"]["outcome"] = report["verdict"]["outcome"]
    for finding, own in zip(poison["audit"]["findings"], report["audit"]["findings"], strict=True):
        finding["level"] = own["level"]
    clean, evil = Page(render_html(report)), Page(render_html(poison))
    assert evil.tags == clean.tags
    assert len(evil.attributes) == len(clean.attributes)
    assert "script" not in evil.tags
    assert evil.text.count("<script>alert('x')</script>") > 10


def test_page_asks_for_nothing(report: Report) -> None:
    html = render_html(report)
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not {"src", "srcset", "action"} & {name for name, _ in page.attributes}
    assert all(value and value.startswith("#") for name, value in page.attributes if name == "href")
    assert "url(" not in html
    assert "@import" not in html
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


def test_the_page_of_many_columns_is_small(report: Report) -> None:
    facts = report["data"]["columns"][1]
    columns = [{**facts, "name": f"sum(amount)[type {n}]_365d", "values": "x" * 100} for n in range(500)]
    report["data"] = {**report["data"], "columns": columns}
    cutoffs = report["audit"]["cutoffs"] * 60
    report["audit"] = {**report["audit"], "cutoffs": cutoffs}
    page = render_html(report)
    assert len(page.encode()) < 150_000
    assert "60 of 500 columns are shown; report.json has all." in Page(page).text
    assert "96 earlier cutoffs are in report.json." in Page(page).text


def test_table_study_of_one_class_still_has_a_page(report: Report) -> None:
    y, p = np.zeros(20), np.full(20, 0.1)
    table = deepcopy(report)
    table["question"] = question(ColumnTask(column="Churn", positive="Yes"))
    base_rate = asdict(base_rate_metrics(y, 0.2)) | {"intervals": {}}
    table["metrics"] = {"label": {"model": measured(y, p, np.arange(20)), "base_rate": base_rate}}
    table["curves"] = {"label": asdict(curves(y, p))}
    table["splits"] = [asdict(SplitFigure("unseen groups", table["metrics"]["label"]["model"], 0.5))] * 2
    table["learning_curve"], table["warnings"] = [], []
    table["contacts"] = {**table["contacts"], "positives": 0, "everyone": [], "active": []}
    plain = {key: AUDIT[key] for key in ("customers", "time_zone", "split", "examples")}
    figures: dict[str, Any] = {"log": None, "rows": 20, "positives": 0, "rate": 0.0, "findings": []}
    table["audit"] = {**plain, **figures, "label": {"column": "Churn", "values": []}}
    table["data"] |= cast(Any, {"events": None, "first_event": None, "last_event": None, "columns": []})
    page = Page(render_html(table))
    assert page.open == []
    assert 'Will Churn of a customer be "Yes"?' in page.text
    assert "none\n" in page.text
    assert "events" not in page.text.split("Study")[0].replace("events.csv", "")
    assert "Findings" not in page.tables
    assert page.tags.count("figure") == 2 + 1
    assert "details" not in page.tags


WHO = "Will a customer with an event in the last 365 days"


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (ColumnTask(column="Churn", positive="Yes"), 'Will Churn of a customer be "Yes"?'),
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
        (
            LogTask(event=("order", "gift"), outcome="occurs", horizons_days=(30,)),
            f'{WHO} have at least one "order" or "gift" event within 30 days?',
        ),
        (
            ContractTask(ends="cancelled_at", horizons_days=(30, 90), gap_days=1),
            "Will a running contract end (cancelled_at) within 30 or 90 days, counted from 1 day later?",
        ),
    ],
)
def test_question_is_a_plain_sentence(task: Task, expected: str) -> None:
    assert question(task) == expected
