"""The figures of what was said, beside figures that a plain loop computes from the files."""

import csv
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sklearn.metrics import log_loss, roc_auc_score

from model.errors import LedgerError
from model.ledger.key import VARIABLE
from model.ledger.ledger import Ledger
from model.ledger.recorder import Recorder
from model.store.registry import Registry
from model.times import parse_time
from tests.model.ledger.build import KEY
from tests.model.scoring.scoring import read, score
from tests.training.cli.commands import Run, runner
from tests.training.shops import Published
from training.outcomes.outcomes import outcomes

SECRET = {VARIABLE: KEY.secret.hex()}
DAYS = ("2022-05-10", "2022-06-20", "2022-08-15")


def record(model: Published, root: Path, *days: str, **changes: Any) -> dict[tuple[str, str], dict[str, str]]:
    """Record scores as of some days; returns the rows of the score files by customer and day."""
    recorder = Recorder(root, model.study.name, SECRET)
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for day in days:
        score(model, root / "scores.csv", as_of=parse_time(day), record=recorder.record, **changes)
        rows |= {(row["customer_id"], day): row for row in read(root / "scores.csv")}
    recorder.close()
    return rows


def joined(model: Published, root: Path, **options: Any) -> dict[str, Any]:
    return outcomes(
        Registry(model.registry), model.study.name, Ledger.of(root, model.study.name, KEY), **options
    )


def test_figures_are_those_of_a_plain_join(log_model: Published, tmp_path: Path) -> None:
    said = record(log_model, tmp_path, *DAYS)
    found = joined(log_model, tmp_path)
    events = [
        (c["id"], datetime.fromisoformat(e["when"]), e["kind"])
        for c in log_model.shop.customers
        for e in c["events"]
    ]
    end = max(when for _, when, _ in events)
    for horizon in (10, 30):
        y, p, n_open, by_month = [], [], 0, dict.fromkeys(DAYS, 0)
        for (id_, day), row in said.items():
            start = datetime.fromisoformat(day)
            stop = start + timedelta(days=horizon)
            if row["eligible"] != "true":
                continue
            if stop > end:
                n_open += 1
                continue
            y.append(any(who == id_ and kind == "buy" and start < when <= stop for who, when, kind in events))
            p.append(float(row[f"probability_{horizon}d"]))
            by_month[day] += 1
        one = found["horizons"][str(horizon)]
        every, *months = one["figures"]
        assert one["open"] == n_open
        assert (every["n"], every["positives"]) == (len(y), sum(y))
        assert every["auc"] == pytest.approx(roc_auc_score(y, p), abs=1e-9)
        assert every["log_loss"] == pytest.approx(log_loss(y, p), abs=1e-9)
        assert every["mean_probability"] == pytest.approx(sum(p) / len(p), abs=1e-9)
        assert every["intervals"]["base_rate"][0] < every["base_rate"] < every["intervals"]["base_rate"][1]
        assert {f"{m['month']} v{m['version']}": m["n"] for m in months} == {
            f"{day[:7]} v1": n for day, n in by_month.items() if n
        }
    assert n_open > 0
    assert found["records"] == len(said)
    assert found["left_out"]["not_eligible"] == sum(row["eligible"] == "false" for row in said.values())
    assert any("may have learnt what followed" in note for note in found["notes"])


def test_customers_who_vanished_are_counted(log_model: Published, tmp_path: Path) -> None:
    said = record(log_model, tmp_path, DAYS[0])
    gone = {f"{number:04d}" for number in range(1, 11)}
    for name, id_ in (("customers.csv", "id"), ("events.csv", "who")):
        with (log_model.shop.folder / name).open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
        at = lines[0].index(id_)
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(line for line in lines if line[at] not in gone)
    files = {"customers": tmp_path / "customers.csv", "events": tmp_path / "events.csv"}
    before, found = joined(log_model, tmp_path), joined(log_model, tmp_path, **files)
    lost = sum(row["eligible"] == "true" and id_ in gone for (id_, _), row in said.items())
    assert (before["left_out"]["vanished"], found["left_out"]["vanished"]) == (0, lost)
    n = {name: one["horizons"]["10"]["figures"][0]["n"] for name, one in (("b", before), ("f", found))}
    assert n["f"] == n["b"] - lost
    assert lost > 0


def test_the_last_observed_day_closes_windows(log_model: Published, tmp_path: Path) -> None:
    record(log_model, tmp_path, *DAYS[:1])
    found = joined(log_model, tmp_path, until="2022-05-25")["horizons"]
    assert found["10"]["figures"]
    assert (found["30"]["figures"], found["30"]["open"]) == ([], found["10"]["figures"][0]["n"])


def test_a_label_column_is_read_from_the_table(table_model: Published, tmp_path: Path) -> None:
    said = record(table_model, tmp_path, DAYS[0])
    (figures,) = joined(table_model, tmp_path)["horizons"]["label"]["figures"]
    p = [float(said[row["id"], DAYS[0]]["probability"]) for row in table_model.shop.customers]
    assert figures["auc"] == pytest.approx(roc_auc_score(table_model.shop.churned, p), abs=1e-9)


def test_contracts_are_joined_to_their_ends(contract_model: Published, tmp_path: Path) -> None:
    said = record(contract_model, tmp_path, DAYS[0])
    figures = joined(contract_model, tmp_path)["horizons"]["30"]["figures"][0]
    ends = {row["id"]: row["ended"] for row in contract_model.shop.customers}
    limit = (datetime.fromisoformat(DAYS[0]) + timedelta(days=30)).date().isoformat()
    ended = [
        ends[id_] is not None and DAYS[0] < ends[id_] <= limit
        for (id_, _), row in said.items()
        if row["eligible"] == "true"
    ]
    assert (figures["n"], figures["positives"]) == (len(ended), sum(ended))


def test_records_of_no_version_of_the_registry_are_refused(
    log_model: Published, table_model: Published, tmp_path: Path
) -> None:
    record(log_model, tmp_path, DAYS[0])
    with pytest.raises(LedgerError, match="must have records of versions of log"):
        outcomes(Registry(table_model.registry), "log", Ledger.of(tmp_path, "log", KEY))


def test_the_commands_record_and_compare(
    log_model: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run: Run = runner(monkeypatch, capsys)
    where = ["--registry", log_model.registry, "--ledger-dir", tmp_path / "ledger"]
    missing = run("outcomes", "log", *where)
    assert (missing.status, missing.err.count("--ledger` makes one")) == (1, 1)
    for day in DAYS:
        out = ["--out", tmp_path / "s.csv", "--as-of", day]
        scored = run("score", "log", *out, "--ledger", *where, "--json").told
        assert (scored["recorded"], scored["lost"]) == (len(log_model.shop.customers), 0)
    ran = run("outcomes", "log", *where)
    assert ran.status == 0, ran.err
    table = [line for line in ran.out.splitlines() if not line.startswith("Note: ")]
    assert max(map(len, table)) <= 80
    assert "2022-05 v1" in ran.out
    told = run("outcomes", "log", *where, "--json").told
    assert told["horizons"]["30"]["figures"][0]["n"] > 0
    (tmp_path / "ledger.key").chmod(0o644)
    assert "only its owner may read" in run("outcomes", "log", *where).err
