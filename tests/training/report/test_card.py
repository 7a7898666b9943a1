"""The model card: every figure is one of report.json, and no text of the data becomes markup."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.training.report.pages import made_up_report
from tests.training.shops import Published
from training.report.card import limits, privacy, render_card, weaknesses
from training.schema.fit_schema import MIN_CUSTOMERS

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def figures(value: Any) -> Iterator[str]:
    """Every figure of a report, as a person may write it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from (*figures(key), *figures(item))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from figures(item)
    elif isinstance(value, str):
        yield from NUMBER.findall(value)
    elif isinstance(value, int | float):
        decimals = (f"{abs(value):.{digits}f}" for digits in (3, 4))
        yield from (f"{abs(value):,}", *decimals, f"{abs(100 * value):.1f}", f"{value:.0%}"[:-1])


def derived(report: dict[str, Any]) -> set[str]:
    """What follows from the figures of a report: positives held at random, and the figures of the rules."""
    contacts, rows = report["contacts"], len(report["audit"].get("cutoffs", ()))
    held = (contacts["positives"] * top["customers"] for top in contacts["everyone"])
    at_random = {f"{round(found / contacts['customers']):,}" for found in held}
    gaps = [g for c in (report["fairness"] or {"columns": []})["columns"] for g in c["gaps"]]
    return at_random | {"95", "256", "10", str(MIN_CUSTOMERS), str(rows)} | {f"{len(gaps)}"}


@pytest.mark.parametrize("name", ["table_model", "log_model", "contract_model"])
def test_every_figure_is_one_of_the_report(name: str, request: pytest.FixtureRequest) -> None:
    model: Published = request.getfixturevalue(name)
    card = (model.trained.folder / "card.md").read_text(encoding="utf-8")
    report = json.loads((model.trained.folder / "report.json").read_text(encoding="utf-8"))
    assert card == render_card(report)
    known = set(figures(report)) | derived(report)
    written = NUMBER.findall(re.sub(r"SHA-256 of the study: \w+|\d{4}-\d\d-\d\d\S*", "", card))
    missing = [figure for figure in written if figure not in known and figure.rstrip(",") not in known]
    audited = [figure for sentence in report_sentences(report) for figure in NUMBER.findall(sentence)]
    assert [figure for figure in missing if figure not in audited] == []


def report_sentences(report: dict[str, Any]) -> list[str]:
    """The sentences of the audit, which have tests of their own."""
    from training.audit.sentences import audit_sentences

    return audit_sentences(report["audit"])


def test_the_figures_of_the_model_stand_in_its_row() -> None:
    report = made_up_report()
    model = report["metrics"]["180"]["model"]
    low, high = model["intervals"]["auc"]
    rows = [line for line in render_card(report).splitlines() if line.startswith("| model |")]
    assert rows[1].startswith(f"| model | {model['auc']:.3f} ({low:.3f} to {high:.3f}) | ")
    group = report["fairness"]["columns"][0]["groups"][0] if report["fairness"] else {}
    assert f"| south (190 examples, 190 customers) | {group['figures']['base_rate']['value']:.3f} (" in (
        render_card(report)
    )


def test_weaknesses_are_those_that_were_found() -> None:
    report = made_up_report()
    found = weaknesses(report)
    assert "Only 12 positives." in found
    assert "It all but states the label." in found
    assert "The rate fell." not in found  # a note
    assert "Of the 200 likeliest, 70 were silent for the 180 days before." in found
    report["verdict"] = {**report["verdict"], "fault": "One outcome."}
    assert weaknesses(report)[0] == "One outcome."


def test_limits_and_privacy_follow_from_the_study() -> None:
    report = made_up_report()
    assert "What happens later than 180 days after the prediction." in limits(report)
    assert not any("figures by group alone" in one for one in privacy(report))
    column = {**report["data"]["columns"][0], "name": "gender", "kind": "fairness"}
    report["data"] = {**report["data"], "columns": [column]}
    assert privacy(report)[-1] == "Read for the figures by group alone: gender."


def test_texts_of_the_data_are_no_markup() -> None:
    report = made_up_report()
    report["title"] = "Who <b>leaves</b> | [now](x)\n# again?"
    first = render_card(report).splitlines()[0]
    assert first == r"# Who \<b>leaves\</b> \| \[now\](x) # again?"
