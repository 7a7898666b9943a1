"""A published model measured on files: its own test again, later dates, other shops."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.errors import PropenseError
from model.scoring.as_of import AsOf, today
from model.times import DAY, format_instant, parse_time
from tests.training.shops import Published, Row, contract_shop, log_shop, table_shop, write_csv
from training.measure.metrics import measure
from training.run.evaluate import evaluate_files


def evaluated(model: Published, folder: Path | None = None, **changes: Any) -> dict[str, Any]:
    """Measure on the files in a folder, or on those of the training."""
    where = folder or model.shop.folder
    log = model.predictor.manifest.schema_.events is not None
    options: dict[str, Any] = {
        "customers": where / "customers.csv",
        "events": where / "events.csv" if log else None,
        "as_of": None,
    }
    options |= changes
    if isinstance(options["as_of"], int):
        options["as_of"] = AsOf(options["as_of"], "the test")
    return evaluate_files(model.predictor, **options)


def refusal(model: Published, folder: Path | None = None, **changes: Any) -> str:
    with pytest.raises(PropenseError) as caught:
        evaluated(model, folder, **changes)
    return str(caught.value)


def bought(rows: list[Row], as_of: int, within_days: int) -> tuple[int, int]:
    """Customers with an event in the 60 days before, and how many of them buy afterwards."""
    eligible = positives = 0
    for row in rows:
        times = [(parse_time(event["when"]), event["kind"]) for event in row["events"]]
        if any(as_of - 60 * DAY < time <= as_of for time, _ in times):
            eligible += 1
            positives += any(
                as_of < time <= as_of + within_days * DAY and kind == "buy" for time, kind in times
            )
    return eligible, positives


def test_a_log_is_asked_at_its_latest_complete_day(log_model: Published) -> None:
    told = evaluated(log_model)
    rows = log_model.shop.customers
    last = max(parse_time(event["when"]) for row in rows for event in row["events"])
    as_of = (last - 30 * DAY) // DAY * DAY
    assert told["as_of"] == format_instant(as_of)
    assert list(told["metrics"]) == ["10", "30"]
    for days, compared in told["metrics"].items():
        model = compared["model"]
        assert (model["n"], model["positives"]) == bought(rows, as_of, int(days))
        share = np.full(model["n"], model["positives"] / model["n"])
        wanted = measure((np.arange(model["n"]) < model["positives"]).astype(float), share)
        assert compared["base_rate"]["log_loss"] == pytest.approx(wanted.log_loss)


def test_a_log_is_asked_at_any_day(log_model: Published, tmp_path: Path) -> None:
    other = log_shop(tmp_path, seed=5)
    as_of = parse_time("2022-06-01")
    told = evaluated(log_model, tmp_path, as_of=as_of)
    assert told["as_of"] == "2022-06-01"
    model = told["metrics"]["30"]["model"]
    assert (model["n"], model["positives"]) == bought(other.customers, as_of, 30)
    assert model["auc"] > 0.6  # who comes often comes again: learnt in one shop, true in the other


def test_only_horizons_that_have_passed_are_measured(log_model: Published) -> None:
    last = max(parse_time(event["when"]) for row in log_model.shop.customers for event in row["events"])
    assert list(evaluated(log_model, as_of=last - 15 * DAY)["metrics"]) == ["10"]


def test_a_day_without_any_complete_window_is_refused(log_model: Published) -> None:
    last = max(parse_time(event["when"]) for row in log_model.shop.customers for event in row["events"])
    as_of = (last - 5 * DAY) // DAY * DAY
    assert refusal(log_model, as_of=as_of) == (
        f"a window from {format_instant(as_of)} must be complete, got data up to {format_instant(last)}. "
        "Name an earlier date with --as-of."
    )


def test_a_day_at_which_nobody_is_eligible_is_refused(log_model: Published) -> None:
    assert refusal(log_model, as_of=parse_time("2021-06-01")) == (
        "a customer must be eligible at 2021-06-01, got none: not yet a customer (160). Name another date "
        "with --as-of."
    )


def test_a_table_is_measured_where_it_has_a_label(table_model: Published, tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 300, seed=3)
    rows = [
        {**row, "churn": None if n % 3 == 0 else "yes" if left else "no"}
        for n, (row, left) in enumerate(zip(shop.customers, shop.churned, strict=True))
    ]
    write_csv(tmp_path / "customers.csv", rows)
    model = evaluated(table_model, tmp_path)["metrics"]["label"]["model"]
    assert model["n"] == 200
    assert model["positives"] == sum(left for n, left in enumerate(shop.churned) if n % 3)
    assert model["auc"] > 0.65


def test_several_rows_of_one_id_are_one_customer(table_model: Published, tmp_path: Path) -> None:
    """The same rows four times over measure the same, and are no more evidence than once."""
    shop = table_shop(tmp_path, 300, seed=3)
    once = evaluated(table_model, tmp_path)["metrics"]["label"]["model"]
    labels = ["Yes" if left else "No" for left in shop.churned]
    rows = [{**row, "churn": label} for row, label in zip(shop.customers, labels, strict=True)]
    write_csv(tmp_path / "customers.csv", [row for row in rows for _ in range(4)])
    often = evaluated(table_model, tmp_path)["metrics"]["label"]["model"]
    assert often["n"] == 4 * once["n"]
    assert often["log_loss"] == pytest.approx(once["log_loss"])
    for name in ("log_loss", "auc"):
        assert often["intervals"][name] == pytest.approx(once["intervals"][name])


def test_a_table_is_asked_today_unless_a_day_is_named(table_model: Published) -> None:
    told = evaluated(table_model)
    assert (told["as_of"], told["as_of_from"]) == (format_instant(today("UTC").instant), "today")
    assert evaluated(table_model, as_of=parse_time("2030-01-01"))["as_of"] == "2030-01-01"


def ending(rows: list[Row], as_of: int, within_days: int) -> tuple[int, int]:
    """Contracts that run, and how many of them end soon."""
    running = positives = 0
    for row in rows:
        end = parse_time(row["ended"]) if row["ended"] else None
        if parse_time(row["joined"]) <= as_of and (end is None or end > as_of):
            running += 1
            positives += end is not None and end <= as_of + within_days * DAY
    return running, positives


@pytest.mark.parametrize("name", ["contract_model", "contract_log_model"])
def test_contracts_are_asked_while_they_run_and_end_within_the_horizon(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    model: Published = request.getfixturevalue(name)
    other = contract_shop(tmp_path, seed=7)
    as_of = parse_time("2022-06-01")
    told = evaluated(model, tmp_path, as_of=as_of)
    assert told["as_of"] == "2022-06-01"
    for horizon, compared in told["metrics"].items():
        found = compared["model"]
        assert (found["n"], found["positives"]) == ending(other.customers, as_of, int(horizon))
    assert told["metrics"]["30"]["model"]["auc"] > 0.6  # a monthly plan ends sooner, here as there


def test_contracts_without_a_log_are_asked_at_the_latest_complete_day(contract_model: Published) -> None:
    rows = contract_model.shop.customers
    last = max(parse_time(row[name]) for row in rows for name in ("joined", "ended") if row[name])
    assert evaluated(contract_model)["as_of"] == format_instant(last - 30 * DAY)


def test_contracts_whose_ends_are_not_in_the_file_cannot_be_measured(
    contract_model: Published, tmp_path: Path
) -> None:
    rows = [{n: v for n, v in row.items() if n != "ended"} for row in contract_model.shop.customers]
    write_csv(
        tmp_path / "customers.csv", [{n: row[n] for n in ("id", "plan", "age", "joined")} for row in rows]
    )
    assert refusal(contract_model, tmp_path).startswith("customers.csv has no column 'ended'")


def test_files_without_a_label_are_refused(table_model: Published, tmp_path: Path) -> None:
    write_csv(tmp_path / "customers.csv", table_model.shop.customers)
    assert refusal(table_model, tmp_path).startswith("customers.csv has no column 'churn'; its columns are")


def test_files_with_one_outcome_are_refused(table_model: Published, tmp_path: Path) -> None:
    rows = [{**row, "churn": "Yes"} for row in table_model.shop.customers]
    write_csv(tmp_path / "customers.csv", rows)
    assert refusal(table_model, tmp_path) == (
        "the label 'churn' must have both outcomes, got only 'Yes' (240); blank cells are no answer. Write a "
        "value in the rows that are negative."
    )


def test_files_that_are_not_named_are_asked_for(log_model: Published, table_model: Published) -> None:
    assert refusal(table_model, customers=None) == (
        "this model reads a customer table; name it with --customers FILE"
    )
    assert refusal(log_model, events=None) == "this model reads an event log; name it with --events FILE"
