"""A run: who tells of it, which labels it sees, and data that are few or of one class."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.errors import DataError
from model.files.names import counted
from tests.training.recorded_runs import COMPARE, QUICK, Recorded, record, repeated
from tests.training.shops import (
    LOG,
    TABLE,
    Shop,
    log_shop,
    table_shop,
)
from training.fit.loop import Epoch
from training.measure.measuring import measured
from training.prepare import prepare
from training.publish.comparison import last_probability
from training.question.labels import Bools, Labels
from training.report.page import render_html
from training.report.results import build_report
from training.run.run import run_study
from training.split.deal import Rows


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """What is recorded of the runs of one test."""
    return record(monkeypatch)


def test_progress_is_told_under_the_name_of_each_fit(tmp_path: Path) -> None:
    told: list[str] = []

    def on_epoch(fit: str, _epoch: Epoch) -> None:
        told.append(fit)

    study = repeated(table_shop(tmp_path)).study(TABLE, "fit.epochs=2", "split.compare=true")
    run_study(study, on_epoch=on_epoch, with_learning_curve=True)
    assert list(dict.fromkeys(told)) == ["measuring", "shuffled split", "publishing", "learning curve"]
    assert told.count("measuring") == told.count("shuffled split") == 2
    assert told.count("learning curve") == 2 * 3  # the fit on all customers is the measured one


def lied_about(labels: Labels, rows: Rows) -> Labels:
    """The same labels, those of some examples turned around."""
    outcomes = labels.outcomes.copy()
    outcomes[rows] = ~outcomes[rows]
    events = labels.events.copy()
    events[rows] = ~events[rows]
    return replace(labels, outcomes=outcomes, events=events)


SHOPS = pytest.mark.parametrize(
    ("make", "text"), [(table_shop, TABLE), (partial(log_shop, n=100), LOG)], ids=["table", "log"]
)


@SHOPS
def test_neither_network_nor_baselines_ever_see_a_test_label(
    make: Any, text: str, tmp_path: Path, recorded: Recorded
) -> None:
    study = make(tmp_path).study(text, *QUICK)
    prepared = prepare(study)
    plan = prepared.plan
    lies = replace(
        plan,
        labels=lied_about(plan.labels, plan.test),
        measured_labels=lied_about(plan.measured_labels, plan.test),
    )
    answers: list[Mapping[str, Any]] = []
    data, asked = prepared.dataset, plan.examples.take(plan.test)
    for told in (prepared, replace(prepared, plan=lies)):
        found = run_study(study, prepared=told)
        answers.append(
            {"model": found.measured.scorer.score(data.columns, data.log, asked), **recorded.baselines}
        )
    assert {"model", "gradient_boosting"} <= answers[0].keys()
    for who, p in answers[0].items():
        assert np.array_equal(p, answers[1][who]), who


@SHOPS
def test_the_last_point_of_a_learning_curve_is_the_measured_model(
    make: Any, text: str, tmp_path: Path
) -> None:
    found = run_study(make(tmp_path).study(text, *QUICK), with_learning_curve=True)
    plan = found.prepared.plan
    last = found.points[-1]
    rows = plan.unseen[plan.labels.complete[plan.unseen, -1]]
    p = last_probability(found.measured.scorer, found.prepared, rows)
    assert last.metrics == measured(plan.labels.outcomes[rows, -1].astype(np.float64), p, plan.groups[rows])
    assert (last.metrics == list(found.metrics.values())[-1]["model"]) == (text == TABLE)
    assert (last.share, last.examples) == (1.0, len(plan.measured.rows))
    report = build_report(found)
    assert report["learning_curve"] == [asdict(point) for point in found.points]
    assert report["learning_conclusion"].startswith("The last doubling of the customers changed the log loss")


FEW = "The test has {} of the rarer outcome. With fewer than 100, the figures are uncertain"


def test_a_hundred_positives_are_enough_for_a_table(tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 900, seed=1)
    leavers = [n for n, left in enumerate(shop.churned) if left]
    kept = sorted([*leavers[:100], *(n for n, left in enumerate(shop.churned) if not left)])
    few = Shop(tmp_path, [shop.customers[n] for n in kept], [shop.churned[n] for n in kept])
    few.save_table()
    found = run_study(few.study(TABLE, "fit.epochs=12", "fit.refit=false"))
    report = build_report(found)
    assert report["audit"]["positives"] == 100
    model = report["metrics"]["label"]["model"]
    assert model["positives"] == 20
    assert model["auc"] > 0.65
    assert model["intervals"]["auc"] is not None
    assert [note for note in report["warnings"] if note.startswith(FEW.format("20 examples"))]


def test_a_hundred_positives_are_enough_for_a_log(tmp_path: Path) -> None:
    """Of all examples at all cutoffs."""
    shop = log_shop(tmp_path, 120)
    for customer in shop.customers[40:]:
        for event in customer["events"]:
            event["kind"] = "visit"
    shop.save_log()
    found = run_study(shop.study(LOG, "target.cutoffs.every_days=30", *COMPARE))
    labels = found.prepared.plan.labels
    positives = int((labels.outcomes & labels.complete)[:, -1].sum())
    assert 80 < positives < 120
    model = found.metrics["30"]["model"]
    assert 0 < model["positives"] < 40
    report = build_report(found)
    rarer = [
        min(m["model"]["positives"], m["model"]["n"] - m["model"]["positives"])
        for m in report["metrics"].values()
    ]
    assert [
        note for note in report["warnings"] if note.startswith(FEW.format(counted(min(rarer), "example")))
    ]
    assert render_html(report)


@pytest.mark.parametrize("part", ["test", "judged", "fold 0", "all"])
@pytest.mark.parametrize("positive", [False, True], ids=["negatives", "positives"])
def test_parts_of_one_class_are_measured_as_far_as_that_goes(
    part: str, positive: bool, tmp_path: Path
) -> None:
    """Of fold 0 the examples that are judged: those that baselines stop and calibrate on."""
    study = table_shop(tmp_path, 120).study(TABLE, *QUICK)
    prepared = prepare(study)
    plan = prepared.plan

    def of_class(rows: Rows) -> Bools:
        return np.asarray(plan.labels.outcomes[rows, 0] == positive)

    measured, judged, test, test_fold = plan.measured, plan.measured.judged, plan.test, plan.test_fold
    if part in ("judged", "all"):
        judged = judged & of_class(measured.rows)
    if part == "fold 0":
        judged = judged & (of_class(measured.rows) | (measured.fold != 0))
    if part in ("test", "all"):
        test, test_fold = test[of_class(test)], test_fold[of_class(test)]
    plan = replace(plan, measured=replace(measured, judged=judged), test=test, test_fold=test_fold)
    prepared = replace(prepared, plan=plan)
    found = run_study(study, prepared=prepared, with_learning_curve=part == "all")
    report = build_report(found)
    for figures in report["metrics"]["label"].values():
        assert (figures["auc"] is None) == (part in ("test", "all"))
        assert np.isfinite(figures["log_loss"])
    assert json.loads(json.dumps(report, allow_nan=False))["verdict"]["outcome"] in (
        "beats",
        "equals",
        "trails",
    )
    assert "AUC" in render_html(report)


def test_a_column_that_states_the_label_is_refused_before_anything_is_fitted(
    tmp_path: Path, recorded: Recorded
) -> None:
    shop = table_shop(tmp_path)
    for row, left in zip(shop.customers, shop.churned, strict=True):
        row["goodbye"] = 1.0 if left else 0.0
    shop.save_table()
    with pytest.raises(DataError, match=r"a column must not reveal the label, got .*\n- goodbye: "):
        run_study(shop.study(TABLE, *QUICK))
    assert recorded.fits == []
    allowed = run_study(shop.study(TABLE, *QUICK, "allow_leaks=[goodbye]"))
    assert allowed.metrics["label"]["gradient_boosting"]["auc"] == 1.0


def test_a_test_without_a_complete_window_is_refused_before_anything_is_fitted(
    tmp_path: Path, recorded: Recorded
) -> None:
    study = log_shop(tmp_path).study(LOG, *QUICK)
    prepared = prepare(study)
    complete = prepared.plan.labels.complete.copy()
    complete[prepared.plan.test, -1] = False
    plan = replace(prepared.plan, labels=replace(prepared.plan.labels, complete=complete))
    with pytest.raises(DataError) as caught:
        run_study(study, prepared=replace(prepared, plan=plan))
    assert str(caught.value) == (
        f"a test must have complete windows at the longest horizon, got none in {len(plan.test)} examples. "
        "Shorten target.horizons_days, or set target.cutoffs.last."
    )
    assert recorded.fits == []


def test_a_bag_has_the_folds_and_members_that_the_study_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = record(monkeypatch)
    run_study(table_shop(tmp_path, 60).study(TABLE, *QUICK, "network.members=3", "network.folds=4"))
    (bag,) = recorded.bags
    assert (bag.scorer.spec.folds, bag.scorer.spec.members) == (4, 3)
