"""Splits of tables and logs: who learns from what, and nothing of the future is in what learns."""

import csv
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from model.errors import DataError, StudyError
from tests.benchmarks.quality.logs import log_deal
from tests.benchmarks.quality.problem import Split, held_customers, held_rows
from tests.benchmarks.quality.tables import table_deal
from tests.benchmarks.worlds import CUT, contract_case, log_case, table_case
from tests.training.shops import contract_shop, log_shop, table_shop

Rows = list[dict[str, str]]


def _rows(path: Path) -> Rows:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def test_a_table_is_dealt_within_the_label_and_its_rows_stay_as_they_are(tmp_path: Path) -> None:
    table_shop(tmp_path, 200)
    split = table_deal(table_case(tmp_path), tmp_path, _work(tmp_path))(3)
    every = _rows(tmp_path / "customers.csv")
    train = _rows(split.study.parent / "train.csv")
    test = _rows(Path(split.scoring[1]))
    assert split.scoring[0] == "--customers"
    assert [row["id"] for row in test] == [every[n]["id"] for n in split.rows]
    assert [row["churn"] == "Yes" for row in train] == split.problem.positive.tolist()
    assert split.labels.tolist() == [every[n]["churn"] == "Yes" for n in split.rows]
    kept = [{name: text for name, text in row.items() if name != "churn"} for row in every]
    by_id = {row["id"]: row for row in kept}
    assert test == [by_id[row["id"]] for row in test]
    assert sorted(row["id"] for row in [*train, *test]) == sorted(by_id)
    assert len(test) == 40
    assert abs(split.labels.mean() - split.problem.positive.mean()) < 0.02


def test_a_seed_deals_alike_and_another_does_not(tmp_path: Path) -> None:
    table_shop(tmp_path, 100)
    case, folders = table_case(tmp_path), [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    first, second = (table_deal(case, tmp_path, folder) for folder in folders)
    assert first(0).rows.tolist() == second(0).rows.tolist() != first(1).rows.tolist()


def test_peers_read_numbers_as_they_are_and_categories_by_frequency(tmp_path: Path) -> None:
    table_shop(tmp_path, 200)
    problem = table_deal(table_case(tmp_path), tmp_path, _work(tmp_path))(0).problem
    train = pd.DataFrame(_rows(tmp_path / "work" / "seed-0" / "train.csv"))
    numbers = pd.to_numeric(train["tenure"]).to_numpy()
    assert any(np.array_equal(column, numbers, equal_nan=True) for column in problem.train.numbers.T)
    assert problem.train.codes.shape[1] == 1
    codes = problem.train.codes[:, 0]
    contract = train["contract"]
    assert set(contract[codes == -1]) == {""}
    frequent = contract[contract != ""].value_counts()
    assert [len(set(contract[codes == n])) for n in range(4)] == [1, 1, 1, 1]
    assert [int((codes == n).sum()) for n in range(4)] == frequent.tolist()


def _log_split(tmp_path: Path, **more: Any) -> Split:
    log_shop(tmp_path, 160)
    return log_deal(log_case(tmp_path, **more), CUT, tmp_path, _work(tmp_path))(0)


def test_training_sees_the_log_up_to_the_cut_and_no_further(tmp_path: Path) -> None:
    split = _log_split(tmp_path)
    every, known = _rows(tmp_path / "events.csv"), _rows(split.study.parent / "events.csv")
    assert known == [row for row in every if row["when"] <= CUT]
    assert 0 < len(known) < len(every)
    folder = split.study.parent
    assert split.scoring == (
        *("--customers", str(folder / "customers.csv"), "--events", str(folder / "events.csv")),
        *("--as-of", CUT),
    )


def test_the_test_is_about_what_followed_the_cut(tmp_path: Path) -> None:
    split = _log_split(tmp_path)
    cut = datetime.fromisoformat(CUT)
    buys: dict[str, list[datetime]] = {}
    seen: set[str] = set()
    for row in _rows(tmp_path / "events.csv"):
        when = datetime.fromisoformat(row["when"])
        if row["kind"] == "buy":
            buys.setdefault(row["who"], []).append(when)
        if cut - timedelta(days=60) < when <= cut:
            seen.add(row["who"])
    assert split.ids is not None
    assert set(split.ids) == seen
    last = cut + timedelta(days=30)
    naive = [any(cut < when <= last for when in buys.get(name, [])) for name in split.ids]
    assert split.labels.tolist() == naive
    assert 0 < split.labels.sum() < len(naive)
    assert len(split.problem.test) == len(naive)


def test_who_buys_again_is_a_question_for_a_purchase_model(tmp_path: Path) -> None:
    split = _log_split(tmp_path)
    repeats = split.problem.repeats
    assert repeats is not None
    assert (repeats.horizon_days, repeats.absent) == (30, False)
    assert len(repeats.about) == len(split.labels)
    assert repeats.known.frequency.max() > 1


def test_events_that_are_left_out_are_in_neither_side(tmp_path: Path) -> None:
    split = _log_split(tmp_path, leave_out={"shop": "sou"})
    known = _rows(split.study.parent / "events.csv")
    assert {row["shop"] for row in known} == {"north", "web", ""}
    whole = _rows(split.study.parents[1] / "all" / "events.csv")
    assert {row["shop"] for row in whole} == {"north", "web", ""}


def test_a_pattern_for_an_absent_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="leave_out must name columns of the log, got 'shoppe'"):
        _log_split(tmp_path, leave_out={"shoppe": "x"})


def test_contracts_to_come_and_ends_to_come_are_unknown_at_the_cut(tmp_path: Path) -> None:
    contract_shop(tmp_path, 240)
    split = log_deal(contract_case(tmp_path), CUT, tmp_path, _work(tmp_path))(0)
    every, known = _rows(tmp_path / "customers.csv"), _rows(split.study.parent / "customers.csv")
    started = [row for row in every if row["joined"] <= CUT]
    assert known == [{**row, "ended": row["ended"] if row["ended"] <= CUT else ""} for row in started]
    assert sum(row["ended"] > CUT for row in started) > 5
    assert 0 < split.labels.sum() < len(split.labels)
    assert split.problem.repeats is None


def test_a_cut_after_which_nothing_is_known_is_refused(tmp_path: Path) -> None:
    log_shop(tmp_path, 40)
    with pytest.raises(DataError, match="the data must go on for 30 days after it"):
        log_deal(log_case(tmp_path), "2022-08-20", tmp_path, _work(tmp_path))


def test_a_table_with_a_log_is_no_case_of_a_table(tmp_path: Path) -> None:
    log_shop(tmp_path, 40)
    case = log_case(tmp_path).model_copy(update={"kind": "table", "cut": None})
    with pytest.raises(StudyError, match=r"^buyers: a case of a table names its customers alone"):
        table_deal(case, tmp_path, _work(tmp_path))


def test_rows_to_stop_on_are_a_share_of_each_label_and_customers_stay_whole() -> None:
    positive = np.arange(200) % 4 == 0
    held = held_rows(positive, 0)
    assert held.sum() == 30
    assert abs(positive[held].sum() - 7.5) < 1
    customers = np.repeat(np.arange(40), 5)
    by_customer = held_customers(customers, 0).reshape(40, 5)
    assert by_customer.all(axis=1).sum() == 6
    assert by_customer.any(axis=1).sum() == 6
    assert not np.array_equal(by_customer, held_customers(customers, 1).reshape(40, 5))
