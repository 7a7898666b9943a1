"""From a study with windows to its examples: cutoffs, groups, endings, and labels known by hand."""

from pathlib import Path

import pytest

from model.errors import DataError
from model.task import ContractTask, LogTask
from model.times import DAY, parse_time
from tests.training.shops import (
    CONTRACT,
    CONTRACT_LOG,
    LOG,
    contract_shop,
    log_shop,
)
from tests.training.table_plans import sides
from training.prepare import prepare
from training.study.study import read_study


def test_cutoffs_may_be_named_one_by_one(tmp_path: Path) -> None:
    dates = ["2022-03-01", "2022-04-15", "2022-06-01"]
    study = log_shop(tmp_path).study(LOG, f"target.cutoffs={{dates: [{', '.join(dates)}]}}")
    prepared = prepare(study)
    assert prepared.grid == tuple(parse_time(date) for date in dates)
    assert set(prepared.plan.examples.cutoffs.tolist()) == set(prepared.grid)


def test_cutoffs_are_dates_of_the_study_s_zone(tmp_path: Path) -> None:
    shop = log_shop(tmp_path)
    zone = "America/New_York"
    for cutoffs in (
        "{dates: [2022-03-01, 2022-06-01]}",
        "{first: 2022-03-01, last: 2022-06-01, every_days: 92}",
    ):
        study = shop.study(LOG, f"data.time_zone={zone}", f"target.cutoffs={cutoffs}", "target.event=any")
        wanted = tuple(parse_time(f"2022-{month}-01", zone=zone) for month in ("03", "06"))
        assert prepare(study).grid == wanted
        assert [t % DAY // (DAY // 24) for t in wanted] == [5, 4]  # winter and summer


def test_whole_groups_of_a_log_s_customers_are_on_one_side(tmp_path: Path) -> None:
    shop = log_shop(tmp_path)
    for n, row in enumerate(shop.customers):
        row["region"] = f"r{n % 20}"
    shop.save_log()
    prepared = prepare(shop.study(LOG, "split.group=region"))
    assert "region" not in prepared.fields.kinds
    assert prepared.plan.held_out.group == "region"
    customers = prepared.plan.examples.customers
    regions = [set((customers[side] % 20).tolist()) for side in sides(prepared.plan)]
    assert sum(map(len, regions)) == len(set().union(*regions))
    with pytest.raises(DataError, match="the customer table has no column 'reg'"):
        prepare(shop.study(LOG, "split.group=reg"))


def test_an_event_that_ends_a_life_is_found_in_the_log_and_told(tmp_path: Path) -> None:
    shop = log_shop(tmp_path)
    for row in shop.customers:
        if row["events"] and row["events"][-1]["when"] < "2022-08-01":
            row["events"].append({**row["events"][-1], "kind": "cancel"})
    shop.save_log()
    prepared = prepare(shop.study(LOG, "target.event=cancel"))
    assert isinstance(prepared.task, LogTask)
    assert prepared.task.terminal
    assert prepared.question is not None
    assert prepared.question.notes[0].startswith("'cancel' is a terminal event (0.0% of its ")
    assert not prepare(shop.study(LOG, "target.event=cancel", "target.terminal=false")).task.terminal  # type: ignore[union-attr]


def test_a_study_of_contracts_without_a_log(tmp_path: Path) -> None:
    prepared = prepare(contract_shop(tmp_path).study(CONTRACT))
    assert prepared.task == ContractTask(ends="ended", starts="joined", horizons_days=(10, 30))
    assert prepared.fields.kinds == {"plan": "categorical", "age": "numeric", "joined": "date"}
    assert prepared.fields.events is None
    assert prepared.question is not None
    assert prepared.question.notes == (
        "Contracts start at 'joined', the only date column that is never after 'ended'.",
    )
    assert prepared.plan.kind == "forward"
    assert prepared.as_of == prepared.question.data_end


def test_a_study_of_contracts_beside_a_log(tmp_path: Path) -> None:
    shop = contract_shop(tmp_path)
    prepared = prepare(shop.study(CONTRACT_LOG))
    assert isinstance(prepared.task, ContractTask)
    assert (prepared.task.starts, prepared.task.reactivates_within_days) == ("joined", 2)
    assert "ended" not in prepared.fields.kinds
    assert prepared.as_of == max(
        parse_time(event["when"]) for row in shop.customers for event in row["events"]
    )


HAND_MADE = """\
id,joined,ended
running,2020-01-01,
at the edge,2020-01-01,2020-03-11
a day later,2020-01-01,2020-03-12
after it,2020-01-01,2020-04-01
gone before,2020-01-01,2020-03-01
to come,2020-03-02,2020-03-05
renewed,2020-01-01,2020-03-05
renewed,2020-03-08,2020-06-30
too late,2020-01-01,2020-03-05
too late,2020-03-09,2020-06-30
"""


def test_the_labels_of_a_table_of_contracts_written_by_hand(tmp_path: Path) -> None:
    """LabelledExamples at 1 March: who runs then, and ends by the 11th, or by the 31st."""
    (tmp_path / "customers.csv").write_text(HAND_MADE)
    (tmp_path / "study.yaml").write_text(CONTRACT)
    settings = [
        "target.cutoffs={dates: [2020-03-01]}",
        "target.reactivates_within_days=3",
        "target.starts=joined",
    ]
    prepared = prepare(read_study(tmp_path / "study.yaml", settings))
    plan = prepared.plan
    rows = plan.examples.customers.tolist()
    names = [prepared.dataset.ids[row] for row in rows]
    assert dict(zip(names, plan.labels.outcomes.tolist(), strict=True)) == {
        "running": [False, False],
        "at the edge": [True, True],
        "a day later": [False, True],
        "after it": [False, False],
        "renewed": [False, False],
        "too late": [True, True],
    }
    assert rows == [0, 1, 2, 3, 6, 8]
    assert plan.labels.complete.all()
    late = plan.labels.events[names.index("a day later")]
    assert late.tolist() == [False, True]


LOG_BY_HAND = """\
who,when,kind
b,2020-03-20,cancel
a,2020-02-25,visit
c,2020-02-20,visit
b,2020-02-28,visit
c,2020-03-04,fail
c,2020-03-05,cancel
d,2020-02-25,cancel
d,2020-01-05,visit
a,2020-03-05,cancel
e,2020-02-20,visit
e,2020-03-09,cancel
e,2020-03-12,visit
f,2020-02-20,visit
z,2020-06-30,visit
"""


def test_the_labels_of_a_log_written_by_hand_in_no_order(tmp_path: Path) -> None:
    """LabelledExamples at 1 March about who cancels: c has to, d has already, e comes back, f stays."""
    (tmp_path / "events.csv").write_text(LOG_BY_HAND)
    (tmp_path / "study.yaml").write_text(
        "name: leaving\n"
        "data: {events: {path: events.csv, id: who, time: when, type: kind}}\n"
        "target: {event: cancel, outcome: occurs, horizons_days: [10, 30], reactivates_within_days: 7,\n"
        "  involuntary: [fail], cutoffs: {dates: [2020-03-01]}}\n"
    )
    prepared = prepare(read_study(tmp_path / "study.yaml"))
    plan = prepared.plan
    names = [prepared.dataset.ids[row] for row in plan.examples.customers.tolist()]
    known = {
        name: [bool(outcome) if complete else None for outcome, complete in zip(*both, strict=True)]
        for name, *both in zip(
            names, plan.labels.outcomes.tolist(), plan.labels.complete.tolist(), strict=True
        )
    }
    assert known == {
        "a": [True, True],
        "b": [False, True],
        "c": [False, False],
        "e": [False, False],
        "f": [False, False],
    }
