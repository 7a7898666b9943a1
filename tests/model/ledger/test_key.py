import os
from pathlib import Path

import pytest

from model.errors import LedgerError
from model.ledger.key import VARIABLE, LedgerKey, find_key

DIGITS = "0f" * 32


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    made = find_key(tmp_path / "ledger", {}, make=True)
    assert find_key(tmp_path / "ledger", {}, make=True) == made
    assert os.stat(tmp_path / "ledger.key").st_mode & 0o777 == 0o600  # noqa: PTH116 - as the system has it
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.key"]


def test_the_environment_has_the_key_or_its_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.touch(mode=0o600)
    file.write_text(f"{DIGITS}\n")
    wanted = LedgerKey(bytes.fromhex(DIGITS))
    for given in (DIGITS, f" {DIGITS.upper()}\n", str(file)):
        assert find_key(tmp_path / "ledger", {VARIABLE: given}, make=True) == wanted


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    find_key(tmp_path / "ledger", {}, make=True)
    (tmp_path / "ledger.key").chmod(0o640)
    with pytest.raises(LedgerError, match=r"only its owner may read .*ledger\.key, got mode 640"):
        find_key(tmp_path / "ledger", {}, make=True)


@pytest.mark.parametrize("text", ["", "wrong", "zz" * 32])
def test_no_message_has_a_key(tmp_path: Path, text: str) -> None:
    file = tmp_path / "secret"
    file.touch(mode=0o600)
    file.write_text(text)
    with pytest.raises(LedgerError, match="64 hexadecimal digits") as caught:
        find_key(tmp_path / "ledger", {VARIABLE: str(file)}, make=False)
    assert not text or text not in str(caught.value)
    assert DIGITS not in repr(LedgerKey(bytes.fromhex(DIGITS)))


def test_no_new_key_is_made_for_records_of_a_lost_one(tmp_path: Path) -> None:
    (tmp_path / "ledger" / "churn").mkdir(parents=True)
    with pytest.raises(LedgerError, match="Restore it"):
        find_key(tmp_path / "ledger", {}, make=True)
    with pytest.raises(LedgerError, match="--ledger` makes one"):
        find_key(tmp_path / "none", {}, make=False)


def test_pseudonyms_depend_on_the_key_and_the_id_alone() -> None:
    one, other = LedgerKey(b"a" * 32), LedgerKey(b"b" * 32)
    first, second, again = one.pseudonyms(["7", "07", "7"])
    assert first == again
    assert first != second
    assert first != other.pseudonyms(["7"])[0]
    assert one.erasure_marks([first]) != [first]
