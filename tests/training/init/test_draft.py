"""A first study from files: what is guessed, that the audit takes it as it is, and what is said."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from model.errors import DataError
from training.audit.audit import audit
from training.init.draft import Draft, draft_study
from training.init.files import roles_of
from training.init.look import look_at
from training.init.targets import candidates
from training.init.write import study_text
from training.prepare import prepare
from training.run.run import refusals
from training.study.study import read_study

N = 300
RNG = np.random.default_rng(0)
LEFT = RNG.random(N) < 0.3
AGE = RNG.integers(18, 80, N)
STARTS = pd.Timestamp("2021-01-01") + pd.to_timedelta(RNG.integers(0, 900, N), unit="D")
ENDS = STARTS + pd.to_timedelta(RNG.integers(30, 900, N), unit="D")
ENDED = np.asarray(pd.Timestamp("2023-12-31") > ENDS)
OWNERS = RNG.integers(0, 100, 2000)
TIMES = pd.Timestamp("2023-01-01") + pd.to_timedelta(RNG.random(2000) * 400, unit="D")


TABLES: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "yes and no": (
        {"id": range(N), "age": AGE, "Churn": np.where(LEFT, "Yes", "No")},
        {"column": "Churn", "positive": "Yes"},
    ),
    "0 and 1": (
        {"age": AGE, "Exited": LEFT.astype(int), "x": AGE % 7},
        {"column": "Exited", "positive": "1"},
    ),
    "values tell": (
        {"age": AGE, "state": np.select([LEFT, AGE < 25], ["Churned", "Joined"], "Stayed"), "x": AGE % 7},
        {"column": "state", "positive": "Churned", "negative": ["Stayed", "Joined"]},
    ),
    "German": (
        {"Kundennummer": range(N), "Alter": AGE, "Gekündigt": np.where(LEFT, "Ja", "Nein")},
        {"column": "Gekündigt", "positive": "Ja"},
    ),
    "who is still there": (
        {"age": AGE, "is_active": np.where(LEFT, 0, 1), "x": AGE % 7},
        {"column": "is_active", "positive": "0"},
    ),
    "contracts": (
        {
            "id": range(N),
            "Beginn": STARTS.strftime("%d.%m.%Y"),
            "Vertragsende": np.where(ENDED, ENDS.strftime("%d.%m.%Y"), ""),
        },
        {"ends": "Vertragsende", "starts": "Beginn", "horizons_days": [30, 90]},
    ),
    "planned ends and a status": (
        {"id": range(N), "start": STARTS, "end": ENDS, "status": np.where(ENDED, "Cancelled", "Active")},
        {
            "ends": "end",
            "starts": "start",
            "horizons_days": [30, 90],
            "ended_when": {"column": "status", "value": "Cancelled"},
        },
    ),
    "planned ends and a label": (
        {"id": range(N), "joined": STARTS, "expiry_date": ENDS, "churned": np.where(LEFT, "Y", "N")},
        {"column": "churned", "positive": "Y"},
    ),
    "purchases": (
        {"who": [f"x{i}" for i in OWNERS], "when": TIMES, "eur": RNG.random(2000)},
        {"outcome": "occurs", "horizons_days": [30, 60]},
    ),
}


def _drafted(folder: Path, *tables: Mapping[str, Any], wanted: str | None = None) -> Draft:
    paths = [folder / f"{name}.csv" for name, _ in zip("ab", tables, strict=False)]
    for path, table in zip(paths, tables, strict=True):
        pd.DataFrame(table).to_csv(path, index=False)
    return draft_study(paths, "guess", wanted)


@pytest.mark.parametrize(("table", "target"), TABLES.values(), ids=TABLES)
def test_the_audit_takes_the_study_as_it_is(
    tmp_path: Path, table: dict[str, Any], target: dict[str, Any]
) -> None:
    draft = _drafted(tmp_path, table)
    assert draft.target is not None
    assert draft.target.keys == target
    study = tmp_path / "studies" / "guess.yaml"
    study.parent.mkdir()
    study.write_text(study_text(draft, study.parent), encoding="utf-8")
    prepared = prepare(read_study(study))
    assert refusals(prepared, audit(prepared)) == []


def test_a_table_and_a_log_are_told_apart_in_any_order_and_joined_by_their_ids(tmp_path: Path) -> None:
    types = np.where(np.arange(2000) % 3 == 0, "buy", "view").astype(object)
    log = {
        "event_id": range(2000),
        "user": OWNERS,
        "ts": TIMES.astype("int64") // 10**6,
        "what": types,
        "n": OWNERS % 5,
    }
    people = {"cid": range(100), "plan": [f"p{i % 3}" for i in range(100)], "gender": ["f", "m"] * 50}
    pd.DataFrame(log).to_csv(tmp_path / "log.csv", index=False)
    pd.DataFrame(people).to_csv(tmp_path / "people.csv", index=False)
    one, other = (look_at(tmp_path / name) for name in ("log.csv", "people.csv"))
    for files in (roles_of([one, other]), roles_of([other, one])):
        assert files.table is other
        assert files.log is not None
        assert (files.id, files.log.id, files.log.time) == ("cid", "user", "ts")
        assert files.log.unread == ["event_id"]
        assert files.sentences[1].startswith("log.csv: a log of 2,000 events, 2023-01-01 to 2024-02-0")


def test_an_event_that_ends_a_life_is_the_target(tmp_path: Path) -> None:
    end = pd.Timestamp("2024-03-01")
    cancels = pd.DataFrame({"user": range(0, 100, 2), "at": end, "event": "plan_cancelled"})
    rest = pd.DataFrame({"user": OWNERS, "at": TIMES, "event": np.where(OWNERS % 3, "visit", "order_closed")})
    pd.concat([rest, cancels]).to_csv(tmp_path / "log.csv", index=False)
    found = candidates(roles_of([look_at(tmp_path / "log.csv")]))
    assert found[0].keys == {"event": "plan_cancelled", "outcome": "occurs", "horizons_days": [30, 60]}


def test_columns_that_tell_the_outcome_or_the_person_are_excluded_with_the_reason(tmp_path: Path) -> None:
    table = {
        "customer_id": range(N),
        "surname": [f"n{i % 40}" for i in range(N)],
        "age": AGE,
        "churn_reason": np.where(LEFT, "price", ""),
        "churned": LEFT.astype(int),
    }
    draft = _drafted(tmp_path, table)
    assert list(draft.exclude) == ["surname", "churn_reason"]
    text = study_text(draft, tmp_path)
    assert "    # 'churn_reason': 'churn_reason' is filled" in text
    assert "    exclude: [surname, churn_reason]\n" in text


def test_without_a_likely_target_the_candidates_are_comments(tmp_path: Path) -> None:
    draft = _drafted(tmp_path, {"id": range(N), "city": ["A", "B", "C"] * 100, "vip": AGE % 2, "age": AGE})
    assert draft.target is None
    text = study_text(draft, tmp_path)
    assert "\ntarget:" not in text
    assert "\n# target: {column: vip, positive: '" in text
    wanted = _drafted(tmp_path, {"id": range(N), "vip": AGE % 2, "age": AGE}, wanted="vip").target
    assert wanted is not None
    assert wanted.keys["column"] == "vip"
    with pytest.raises(DataError, match=r"--target must be .* got 'x'. They can tell 'vip'"):
        _drafted(tmp_path, {"id": range(N), "vip": AGE % 2, "age": AGE}, wanted="x")


def test_two_files_without_common_ids_are_refused(tmp_path: Path) -> None:
    log = {"user": OWNERS + 1000, "at": TIMES}
    with pytest.raises(DataError, match=r"a.csv, a table and b.csv, a log, without that"):
        _drafted(tmp_path, {"id": range(N), "age": AGE / 7}, log)
