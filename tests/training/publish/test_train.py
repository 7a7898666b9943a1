"""A training run publishes a whole version whose parts agree, or nothing; and nobody's data are in it."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.errors import DataError
from model.predictor import load_predictor
from model.store.checkpoint import MANIFEST, WEIGHTS, read_checkpoint
from model.store.registry import Registry
from model.times import parse_time
from tests.training.report.pages import Page
from tests.training.shops import LOG, SMALL, TABLE, Published, log_shop, publish, table_shop, write_csv
from training.fit.loop import PROGRESS, Epoch
from training.measure.metrics import measure
from training.prepare import prepare
from training.publish.publish import train
from training.study.study import read_study


@pytest.fixture(params=["table_model", "log_model"])
def model(request: pytest.FixtureRequest) -> Published:
    published: Published = request.getfixturevalue(request.param)
    return published


def stored_report(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return report


def plain(value: Any) -> Any:
    """A value as JSON would give it back."""
    return json.loads(json.dumps(value))


def test_the_parts_of_a_version_agree(model: Published) -> None:
    folder, trained = model.trained.folder, model.trained
    manifest = read_checkpoint(folder, name=model.study.name, version=1).manifest
    report = stored_report(folder)
    assert report == plain(trained.report)
    assert (report["name"], report["version"]) == (manifest.name, manifest.version) == (model.study.name, 1)
    assert report["created"] == manifest.created
    assert report["metrics"] == manifest.metrics
    assert report["task"] == manifest.task.model_dump(mode="json")
    assert report["calibration"] == manifest.calibration.model_dump(mode="json")
    assert report["study"] == manifest.provenance["study"] == model.study.model_dump(mode="json")
    assert set(manifest.files) | {MANIFEST} == {path.name for path in folder.iterdir()}
    assert set(manifest.files) == {WEIGHTS, "report.json", "report.html", "card.md"}


def test_a_report_tells_what_was_read_and_how_it_was_split(model: Published) -> None:
    prepared, report = prepare(model.study), model.trained.report
    plan = prepared.plan
    assert report["split"] == {
        "kind": plan.kind,
        "sentence": plan.sentence,
        "train": len(plan.measured.rows),
        "judged": plan.measured.judged.sum(),
        "test": len(plan.test),
        "held_out": len(plan.unseen),
        "test_customers": len(set(plan.examples.customers[plan.test].tolist())),
        "held_out_customers": len(set(plan.examples.customers[plan.unseen].tolist())),
    }
    assert report["data"]["customers"] == len(model.shop.customers)
    counts = [(m["model"]["positives"], m["model"]["n"]) for m in report["metrics"].values()]
    few = min(min(positives, n - positives) for positives, n in counts)
    assert report["warnings"] == [
        *plan.warnings,
        f"The test has {few} examples of the rarer outcome. With fewer than 100, the figures are "
        "uncertain: see their intervals.",
    ]
    read = {column["name"]: column["kind"] for column in report["data"]["columns"]}
    assert read.items() >= dict(prepared.fields.kinds).items()
    fit = report["fit"]
    assert fit["epochs"] == len(fit["history"]) == model.study.fit.epochs
    losses = [epoch["validation_loss"] for epoch in fit["history"]]
    assert losses[fit["best_epoch"] - 1] * (1 - PROGRESS) <= min(losses)
    weights = model.predictor.scorer.weights.values()
    assert fit["parameters"] == sum(weight.size for weight in weights)


def test_provenance_is_enough_to_train_again(model: Published) -> None:
    told = model.predictor.manifest.provenance
    assert told["folder"] == str(model.shop.folder.resolve())
    assert told["customers"] == len(model.shop.customers)
    assert told["held_out"] == prepare(model.study).plan.held_out.model_dump(mode="json")
    assert (told["refit"], told["device"]) == (False, "cpu")
    assert told["versions"].keys() == {"propense", "python", "torch", "numpy"}
    assert parse_time(told["data_end"]) == prepare(model.study).as_of


def test_the_figures_are_those_of_the_test_rows(model: Published) -> None:
    prepared = prepare(model.study)
    plan, data = prepared.plan, prepared.dataset
    p = model.predictor.scorer.score(data.columns, data.log, plan.examples.take(plan.test))
    y = plan.labels.take(plan.test).outcomes.astype(np.float64)
    for k, compared in enumerate(model.trained.report["metrics"].values()):
        wanted = measure(y[:, k], p[:, k])
        alike = pytest.approx(wanted.log_loss, abs=1e-6), pytest.approx(wanted.auc, abs=1e-6)
        assert compared["model"]["n"] == len(plan.test)
        assert ((compared["model"]["log_loss"], compared["model"]["auc"]) == alike) == (not len(plan.seen))
    rate = plan.measured_labels.take(plan.measured.rows).outcomes[:, -1]
    known = plan.measured_labels.take(plan.measured.rows).complete[:, -1]
    share = float(rate[known].mean())
    base = measure(y[:, -1], np.full(len(y), share))
    assert compared["base_rate"]["log_loss"] == pytest.approx(base.log_loss)


def test_the_report_counts_each_cutoff_of_a_log(log_model: Published) -> None:
    told = log_model.trained.report["audit"]["cutoffs"]
    assert [row["cutoff"] for row in told] == sorted(row["cutoff"] for row in told)
    assert Counter(row["role"] for row in told)["test"] == 1
    test = next(row for row in told if row["role"] == "test")
    cutoff, after = parse_time(test["cutoff"]), {"10": 0, "30": 0}
    eligible = 0
    for row in log_model.shop.customers:
        ages = [(parse_time(event["when"]) - cutoff) / 86_400e6 for event in row["events"]]
        if not any(-60 < age <= 0 for age in ages):
            continue
        eligible += 1
        bought = [a for a, event in zip(ages, row["events"], strict=True) if event["kind"] == "buy"]
        for days in after:
            after[days] += any(0 < age <= int(days) for age in bought)
    assert (test["eligible"], test["positives"]) == (eligible, after)
    assert set(told[-1]["positives"]) == {"10"}  # 30 days had not passed
    assert {row["role"] for row in told[: told.index(test)]} == {"train"}
    assert {row["role"] for row in told[told.index(test) + 1 :]} == {"none"}  # it was not fitted again


def test_a_table_has_no_cutoffs_to_report(table_model: Published) -> None:
    audit = table_model.trained.report["audit"]
    assert "cutoffs" not in audit
    assert (audit["rows"], audit["positives"]) == (240, sum(table_model.shop.churned))


def test_the_page_shows_the_study_s_name_and_verdict(model: Published) -> None:
    page = (model.trained.folder / "report.html").read_text(encoding="utf-8")
    assert model.study.name in page
    assert model.trained.report["question"].split('"')[0] in page


def test_without_a_refit_the_published_network_is_the_measured_one(table_model: Published) -> None:
    """Seen in that a refit gives another, of the same figures."""
    again = publish(table_model.shop, TABLE.replace("name: table", "name: again"))
    assert again.trained.report["metrics"] == table_model.trained.report["metrics"]
    assert again.trained.report["fit"]["history"] == table_model.trained.report["fit"]["history"]
    assert again.predictor.manifest.schema_ != table_model.predictor.manifest.schema_
    assert again.predictor.manifest.files[WEIGHTS] != table_model.predictor.manifest.files[WEIGHTS]


def test_a_second_run_is_a_second_version_with_the_same_weights(tmp_path: Path) -> None:
    study, registry = table_shop(tmp_path).study(TABLE), Registry(tmp_path / "registry")
    first, second = train(study, registry), train(study, registry)
    assert (first.version, first.champion) == (1, 1)
    assert (second.version, second.champion) == (2, 1)
    digests = [read_checkpoint(run.folder).manifest.files[WEIGHTS] for run in (first, second)]
    assert digests[0] == digests[1]
    assert registry.champion("table") == 1


def test_a_learning_curve_is_published_with_the_version(tmp_path: Path) -> None:
    study, registry = table_shop(tmp_path).study(TABLE, "fit.refit=false"), Registry(tmp_path / "registry")
    folder = train(study, registry, with_learning_curve=True).folder
    report = stored_report(folder)
    assert [point["share"] for point in report["learning_curve"]] == [0.125, 0.25, 0.5, 1.0]
    assert report["learning_curve"][-1]["metrics"] == report["metrics"]["label"]["model"]
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert report["learning_conclusion"] in page.text


def test_both_fits_are_told_of_epoch_by_epoch(tmp_path: Path) -> None:
    told: list[tuple[str, int]] = []

    def on_epoch(fit: str, epoch: Epoch) -> None:
        told.append((fit, epoch.epoch))

    report = train(table_shop(tmp_path).study(TABLE), Registry(tmp_path / "r"), on_epoch=on_epoch).report
    measured = [n for fit, n in told if fit == "measuring"]
    published = [n for fit, n in told if fit == "publishing"]
    assert [fit for fit, _ in told] == ["measuring"] * len(measured) + ["publishing"] * len(published)
    assert measured == list(range(1, report["fit"]["epochs"] + 1))
    assert published == list(range(1, len(published) + 1)) != []


def test_nobody_is_in_a_checkpoint(tmp_path: Path) -> None:
    """Ids, what one customer alone has, and whole rows; though asked about at many cutoffs."""
    shop = log_shop(tmp_path, 100)
    for row in shop.customers:
        row["id"] = f"qq{row['id']}"
    known = max(shop.customers, key=lambda row: len(row["events"]))
    known["plan"] = "zz-plan"
    for event in known["events"]:
        event["shop"] = "zz-shop"
    shop.save_log()
    published = publish(shop, LOG)
    text = b"".join(path.read_bytes() for path in published.trained.folder.iterdir()).lower()
    assert b"north" in text  # what many customers share is there
    assert b"paid" in text
    assert not [word for word in (b"qq00", b"zz-plan", b"zz-shop") if word in text]
    lines = (tmp_path / "events.csv").read_bytes().lower().splitlines()[1:]
    lines += (tmp_path / "customers.csv").read_bytes().lower().splitlines()[1:]
    assert not [line for line in lines if line in text]


def test_data_that_cannot_be_used_publish_nothing(tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 60)
    with pytest.raises(DataError, match=r"target\.positive must be a value of 'churn', got 'left'"):
        train(shop.study(TABLE, "target.positive=left"), Registry(tmp_path / "registry"))
    assert not (tmp_path / "registry").exists()


def test_a_failure_while_publishing_leaves_no_trace_and_the_next_run_is_version_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, registry = table_shop(tmp_path, 60).study(TABLE), Registry(tmp_path / "registry")
    monkeypatch.setattr("training.publish.publish.render_html", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train(study, registry)
    monkeypatch.undo()
    assert registry.versions("table") == []
    assert registry.champion("table") is None
    assert [path.name for path in (tmp_path / "registry" / "table").iterdir()] == [".lock"]
    assert train(study, registry).version == 1


def few(folder: Path, n: int, positives: int, *overrides: str) -> str:
    """Why a table of so few rows is refused."""
    rows = [{"id": str(i), "a": i * 1.5, "churn": "Yes" if i < positives else "No"} for i in range(n)]
    write_csv(folder / "customers.csv", rows)
    (folder / "study.yaml").write_text(TABLE)
    with pytest.raises(DataError) as caught:
        train(read_study(folder / "study.yaml", [*SMALL, *overrides]), Registry(folder / "registry"))
    assert not (folder / "registry").exists()
    return str(caught.value)


def test_a_fold_without_which_there_is_no_positive_is_refused(tmp_path: Path) -> None:
    told = few(tmp_path, 40, 1, "split.test_fraction=0.2")
    assert re.fullmatch(
        r"training must have both outcomes without any one fold, got 0 events among 32 training examples "
        r"without fold [1-5]\. Add customers, or lower split\.test_fraction\.",
        told,
    )


def test_data_without_a_positive_to_train_on_are_refused(tmp_path: Path) -> None:
    assert few(tmp_path, 40, 1, "split.test_fraction=0.9") == (
        "training must have both outcomes without any one fold, got 0 events among 4 training examples "
        "without fold 1. Add customers, or lower split.test_fraction."
    )


def test_a_split_without_rows_to_judge_on_is_refused(tmp_path: Path) -> None:
    assert few(tmp_path, 6, 3, "split.test_fraction=0.01") == (
        "a split must have examples for early stopping and for the test, got 6 and 0. Add customers, or "
        "change split.test_fraction."
    )


def test_a_published_version_answers_its_golden_customers(model: Published) -> None:
    predictor = load_predictor(model.trained.folder)  # refuses, should they differ
    golden = predictor.manifest.golden
    assert parse_time(golden.as_of) == prepare(model.study).as_of
    assert len(golden.customers) == len(golden.probabilities) >= 3
    assert len({round(p[-1], 6) for p in golden.probabilities}) > 1


def test_a_sequence_head_without_a_sequence_says_so(tmp_path: Path) -> None:
    published = publish(table_shop(tmp_path), TABLE, "network.head=cnn")
    assert (
        "The cnn head has no events or sequences to read, so it reads the columns as a sequence. The mlp "
        "head is made for columns."
    ) in published.trained.report["warnings"]
