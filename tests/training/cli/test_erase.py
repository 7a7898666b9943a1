"""`propense erase`, and what trains after it."""

import shutil
from pathlib import Path

import pytest

from model.ledger.key import VARIABLE
from model.ledger.ledger import erased_of, ledger_root
from model.ledger.recorder import Recorder
from tests.model.ledger.build import KEY, append, ledger_in, recorded, said
from tests.training.cli.commands import Run
from tests.training.shops import Published
from training.cli.recording import finished
from training.prepare import prepare


@pytest.fixture
def scored(run: Run, registry: Path, tmp_path: Path) -> Path:
    """A registry beside a ledger with two scores of each customer."""
    for day in ("2022-05-10", "2022-06-20"):
        out = ["--out", tmp_path / "s.csv", "--as-of", day, "--registry", registry]
        assert run("score", "log", *out, "--ledger").status == 0
    return registry


def test_an_erased_customer_is_nowhere_and_not_learnt_from(
    run: Run, scored: Path, log_model: Published
) -> None:
    folder = ledger_root(scored) / "log"
    ran = run("erase", "log", "--customer", "0007", "--customer", "0008", "--registry", scored, "--json")
    assert ran.told == {"name": "log", "ledger": str(folder), "erased": 4}
    assert run("outcomes", "log", "--registry", scored, "--json").told["records"] == 2 * (160 - 2)
    assert all(b"0007" not in path.read_bytes() for path in folder.iterdir())
    study = log_model.study
    before, after = prepare(study), prepare(study, erased=erased_of(scored, "log", {}))
    gone = {"0007", "0008"}
    assert set(after.dataset.ids) == set(before.dataset.ids) - gone
    assert after.dataset.log
    assert before.dataset.log
    kept = [before.dataset.ids[owner] not in gone for owner in before.dataset.log.owners.tolist()]
    assert after.dataset.log.times.tolist() == before.dataset.log.times[kept].tolist()
    assert any("left out 2 of 160 customers: erased" in note for note in after.dataset.notes)


def test_a_lost_key_is_no_leave_to_learn_from_the_erased(run: Run, scored: Path) -> None:
    run("erase", "log", "--customer", "0007", "--registry", scored)
    root = ledger_root(scored)
    root.with_name(f"{root.name}.key").unlink()
    study = scored.parent / "study.yaml"
    study.write_text("name: log\ndata: {customers: {path: c.csv}}\ntarget: {column: y, positive: 1}\n")
    ran = run("train", study, "--registry", scored)
    assert (ran.status, "the key of the ledger must be in" in ran.err) == (1, True)


def test_old_records_are_dropped_on_request(run: Run, scored: Path) -> None:
    ran = run("erase", "log", "--older-than-days", 1, "--registry", scored)
    assert ran.out == "0 records said more than 1 day ago removed.\n"


def test_the_study_says_how_long_records_are_kept(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    append(ledger, "a", now=1)
    recorder = Recorder(tmp_path, "churn", {VARIABLE: KEY.secret.hex()})
    recorder.record(said("b"))
    facts, notes = finished(recorder, 30)
    assert facts["recorded"] == 1
    assert notes == ["1 record removed from the ledger, by retention_days or as erased."]
    assert recorded(ledger, "a", "b") == {"b": 1}


def test_wrong_usage_of_erase(run: Run, registry: Path) -> None:
    for words in ([], ["--customer", " "]):
        assert run("erase", "log", *words, "--registry", registry).status == 2
    ran = run("erase", "lgo", "--customer", "1", "--registry", registry)
    assert (ran.status, "did you mean log?" in ran.err) == (1, True)
    assert not ledger_root(registry).exists()


def test_an_erasure_needs_no_ledger_and_no_registry(run: Run, scored: Path) -> None:
    shutil.rmtree(scored / "log")
    assert run("erase", "log", "--customer", "0007", "--registry", scored, "--json").told["erased"] == 2
    ran = run("erase", "table", "--customer", "0007", "--registry", scored)
    assert ran.out == "1 customer is erased: 0 records removed. The next training leaves them out.\n"
