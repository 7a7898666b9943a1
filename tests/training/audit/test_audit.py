"""The audit of whole studies: clean ones raise nothing, and what the study allows is no leak."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.errors import DataError
from tests.training.audit.planted import CANCEL, cancel_shop
from tests.training.shops import (
    CONTRACT,
    CONTRACT_LOG,
    LOG,
    TABLE,
    WIDE,
    Shop,
    contract_shop,
    log_shop,
    table_shop,
)
from training.audit.audit import Audit, audit, refuse_leaks
from training.audit.findings import Finding
from training.prepare import prepare
from training.simulation.simulate import simulate

SIMULATED = """\
name: simulated
data:
  customers: {path: customers.csv, id: customer_id}
  events: {path: events.csv, id: customer_id, time: time, type: type, values: [amount], attributes: [device]}
target: {event: cancel, outcome: occurs, horizons_days: [30, 90], eligible_within_days: 60}
"""


def audited(shop: Shop, text: str, *overrides: str) -> Audit:
    study = shop.study(text, *overrides)
    return audit(prepare(study))


def found(audit: Audit) -> list[tuple[str, str, str | None]]:
    return [(f.level, f.probe, f.column) for f in audit.findings]


def goodbye(folder: Path) -> Shop:
    """A table with a column that is the label."""
    shop = table_shop(folder)
    for row, churned in zip(shop.customers, shop.churned, strict=True):
        row["goodbye"] = churned
    shop.save_table()
    return shop


SHIFT = ("warning", "target_shift", None)
ONE_VALUE = ("note", "one_value_for_all_cutoffs", None)
OLDER = ("note", "older_than_the_log", "since")


@pytest.mark.parametrize("seed", range(3))
def test_clean_shops_raise_no_leak_and_no_warning(tmp_path: Path, seed: int) -> None:
    assert found(audited(table_shop(tmp_path, seed=seed), TABLE)) == []
    assert found(audited(table_shop(tmp_path, seed=seed), WIDE)) == []
    log = found(audited(log_shop(tmp_path, seed=seed), LOG))
    assert [one for one in log if one != SHIFT] == [ONE_VALUE, OLDER]  # customers leave and nobody comes
    assert found(audited(contract_shop(tmp_path, seed=seed), CONTRACT)) == [ONE_VALUE]
    assert found(audited(contract_shop(tmp_path, seed=seed), CONTRACT_LOG)) == [ONE_VALUE]


@pytest.mark.parametrize("overrides", [(), ("target.gap_days=7",), ("target.event=purchase",)])
def test_the_simulated_shop_raises_no_leak_and_no_warning(tmp_path: Path, overrides: tuple[str, ...]) -> None:
    simulate(200, tmp_path)
    assert found(audited(Shop(tmp_path, [], []), SIMULATED, *overrides)) == [ONE_VALUE]


def test_a_season_is_told_as_a_shift_of_the_target(tmp_path: Path) -> None:
    shop = log_shop(tmp_path, 400)
    for row in shop.customers:  # the shop closes its tills for a while, and is only looked at
        row["events"] = [e for e in row["events"] if e["when"] < "2022-07-20" or e["kind"] == "visit"]
    shop.save_log()
    probes = found(audited(shop, LOG, "target.horizons_days=[10]"))
    assert ("warning", "target_shift", None) in probes


def test_columns_of_today_are_told_where_there_are_several_cutoffs(tmp_path: Path) -> None:
    shop = contract_shop(tmp_path)
    [note] = audited(shop, CONTRACT).findings
    assert note.evidence == "'plan', 'age' have one value a customer, for 21 cutoffs."
    assert "data.customers.exclude" in note.advice
    [note] = audited(shop, CONTRACT, "data.customers.exclude=[age]").findings
    assert note.evidence == "'plan' has one value a customer, for 21 cutoffs."
    assert audited(shop, CONTRACT, "data.customers.exclude=[age, plan]").findings == ()
    once = ("target.cutoffs={dates: [2022-05-01]}", "target.horizons_days=[30]")
    assert ONE_VALUE not in found(audited(shop, CONTRACT, *once))


def test_an_allowed_leak_is_a_warning(tmp_path: Path) -> None:
    shop = goodbye(tmp_path)
    refused, allowed = audited(shop, TABLE), audited(shop, TABLE, "allow_leaks=[goodbye, tenure]")
    assert {f.level for f in refused.findings if f.column == "goodbye"} == {"leak"}
    assert refused.leaks == [f for f in refused.findings if f.level == "leak"]
    assert allowed.leaks == []
    of_column = [f for f in allowed.findings if f.column == "goodbye"]
    assert [(f.probe, f.level, f.advice) for f in of_column] == [
        (f.probe, "warning", "The study allows this (allow_leaks).") for f in refused.leaks
    ]
    assert [f.evidence for f in of_column] == [f.evidence for f in refused.leaks]
    refuse_leaks(allowed)


def test_findings_stay_in_order_when_some_are_allowed(tmp_path: Path) -> None:
    shop = goodbye(tmp_path)
    for row in shop.customers:
        row["a_leak"] = row["goodbye"]
    shop.save_table()
    levels = [f.level for f in audited(shop, TABLE, "allow_leaks=[a_leak]").findings]
    assert levels == sorted(levels, key=["leak", "warning", "note"].index)
    assert set(levels) == {"leak", "warning"}


def test_every_leak_is_told_in_one_refusal(tmp_path: Path) -> None:
    some = [Finding("p", level, name, f"{name} e.", "Do.") for level, name in (("leak", "a"), ("leak", "b"))]  # type: ignore[arg-type]
    shop = goodbye(tmp_path)
    with pytest.raises(DataError) as caught:
        refuse_leaks(replace(audited(shop, TABLE), findings=(*some, replace(some[0], level="note"))))
    assert str(caught.value) == (
        "a column must not reveal the label, got 'a', 'b':\n- a, b: a e. b e. Do.\n"
        "To exclude every leaking column, write under data.customers:\n  exclude: [goodbye]"
    )


@pytest.mark.parametrize(
    ("shop", "text", "name", "hint"),
    [
        (goodbye, TABLE, "godbye", "Did you mean 'goodbye'?"),
        (goodbye, TABLE, "zzz", "Leave it out."),
        (cancel_shop, CANCEL, "count_30", "Did you mean 'count_30d'?"),
    ],
)
def test_a_leak_of_a_name_that_there_is_not_cannot_be_allowed(
    tmp_path: Path, shop: object, text: str, name: str, hint: str
) -> None:
    assert callable(shop)
    with pytest.raises(DataError) as caught:
        audited(shop(tmp_path), text, f"allow_leaks=[{name}]")
    assert str(caught.value) == (
        f"allow_leaks must name columns, aggregates or event types, got '{name}'. {hint}"
    )


def test_columns_aggregates_and_event_types_that_were_found_can_be_allowed(tmp_path: Path) -> None:
    shop = cancel_shop(tmp_path, goodbye=True)
    names = '["age", "count_30d", "goodbye", "recency[goodbye]_days"]'
    assert audited(shop, CANCEL, f"allow_leaks={names}").leaks == []


def test_what_is_excluded_is_not_read_and_so_not_allowed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="got 'goodbye'"):
        audited(goodbye(tmp_path), TABLE, "data.customers.exclude=[goodbye]", "allow_leaks=[goodbye]")


def test_too_few_examples_of_an_outcome_are_told(tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 60)
    shop.churned[:] = [number < 8 for number in range(60)]
    shop.save_table()
    note = next(f for f in audited(shop, TABLE).findings if f.probe == "too_few_examples")
    assert (note.level, note.probe, note.column) == ("note", "too_few_examples", None)
    assert note.evidence == (
        "48 training examples, 6 of them positive: too few of one outcome to probe the columns."
    )


def test_facts_of_a_table(tmp_path: Path) -> None:
    shop = table_shop(tmp_path)
    facts = audited(shop, TABLE, "data.time_zone=Asia/Tokyo").facts
    n = facts.pop("examples")
    assert n == {"train": 192, "judged": 192, "test": 48}
    assert facts == {
        "customers": 240,
        "table_rows": 240,
        "has_id": True,
        "split_kind": "rows",
        "time_zone": "Asia/Tokyo",
        "log": None,
        "event_types": [],
        "split": "tested on 20% of the rows, stratified by the label; duplicate rows are on one side",
        "label": {
            "column": "churn",
            "values": [
                {"value": "Yes", "count": sum(shop.churned), "counts_as": "positive"},
                {"value": "No", "count": 240 - sum(shop.churned), "counts_as": "negative"},
            ],
        },
        "rows": 240,
        "positives": sum(shop.churned),
        "rate": sum(shop.churned) / 240,
    }


def test_facts_of_a_log(tmp_path: Path) -> None:
    shop = log_shop(tmp_path)
    facts = audited(shop, LOG, "data.time_zone=Europe/Berlin").facts
    times = sorted(event["when"] for row in shop.customers for event in row["events"])
    assert facts["customers"] == 160
    assert facts["log"]["events"] == len(times)
    assert facts["observed_from"] == facts["log"]["first_event"] == f"{times[0]}+01:00"
    assert facts["observed_until"] == facts["log"]["last_event"] == f"{times[-1]}+02:00"
    assert facts["came_back"] is None
    assert facts["never_asked"]["customers"] >= sum(not row["events"] for row in shop.customers)
    for row in facts["cutoffs"]:
        assert row["eligible"] + sum(row["refused"].values()) == 160


def test_test_rows_are_not_looked_into(tmp_path: Path) -> None:
    """A column that states the label of the test rows alone is not seen."""
    shop = table_shop(tmp_path)
    study = shop.study(TABLE)
    tested = set(prepare(study).plan.test.tolist())
    for number, (row, churned) in enumerate(zip(shop.customers, shop.churned, strict=True)):
        row["late_3"] = 100.0 * churned if number in tested else 1.0
    shop.save_table()
    prepared = prepare(study)
    assert np.array_equal(prepared.plan.test, sorted(tested))
    assert found(audit(prepared)) == []
