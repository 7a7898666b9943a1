import os
from pathlib import Path

import pytest

from model.ledger.key import VARIABLE
from model.ledger.ledger import Ledger
from model.ledger.recorder import Recorder
from tests.model.ledger.build import KEY, recorded, said

SECRET = {VARIABLE: KEY.secret.hex()}


def test_customers_without_an_id_are_counted_and_not_recorded(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "churn", SECRET)
    recorder.record(said("a", None, "b"))
    recorder.close()
    assert (recorder.counts, recorder.failure) == ({"recorded": 2, "without_id": 1}, "")
    assert recorded(Ledger.of(tmp_path, "churn", KEY), "a", "b") == {"a": 1, "b": 1}


def test_a_full_disk_loses_records_with_a_count_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder, write = Recorder(tmp_path, "churn", SECRET), os.write
    recorder.record(said("a"))
    monkeypatch.setattr("model.ledger.writer.os.write", lambda file, data: write(file, data[:20]))
    recorder.record(said("b", "c"))
    monkeypatch.undo()
    recorder.record(said("d"))
    ledger = Ledger.of(tmp_path, "churn", KEY)
    assert recorded(ledger, *"abcd") == {"a": 1, "d": 1}
    assert recorder.counts == {"recorded": 2, "lost": 2}
    assert recorder.failure == "[Errno 28] No space left on device"
    assert (ledger.read().torn, ledger.read().damaged) == (0, 0)


def test_a_ledger_that_cannot_be_used_loses_records_until_it_can(tmp_path: Path) -> None:
    (tmp_path / "churn").touch()
    recorder = Recorder(tmp_path, "churn", SECRET)
    recorder.record(said("a"))
    assert recorder.counts == {"lost": 1}
    assert "cannot be used as a ledger" in recorder.failure
    (tmp_path / "churn").unlink()
    recorder.record(said("b"))
    assert recorder.counts == {"recorded": 1, "lost": 1}


def test_a_failed_compaction_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.ledger.writer.MOST_BYTES", 0)
    recorder = Recorder(tmp_path, "churn", SECRET)
    recorder.open()
    (tmp_path / "churn" / ("0" * 32 + ".parquet")).write_bytes(b"junk")
    recorder.record(said("a"))
    assert recorder.counts == {"recorded": 1}
    assert "is damaged" in recorder.failure
