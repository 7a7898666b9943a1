"""Contracts are scored whether or not the file knows when they ended."""

from pathlib import Path

import pytest

from model.scoring.as_of import today
from model.times import parse_time
from tests.model.scoring.scoring import LATE, probabilities, read, score
from tests.training.shops import Published, write_csv
from training.prepare import prepare


def eligible_ids(path: Path) -> set[str]:
    return {row["customer_id"] for row in read(path) if row["eligible"] == "true"}


def running(model: Published, as_of: int) -> set[str]:
    """Whose contract has begun and not ended."""
    return {
        row["id"]
        for row in model.shop.customers
        if parse_time(row["joined"]) <= as_of and (not row["ended"] or parse_time(row["ended"]) > as_of)
    }


CONTRACT_MODELS = ["contract_model", "contract_log_model"]


@pytest.mark.parametrize("name", CONTRACT_MODELS)
def test_contracts_are_scored_and_those_that_run_are_eligible(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    model: Published = request.getfixturevalue(name)
    as_of = parse_time(LATE)
    score(model, tmp_path / "out.csv", as_of=as_of)
    rows = read(tmp_path / "out.csv")
    assert list(rows[0]) == [
        "customer_id",
        "probability",
        "probability_10d",
        "probability_30d",
        "eligible",
        "not_eligible_because",
        "error",
    ]
    assert {row["customer_id"] for row in rows} == {row["id"] for row in model.shop.customers}
    assert eligible_ids(tmp_path / "out.csv") == running(model, as_of)


def without_ends(model: Published, folder: Path) -> Path:
    """The customers' file of a company that keeps only contracts that run, and no column of ends."""
    as_of = parse_time(LATE)
    names = ("id", "plan", "age", "joined")
    there = running(model, as_of) | {row["id"] for row in model.shop.customers if row["joined"] > LATE}
    rows = [{n: row[n] for n in names} for row in model.shop.customers if row["id"] in there]
    return write_csv(folder / "running.csv", rows)


@pytest.mark.parametrize("name", CONTRACT_MODELS)
def test_a_file_of_contracts_needs_no_ends_to_be_scored(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    model: Published = request.getfixturevalue(name)
    as_of = parse_time(LATE)
    score(model, tmp_path / "all.csv", as_of=as_of)
    score(model, tmp_path / "out.csv", customers=without_ends(model, tmp_path), as_of=as_of)
    known, found = probabilities(tmp_path / "all.csv"), probabilities(tmp_path / "out.csv")
    own = eligible_ids(tmp_path / "all.csv")
    assert own <= eligible_ids(tmp_path / "out.csv")
    assert {id_: found[id_] for id_ in own} == pytest.approx({id_: known[id_] for id_ in own}, abs=1e-6)
    late = {row["id"] for row in model.shop.customers if row["joined"] > LATE}
    assert not late & eligible_ids(tmp_path / "out.csv")


def test_contracts_are_scored_today_or_at_the_end_of_their_log(
    contract_model: Published, contract_log_model: Published, tmp_path: Path
) -> None:
    assert score(contract_model, tmp_path / "out.csv").as_of == today("UTC")
    told = score(contract_log_model, tmp_path / "out.csv").as_of
    assert told.instant == prepare(contract_log_model.study).as_of
