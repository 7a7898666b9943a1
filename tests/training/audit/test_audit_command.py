"""`propense audit`: the same facts as text and as JSON; nothing is trained, nothing is written."""

from pathlib import Path

import pytest

from tests.training.audit.planted import CANCEL, cancel_shop
from tests.training.cli.commands import Run
from tests.training.shops import (
    CONTRACT,
    CONTRACT_LOG,
    LOG,
    TABLE,
    Shop,
    contract_shop,
    log_shop,
    table_shop,
)

KEYS = {
    "event_types",
    "name",
    "question",
    "refused",
    "exclude",
    "customers",
    "table_rows",
    "has_id",
    "split_kind",
    "time_zone",
    "log",
    "split",
    "examples",
    "findings",
    "data",
    "warnings",
}
ROW_KEYS = {"label", "rows", "positives", "rate"}
WINDOW_KEYS = {
    "observed_from",
    "observed_until",
    "cutoffs",
    "base_rate_shift",
    "never_asked",
    "came_back",
    "understood",
}

TINY = """\
name: tiny
data:
  customers: {path: customers.csv, id: id}
  events: {path: events.csv, id: who, time: when}
  time_zone: Europe/Paris
target:
  outcome: occurs
  horizons_days: [5, 10]
  eligible_within_days: 20
  cutoffs: {every_days: 20}
"""


def tiny(folder: Path) -> Path:
    """A study of two who come every other day, one who comes for ten days, one who never does."""
    customers = [f"{n},2021-12-01" for n in range(1, 5)]
    days = [f"2022-{month:02d}-{day:02d}" for month in (1, 2, 3) for day in range(1, 28, 2)]
    events = [f"{n},{day}" for n in (1, 2) for day in days]
    events += [f"3,{day}" for day in days if "2022-02-10" < day < "2022-02-20"]
    events += [events[0], ",2022-01-05"]
    (folder / "customers.csv").write_text("\n".join(["id,since", *customers]) + "\n")
    (folder / "events.csv").write_text("\n".join(["who,when", *events]) + "\n")
    study = folder / "study.yaml"
    study.write_text(TINY)
    return study


def test_the_text_of_a_tiny_log(run: Run, tmp_path: Path) -> None:
    ran = run("audit", tiny(tmp_path))
    assert (ran.status, ran.err) == (0, "")
    facts, rest = ran.out.split("Cutoffs\n")
    assert facts.splitlines() == [
        "Will a customer with an event in the last 20 days have another event within 5 or 10 days?",
        "4 customers. Times without an offset are read in Europe/Paris.",
        "90 events from 2022-01-01 to 2022-03-27, with 1 exact duplicate.",
        "Never eligible: 1 customer; reasons at the latest cutoff: not yet a customer (1).",
        "Not eligible, summed over 3 cutoffs: not yet a customer (4), no event within 20 days (1).",
        "Positive within 10 days: 100.0% at 2022-02-05, 100.0% at 2022-03-17; over all cutoffs 66.7% to "
        "100.0%.",
        "Split: tested at 2022-03-17 on customers unseen in training; training has the same dates. "
        "Examples: 7 for training (5 of them also for early stopping and calibration), 0 for the test.",
    ]
    assert ran.cells == [
        ["2022-02-05", "train", "2", "2 (100.0%)", "2 (100.0%)", "2"],
        ["2022-02-25", "train", "3", "2 (66.7%)", "2 (66.7%)", "1"],
        ["2022-03-17", "train", "2", "2 (100.0%)", "2 (100.0%)", "2"],
    ]
    assert ran.columns == [
        ["id", "id", "4 distinct", "", "0.0%", ""],
        ["since", "left out", "every row holds '2021-12-01'", "", "0.0%", ""],
    ]
    assert [line for line in rest.splitlines() if line.startswith(("NOTE", "Note"))] == [
        "NOTE 7 training examples, 6 of them positive: too few of one outcome to probe the "
        "columns. Columns are probed from 10 examples of each outcome on.",
        "Note: By the test date 2022-03-17, only 4 examples with and 1 without the event were known at the "
        "longest horizon of 10 days; a test forward in time needs 20 of each: shorten horizons_days, add "
        "customers, or set target.cutoffs. The figures are for unseen customers at dates that training has "
        "too: they are too good if behaviour changes over time.",
        "Note: left out 1 of 91 events without 'who' (row 92).",
        "Note: found no event of 1 of 4 customers in the table.",
    ]
    assert ran.out.splitlines()[-1].startswith("Training would be refused: training must have both outcomes")


def test_the_json_of_a_tiny_log(run: Run, tmp_path: Path) -> None:
    ran = run("audit", tiny(tmp_path), "--json")
    assert (ran.status, ran.err) == (0, "")
    assert ran.told["cutoffs"][2] == {
        "cutoff": "2022-03-17",
        "role": "train",
        "eligible": 2,
        "positives": {"5": 2, "10": 2},
        "rates": {"5": 1.0, "10": 1.0},
        "masked": {"5": 0, "10": 0},
        "refused": {"not yet a customer": 1, "no event within 20 days": 1},
    }
    assert ran.told["data"] == {
        "read": [
            "left out 1 of 91 events without 'who' (row 92).",
            "found no event of 1 of 4 customers in the table.",
        ],
        "columns": [
            {
                "name": "id",
                "kind": "id",
                "read_as": "",
                "missing_share": 0.0,
                "values": "4 distinct",
                "example": "",
                "unread": 0,
                "unread_example": "",
                "left_out": "",
            },
            {
                "name": "since",
                "kind": "left out",
                "read_as": "",
                "missing_share": 0.0,
                "values": "",
                "example": "",
                "unread": 0,
                "unread_example": "",
                "left_out": "every row holds '2021-12-01'",
            },
        ],
    }
    assert ran.told["log"]["duplicate_events"] == 1
    assert ran.told["never_asked"] == {"customers": 1, "reasons": {"not yet a customer": 1}}
    assert ran.told["time_zone"] == "Europe/Paris"


