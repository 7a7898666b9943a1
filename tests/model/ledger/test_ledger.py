import dataclasses
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from model.errors import LedgerError
from model.ledger.files import PARQUET, SEGMENT
from model.ledger.key import LedgerKey
from model.ledger.ledger import Ledger
from model.ledger.records import Version, records_of
from model.ledger.writer import Writer
from tests.model.ledger.build import KEY, VERSION, append, ledger_in, recorded, said


def files(ledger: Ledger, suffix: str) -> list[Path]:
    return sorted(path for path in ledger.folder.iterdir() if path.suffix == suffix)


def test_what_is_said_is_read_without_an_id(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    append(ledger, "anna", None, "bo", as_of=86_400_000_000, now=7)
    (anna, _) = ledger.read().table.to_pylist()
    assert anna["pseudonym"] == KEY.pseudonyms(["anna"])[0]
    assert (anna["probability_30d"], anna["probability_90d"], anna["eligible"]) == (0.4, 0.4, True)
    assert (anna["as_of"].isoformat(), anna["version"]) == ("1970-01-02T00:00:00+00:00", 1)
    assert all(b"anna" not in path.read_bytes() for path in ledger.folder.iterdir())


def test_what_is_said_twice_is_one_record(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    append(ledger, "a", "b")
    append(ledger, "a", "b", now=2)
    assert recorded(ledger, "a", "b") == {"a": 1, "b": 1}
    assert ledger.read().doubled == 2
    append(ledger, "a", as_of=1)
    append(ledger, "a", numeric=np.ones((1, 3), dtype=np.float32))
    append(ledger, "a", version=dataclasses.replace(VERSION, hash=b"w" * 16))
    assert recorded(ledger, "a", "b") == {"a": 4, "b": 1}


def test_a_request_is_one_record_of_each_customer_by_its_key(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    append(ledger, "a", "b", as_of=1, requests=[b"first"] * 2)
    append(ledger, "a", "b", as_of=2, requests=[b"first", b"second"])
    assert recorded(ledger, "a", "b") == {"a": 1, "b": 2}


def test_compaction_changes_nothing_that_is_read(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    append(ledger, "a", "b")
    append(ledger, "b", "c", version=Version(2, b"2" * 16, ()))
    before = ledger.read().table
    ledger.compact()
    assert ledger.read().table.equals(before)
    assert (len(files(ledger, SEGMENT)), len(files(ledger, PARQUET))) == (0, 1)
    append(ledger, "d")
    ledger.compact()
    ledger.compact()
    assert recorded(ledger, *"abcd") == {"a": 1, "b": 2, "c": 1, "d": 1}
    assert len(files(ledger, PARQUET)) == 1


def test_a_writer_goes_on_after_a_compaction_by_another_process(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    writer = Writer(ledger)
    for id_ in "abc":
        writer.append(records_of(said(id_), KEY, 1))
        ledger.compact()
    assert recorded(ledger, *"abc") == {"a": 1, "b": 1, "c": 1}


def test_a_compaction_that_was_killed_leaves_no_doubles(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    append(ledger, "a", "b")
    (segment,) = files(ledger, SEGMENT)
    data = segment.read_bytes()
    ledger.compact()
    segment.write_bytes(data)  # as if it had not been removed any more
    (ledger.folder / "0.draft").write_bytes(b"half a file")
    assert recorded(ledger, "a", "b") == {"a": 1, "b": 1}
    ledger.compact()
    assert recorded(ledger, "a", "b") == {"a": 1, "b": 1}
    assert (len(files(ledger, SEGMENT)), len(files(ledger, PARQUET)), len(files(ledger, ".draft"))) == (
        0,
        1,
        0,
    )


def test_a_large_segment_is_compacted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = ledger_in(tmp_path)
    writer = Writer(ledger)
    writer.append(records_of(said("a"), KEY, 1))
    writer.compact_if_due()
    assert not files(ledger, PARQUET)
    monkeypatch.setattr("model.ledger.writer.MOST_BYTES", 100)
    writer.compact_if_due()
    assert files(ledger, PARQUET)
    assert not files(ledger, SEGMENT)


def test_torn_and_damaged_frames_are_counted(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    writer = Writer(ledger)
    for id_ in "abc":
        writer.append(records_of(said(id_), KEY, 1))
    (segment,) = files(ledger, SEGMENT)
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data[:-3])
    assert recorded(ledger, *"abc") == {"a": 1}
    assert ledger.read().damaged > 0
    ledger.compact()
    assert ledger.read().damaged > 0  # until what is damaged is given up
    ledger.compact(every_file=True)
    assert (recorded(ledger, *"abc"), ledger.read().damaged) == ({"a": 1}, 0)


def test_files_that_are_not_of_this_ledger_are_refused(tmp_path: Path) -> None:
    ledger, other = (
        ledger_in(tmp_path / "one"),
        Ledger.of(tmp_path / "two", "churn", LedgerKey(b"o" * 32), make=True),
    )
    append(ledger, "a")
    append(other, "a")
    (segment,), (foreign,) = files(ledger, SEGMENT), files(other, SEGMENT)
    own = segment.read_bytes()
    segment.write_bytes(foreign.read_bytes())
    with pytest.raises(LedgerError, match="must be a file of this ledger"):
        ledger.read()
    segment.write_bytes(own)
    segment.rename(segment.with_name(f"{'0' * 32}{SEGMENT}"))
    with pytest.raises(LedgerError, match="under the name it was written with"):
        ledger.compact()
    other.compact()
    (parquet,) = files(other, PARQUET)
    for path in files(ledger, SEGMENT):
        path.unlink()
    parquet.rename(ledger.folder / parquet.name)
    with pytest.raises(LedgerError, match="must be a file of this ledger"):
        ledger.read()
    (ledger.folder / parquet.name).write_bytes(b"PAR1 is no such file")
    with pytest.raises(LedgerError, match="is damaged"):
        ledger.read()


def test_a_ledger_has_one_key_and_a_beginning(tmp_path: Path) -> None:
    ledger_in(tmp_path)
    with pytest.raises(LedgerError, match="the key it was begun with"):
        Ledger.of(tmp_path, "churn", LedgerKey(b"o" * 32), make=True)
    with pytest.raises(LedgerError, match="no ledger of other"):
        Ledger.of(tmp_path, "other", KEY)
    with pytest.raises(LedgerError, match="that of a model"):
        Ledger.of(tmp_path, "../churn", KEY)


@pytest.mark.parametrize("compacted", [True, False])
def test_nothing_of_an_erased_customer_is_left(tmp_path: Path, compacted: bool) -> None:
    ledger = ledger_in(tmp_path)
    writer = Writer(ledger)
    writer.append(records_of(said("gone", "stays"), KEY, 1))
    if compacted:
        ledger.compact()
    assert ledger.erase(["gone"]) == 1
    (pseudonym,) = KEY.pseudonyms(["gone"])
    for path in ledger.folder.iterdir():
        data = path.read_bytes()
        assert all(text not in data for text in (b"gone", pseudonym, pseudonym.hex().encode())), path
    assert ledger.erased(["gone", "stays"]) == [True, False]
    writer.append(records_of(said("gone", as_of=5), KEY, 2))  # by a service that knows nothing of it
    assert recorded(ledger, "gone", "stays") == {"stays": 1}
    assert ledger.erase(["gone"]) == 1
    assert ledger.erase(["never"]) == 0


def test_erasing_goes_through_large_files_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.ledger.ledger.SMALL", 0)
    ledger = ledger_in(tmp_path)
    for ids in (("a", "b"), ("c",)):
        append(ledger, *ids)
        ledger.compact()
    (kept,) = [path for path in files(ledger, PARQUET) if pq.read_metadata(path).num_rows == 1]
    assert ledger.erase(["a"]) == 1
    assert kept in files(ledger, PARQUET)
    assert recorded(ledger, *"abc") == {"b": 1, "c": 1}


def test_an_erasure_that_was_killed_hides_the_customer_and_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = ledger_in(tmp_path)
    append(ledger, "gone", "stays")
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "compact", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            ledger.erase(["gone"])
    assert recorded(ledger, "gone", "stays") == {"stays": 1}
    assert ledger.erase(["gone"]) == 1


def test_old_records_are_dropped_by_when_they_were_said(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    append(ledger, "a", now=50)
    append(ledger, "b", now=100, as_of=1)
    append(ledger, "c", now=20)  # by a clock that was set back
    assert ledger.compact(every_file=True, before=100) == 2
    assert recorded(ledger, *"abc") == {"b": 1}
