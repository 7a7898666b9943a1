"""From a study to what a fit needs: the right columns are read, the right instant is asked at."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from model.errors import DataError, PropenseError
from model.scoring import as_of
from model.task import ColumnTask, LogTask
from model.times import DAY, parse_time, to_instant
from tests.training.shops import (
    LOG,
    TABLE,
    WIDE,
    log_shop,
    table_shop,
)
from training.prepare import prepare, read_dataset
from training.study.study import read_study


def refusal(folder: Path, text: str, *overrides: str) -> str:
    with pytest.raises(PropenseError) as caught:
        prepare(table_shop(folder, 60).study(text, *overrides))
    return str(caught.value)


def today() -> int:
    return to_instant(datetime.now(UTC)) // DAY * DAY


def test_a_table_study(tmp_path: Path) -> None:
    prepared = prepare(table_shop(tmp_path, 60).study(TABLE))
    assert prepared.task == ColumnTask(column="churn", positive="Yes")
    assert prepared.fields.id == "id"
    assert prepared.fields.kinds == {
        "tenure": "numeric",
        "contract": "categorical",
        "senior": "boolean",
        "since": "date",
        **dict.fromkeys(["bill_1", "bill_2", "bill_3", "late_2", "late_3"], "numeric"),
    }
    assert prepared.fields.date_formats == {"since": "%d.%m.%Y"}
    assert prepared.fields.events is None
    assert prepared.plan.kind == "rows"
    assert prepared.dataset.ids[:2] == ("0001", "0002")


def test_a_table_is_asked_at_its_latest_date(tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 60)
    latest = max(row["since"] for row in shop.customers if row["since"])
    prepared = prepare(shop.study(TABLE))
    assert prepared.as_of == parse_time(latest)
    assert set(prepared.plan.examples.cutoffs.tolist()) == {parse_time(latest)}


def test_a_log_study(tmp_path: Path) -> None:
    shop = log_shop(tmp_path)
    prepared = prepare(shop.study(LOG))
    assert isinstance(prepared.task, LogTask)
    assert prepared.fields.kinds == {"plan": "categorical", "since": "date"}
    assert prepared.fields.events
    assert (prepared.fields.events.id, prepared.fields.events.time, prepared.fields.events.type) == (
        "who",
        "when",
        "kind",
    )
    assert (prepared.fields.events.values, prepared.fields.events.attributes) == (
        ("amount", "items"),
        ("shop",),
    )
    assert prepared.as_of == max(
        parse_time(event["when"]) for row in shop.customers for event in row["events"]
    )
    steps = np.diff(np.unique(prepared.plan.examples.cutoffs))
    assert set((steps / DAY).tolist()) == {20.0}


def test_a_log_study_keeps_to_its_first_and_last_cutoff(tmp_path: Path) -> None:
    study = log_shop(tmp_path).study(
        LOG, "target.cutoffs.first=2022-03-01", "target.cutoffs.last=2022-06-01", "target.event=any"
    )
    cutoffs = np.unique(prepare(study).plan.examples.cutoffs).tolist()
    assert cutoffs[0] >= parse_time("2022-03-01")
    assert cutoffs[-1] == parse_time("2022-06-01")


def test_max_events_is_the_network_s(tmp_path: Path) -> None:
    prepared = prepare(log_shop(tmp_path, 60).study(LOG, "network.max_events=7"))
    assert prepared.fields.max_events == 7


def test_series_are_numeric_columns_in_the_order_declared(tmp_path: Path) -> None:
    prepared = prepare(table_shop(tmp_path, 60).study(WIDE))
    assert prepared.fields.series == {"bill": ("bill_1", "bill_2", "bill_3"), "late": ("late_2", "late_3")}
    assert prepared.fields.kinds["bill_2"] == prepared.fields.kinds["late_3"] == "numeric"


def test_what_is_excluded_or_overruled(tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 60)
    study = shop.study(TABLE, "data.customers.exclude=[tenure]", "data.customers.categorical=[late_2]")
    prepared = prepare(study)
    assert "tenure" not in prepared.dataset.columns
    assert prepared.fields.kinds["late_2"] == "categorical"


@pytest.mark.parametrize(("key", "column"), [("time", "since"), ("group", "contract")])
def test_a_column_that_splits_is_not_learnt_from(tmp_path: Path, key: str, column: str) -> None:
    shop = table_shop(tmp_path, 60)
    for row in shop.customers:
        row[column] = row[column] or "2022-02-02"
    shop.save_table()
    prepared = prepare(shop.study(TABLE, f"split.{key}={column}"))
    assert column not in prepared.fields.kinds
    assert "churn" not in prepared.fields.kinds
    assert "id" not in prepared.fields.kinds
    assert prepared.plan.kind == {"time": "time", "group": "groups"}[key]


def test_duplicates_of_a_table_are_dealt_as_one(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "id,a,churn\n" + "".join(f"{n},{n // 2}.5,{'Yes' if n % 4 else 'No'}\n" for n in range(200))
    )
    (tmp_path / "study.yaml").write_text(TABLE.replace("customers.csv", "t.csv"))
    plan = prepare(read_study(tmp_path / "study.yaml")).plan
    assert len(plan.test)
    assert set(plan.test.tolist()) == {n ^ 1 for n in plan.test.tolist()}


def test_equal_columns_are_no_duplicates_where_a_log_tells_customers_apart(tmp_path: Path) -> None:
    shop = log_shop(tmp_path)
    label = "\n".join(
        f"{row['id']},pair {i // 2},{'Yes' if i % 3 else 'No'}" for i, row in enumerate(shop.customers)
    )
    (tmp_path / "customers.csv").write_text(f"id,plan,churn\n{label}\n")
    text = LOG[: LOG.index("target:")] + 'target: {column: churn, positive: "Yes"}\n'
    prepared = prepare(shop.study(text))
    assert prepared.task == ColumnTask(column="churn", positive="Yes")
    assert len(prepared.plan.test) == 32
    assert {row ^ 1 for row in prepared.plan.test.tolist()} != set(prepared.plan.test.tolist())
    assert prepared.as_of == prepared.dataset.data_end


def test_a_series_of_columns_that_are_not_there_is_refused(tmp_path: Path) -> None:
    text = refusal(tmp_path, TABLE, "data.customers.sequences={bill: [bill_1, bill_9]}")
    assert text.startswith(
        "data.customers.sequences must name columns of the table, got ['bill_9']. The columns are ['id', "
    )


def test_a_table_of_nothing_but_its_label_is_refused(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("id,churn\n1,Yes\n2,No\n")
    (tmp_path / "study.yaml").write_text(TABLE)
    with pytest.raises(DataError) as caught:
        prepare(read_study(tmp_path / "study.yaml"))
    assert str(caught.value) == (
        "the table must have a column to learn from, got none. Check data.customers.exclude."
    )


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(TABLE)
    with pytest.raises(DataError, match=r"customers\.csv must be a file, got a path where there is none"):
        read_dataset(read_study(tmp_path / "study.yaml"))


def test_files_are_found_beside_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = table_shop(tmp_path, 60).study(TABLE)
    monkeypatch.chdir("/")
    assert len(read_dataset(study)) == 60


def test_without_any_date_a_table_is_dated_today(tmp_path: Path) -> None:
    prepared = prepare(table_shop(tmp_path, 60).study(TABLE, "data.customers.exclude=[since]"))
    assert (prepared.as_of, prepared.notes) == (as_of.today("UTC").instant, ())


def test_a_stray_date_of_a_table_dates_nothing_and_is_counted(tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 200)
    own = prepare(shop.study(TABLE)).as_of
    shop.customers[0]["since"] = "2025-01-01"
    shop.save_table()
    found = prepare(shop.study(TABLE))
    assert found.as_of == own
    assert "1 of " in found.notes[-1]
    stated = prepare(shop.study(TABLE, "target.as_of=2025-03-01"))
    assert stated.as_of == parse_time("2025-03-01")
    assert stated.notes == ("Ages of dates count up to 2025-03-01, target.as_of.",)


def test_one_event_in_the_future_is_told_and_many_are_refused(tmp_path: Path) -> None:
    shop = log_shop(tmp_path)
    own = prepare(shop.study(LOG)).as_of
    events = next(row["events"] for row in shop.customers if row["events"])
    events.append({**events[0], "when": "2999-01-01"})
    shop.save_log()
    found = prepare(shop.study(LOG))
    assert found.as_of == own
    assert found.question
    assert found.question.notes[-1].startswith("1 of ")
    for row in shop.customers:
        row["events"] = [{**event, "when": "2999-01-01"} for event in row["events"]]
    shop.save_log()
    with pytest.raises(DataError, match="the events of a log must have happened"):
        prepare(shop.study(LOG))
