"""What report.json holds: the parts that its types promise, and what a reader should know."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_type_hints, is_typeddict

import pytest

from tests.training.shops import LOG, Published, log_shop
from training.report.report import Report
from training.report.results import build_report
from training.run.run import run_study

MODELS = ["table_model", "log_model", "contract_model", "contract_log_model"]


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Published:
    published: Published = request.getfixturevalue(request.param)
    return published


def mismatches(value: Any, promised: Any, place: str = "report") -> list[str]:
    """Where plain values have other keys, or other kinds of value, than a TypedDict says."""
    if is_typeddict(promised):
        hints = get_type_hints(promised)
        found = [f"{place}.{key}" for key in hints.keys() ^ value.keys()]
        for key in hints.keys() & value.keys():
            found += mismatches(value[key], hints[key], f"{place}.{key}")
        return found
    arguments = get_args(promised)
    if isinstance(value, list | tuple):
        return [miss for item in value for miss in mismatches(item, arguments[0], f"{place}[]")]
    if isinstance(value, Mapping):
        return [] if all(isinstance(key, str) for key in value) else [place]
    kinds = tuple(kind for kind in arguments or (promised,) if isinstance(kind, type))
    return [] if isinstance(value, kinds) else [place]


def test_a_report_has_the_parts_that_its_type_promises(model: Published) -> None:
    report = model.trained.report
    assert mismatches(report, Report) == []
    assert mismatches({**report, "split": {**report["split"], "test": "many"}}, Report) == [
        "report.split.test"
    ]


def test_the_metrics_of_each_horizon_have_the_same_people_in_the_same_order(model: Published) -> None:
    report = model.trained.report
    names = list(model.predictor.manifest.task.output_names or ("label",))
    assert list(report["metrics"]) == list(report["curves"]) == names
    (people,) = {tuple(compared) for compared in report["metrics"].values()}
    assert people[0] == "model"
    assert people[-1] == "base_rate"
    assert ("recency" in people) == (report["data"]["events"] is not None)


def test_nothing_is_told_twice(model: Published) -> None:
    """The audit says how the study was understood, so that the notes on files need not."""
    report = model.trained.report
    assert not set(report["data"]["read"]) & set(report["audit"].get("understood", []))
    told = [*report["warnings"], *report["data"]["read"], *report["audit"].get("understood", [])]
    assert len(told) == len(set(told))


def test_a_field_s_missing_share_is_counted(log_model: Published) -> None:
    events = [event for row in log_model.shop.customers for event in row["events"]]
    share = {
        name: sum(event[name] is None for event in events) / len(events)
        for name in ("amount", "items", "kind", "shop")
    }
    told = {row["name"]: row["missing_share"] for row in log_model.trained.report["data"]["columns"]}
    assert share["amount"] > 0.05
    assert {name: told[name] for name in share} == pytest.approx(share)
    assert told["history"] is None


def test_a_column_s_missing_share_is_counted(table_model: Published) -> None:
    rows = table_model.shop.customers
    told = {row["name"]: row["missing_share"] for row in table_model.trained.report["data"]["columns"]}
    assert told["tenure"] == pytest.approx(sum(row["tenure"] is None for row in rows) / len(rows))
    assert told["bill_2"] == 0


def test_the_rarer_outcome_is_counted_whichever_it_is(log_model: Published) -> None:
    metrics = log_model.trained.report["metrics"]
    rarer = [
        min(m["model"]["positives"], m["model"]["n"] - m["model"]["positives"]) for m in metrics.values()
    ]
    assert rarer[-1] < metrics["30"]["model"]["positives"]  # most buy again
    assert log_model.trained.report["warnings"] == [
        f"The test has {min(rarer)} examples of the rarer outcome. With fewer than 100, the figures are "
        "uncertain: see their intervals."
    ]


def test_a_large_test_needs_no_warning_and_notes_of_baselines_are_passed_on(tmp_path: Path) -> None:
    found = run_study(log_shop(tmp_path, 40).study(LOG, "fit.refit=false", "fit.epochs=1"))
    enough = {
        horizon: {**compared, "model": {**compared["model"], "n": 1000, "positives": 100}}
        for horizon, compared in found.metrics.items()
    }
    plan = replace(found.prepared.plan, warnings=("The log is short.",))
    changed = replace(
        found, metrics=enough, notes=("No Pareto/NBD.",), prepared=replace(found.prepared, plan=plan)
    )
    assert build_report(changed)["warnings"] == ["The log is short.", "No Pareto/NBD."]


def test_what_is_published_is_said(log_model: Published, tmp_path: Path) -> None:
    assert log_model.trained.report["published"] == "The published model is the measured one."
    found = run_study(log_shop(tmp_path, 60).study(LOG, "fit.epochs=1"))
    report = build_report(found)
    assert report["published"] == ("The published model is fitted again on all examples.")
    assert report["fit"]["parameters"] == sum(
        weight.size for weight in found.measured.scorer.weights.values()
    )