@pytest.mark.parametrize(
    ("make", "text", "keys"),
    [
        (table_shop, TABLE, ROW_KEYS),
        (log_shop, LOG, WINDOW_KEYS),
        (contract_shop, CONTRACT, WINDOW_KEYS),
        (contract_shop, CONTRACT_LOG, WINDOW_KEYS),
        (cancel_shop, CANCEL, WINDOW_KEYS),
    ],
)
def test_every_form_is_audited_as_text_and_json(
    make: object, text: str, keys: set[str], run: Run, tmp_path: Path
) -> None:
    assert callable(make)
    study = make(tmp_path).study_file(text)
    files = sorted(tmp_path.iterdir())
    as_json, plain = run("audit", study, "--json"), run("audit", study)
    assert (as_json.status, as_json.err, plain.status, plain.err) == (0, "", 0, "")
    assert as_json.told.keys() == KEYS | keys
    assert as_json.told["refused"] is False
    assert plain.out.startswith(as_json.told["question"] + "\n")
    shown, all_of_them = (
        [row[0] for row in plain.cells],
        [row["cutoff"] for row in as_json.told.get("cutoffs", [])],
    )
    assert set(shown) <= set(all_of_them)  # some of many
    assert (shown[:1], shown[-1:]) == (all_of_them[:1], all_of_them[-1:])
    for finding in as_json.told["findings"]:
        assert f"{finding['level'].upper()} " in plain.out
        assert finding["evidence"] in plain.out
    assert sorted(tmp_path.iterdir()) == files


def leaky(folder: Path) -> Shop:
    shop = table_shop(folder)
    for row, churned in zip(shop.customers, shop.churned, strict=True):
        row["goodbye"] = churned
    shop.save_table()
    return shop


def test_findings_are_no_failure(run: Run, tmp_path: Path) -> None:
    study = leaky(tmp_path).study_file(TABLE)
    as_json, plain = run("audit", study, "--json"), run("audit", study)
    assert (as_json.status, plain.status) == (0, 0)
    assert as_json.told["refused"] is True
    assert {f["column"] for f in as_json.told["findings"] if f["level"] == "leak"} == {"goodbye"}
    assert (
        "LEAK goodbye: 'goodbye' nearly determines the label: its value alone has an AUC of 1.000 on 121 rows"
        in plain.out
    )
    assert plain.out.splitlines()[-3:] == [
        "Training would be refused: 1 column must not reveal the label: 'goodbye'.",
        "To exclude every leaking column, write under data.customers:",
        "  exclude: [goodbye]",
    ]
    assert as_json.told["exclude"] == ["goodbye"]
    strict = run("audit", study, "--strict", "--json")
    assert (strict.status, strict.err, strict.told) == (1, "", as_json.told)
    allowed = run("audit", study, "--strict", "--set", "allow_leaks=[goodbye]", "--json")
    assert (allowed.status, allowed.told["refused"]) == (0, False)


def test_what_cannot_be_audited_is_refused(run: Run, tmp_path: Path) -> None:
    study = leaky(tmp_path).study_file(TABLE)
    misspelt = run("audit", study, "--set", "allow_leaks=[godbye]", "--json")
    assert misspelt.status == 1
    assert misspelt.told["error"].endswith("got 'godbye'. Did you mean 'goodbye'?")
    absent = run("audit", study, "--set", "target.column=gone")
    assert (absent.status, absent.out) == (1, "")


def test_of_many_horizons_the_text_has_three_and_json_all(run: Run, tmp_path: Path) -> None:
    study = log_shop(tmp_path).study_file(LOG)
    horizons = ("--set", "target.horizons_days=[2, 5, 10, 20, 30]")
    told, plain = run("audit", study, *horizons, "--json").told, run("audit", study, *horizons)
    assert set(told["cutoffs"][0]["rates"]) == {"2", "5", "10", "20", "30"}
    assert [len(row) for row in plain.cells if row[0]] == [7] * len(told["cutoffs"])
    assert "3 of 5 horizons are shown; --json prints all." in plain.out.splitlines()


def test_cutoffs_that_ask_about_nobody_are_counted_only(run: Run, tmp_path: Path) -> None:
    study = log_shop(tmp_path).study_file(LOG)
    early = ("--set", "target.cutoffs.first=2021-06-01")
    told, plain = run("audit", study, *early, "--json").told, run("audit", study, *early)
    empty = sum(not row["eligible"] for row in told["cutoffs"])
    assert empty > 5
    assert len(plain.cells) == len(told["cutoffs"]) - empty
    assert f"No customer is eligible at {empty} more cutoffs." in plain.out.splitlines()
