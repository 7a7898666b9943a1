"""Which keys are in force, and what is said of the others."""

import logging
import os
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from app.access.key_file import Key, Keys, change_keys, new_key, read_keys
from app.access.keyring import Keyring
from app.errors import Problem
from tests.app.access.conftest import put

UNKNOWN = "this key is not in force; it is mistyped, revoked or replaced"


def bearer(text: str) -> dict[bytes, bytes]:
    return {b"authorization": b"Bearer " + text.encode()}


def refusal(ring: Keyring, headers: dict[bytes, bytes]) -> Problem:
    with pytest.raises(Problem) as error:
        ring.caller(headers).check("predict")
    return error.value


def let_in(ring: Keyring, text: str) -> bool:
    with suppress(Problem):
        ring.caller(bearer(text)).check("predict")
        return True
    return False


def watched(ring: Keyring, change: Callable[[], object], until: Callable[[], bool]) -> None:
    """Make a change while the file is watched, and wait for what it leads to."""

    async def run() -> None:
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ring.watch, 0.005)
                await anyio.sleep(0.02)
                change()
                while not until():
                    await anyio.sleep(0.005)
                tasks.cancel_scope.cancel()

    anyio.run(run)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def web(file: Path) -> tuple[Key, str]:
    """A key, the only one in the file."""
    key, text = new_key("web", ("predict",))
    put(file, key)
    return key, text


def test_a_key_is_known_in_either_header(file: Path, web: tuple[Key, str]) -> None:
    ring, text = Keyring(file), web[1].encode()
    for headers in (
        {b"authorization": b"Bearer " + text},
        {b"authorization": b"bearer   " + text},
        {b"x-api-key": text},
        {b"x-api-key": text, b"authorization": b"Basic eDp5"},
    ):
        for _ in range(2):  # the second from memory
            assert ring.caller(headers).key == web[0]


@pytest.mark.parametrize("value", [b"", b"Basic eDp5", b"Token x", b"\xff\xfe", b"pk_a_b"])
@pytest.mark.usefixtures("web")
def test_without_a_key_it_says_how_to_send_one(file: Path, value: bytes) -> None:
    problem = refusal(Keyring(file), {b"authorization": value} if value else {})
    assert (problem.status, problem.kind) == (401, "key-missing")
    assert str(problem) == "this needs a key; send the header Authorization: Bearer KEY"
    assert problem.headers == {"WWW-Authenticate": 'Bearer realm="propense"'}


def test_every_wrong_text_is_refused_alike(file: Path, web: tuple[Key, str]) -> None:
    ring, (key, text) = Keyring(file), web
    secret = text.rpartition(f"{key.id}_")[2]
    assert let_in(ring, text)
    wrong = [
        text[:-1],
        text + "x",
        text.upper(),
        f"pk_{key.id}_",
        f"pk_{key.id}",
        f"pk__{secret}",
        f"pk_00000000_{secret}",
        f"sk_{key.id}_{secret}",
        f"pk_{key.id}_{key.sha256}",
        f"pk_{key.id}_" + "x" * 1_000_000,
        "é" * 40,
        "\0",
        " ",
    ]
    for one in wrong:
        problem = refusal(ring, bearer(one))
        assert (problem.status, problem.kind, str(problem)) == (401, "key-unknown", UNKNOWN)
        assert problem.headers == {"WWW-Authenticate": 'Bearer realm="propense", error="invalid_token"'}


def test_a_key_ends_at_its_expiry_though_it_was_known_before(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = datetime(2030, 1, 1, tzinfo=UTC)
    key, text = new_key("web", ("predict",), expires=end)
    put(file, key)
    ring = Keyring(file)
    monkeypatch.setattr("time.time", lambda: end.timestamp() - 0.001)
    assert let_in(ring, text)
    monkeypatch.setattr("time.time", end.timestamp)
    problem = refusal(ring, bearer(text))
    assert (problem.status, problem.kind) == (401, "key-expired")
    assert str(problem) == f"the key {key.id} has expired; ask for another"


def test_a_key_without_the_scope_is_refused(file: Path, web: tuple[Key, str]) -> None:
    with pytest.raises(Problem) as error:
        Keyring(file).caller(bearer(web[1])).check("admin")
    assert (error.value.status, error.value.kind) == (403, "key-without-scope")
    assert str(error.value) == "this needs a key of scope admin, which this key does not have"
    assert error.value.headers == {
        "WWW-Authenticate": 'Bearer realm="propense", error="insufficient_scope", scope="admin"'
    }


def test_who_comes_too_often_is_told_when_to_come_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, own_text = new_key("web", ("predict",), rate=0.25, burst=3)
    usual, usual_text = new_key("job", ("predict",))
    put(file, own, usual)
    ring = Keyring(file, rate=10)
    monkeypatch.setattr("time.monotonic", lambda: 1000.0)
    assert [let_in(ring, own_text) for _ in range(4)] == [True, True, True, False]
    problem = refusal(ring, bearer(own_text))
    assert (problem.status, problem.kind) == (429, "too-many-requests")
    assert problem.headers == {"Retry-After": "4"}
    assert str(problem) == "this key is over its rate; ask again in 4 seconds"
    assert [let_in(ring, usual_text) for _ in range(3)] == [True, True, False]  # a bucket of its own
    monkeypatch.setattr("time.monotonic", lambda: 1004.0)
    assert [let_in(ring, own_text) for _ in range(2)] == [True, False]


def test_keys_come_into_force_and_go_without_a_restart(file: Path, web: tuple[Key, str]) -> None:
    ring, (_, old) = Keyring(file), web
    key, new = new_key("web", ("predict",))
    assert let_in(ring, old)
    watched(ring, lambda: change_keys(file, lambda keys: (*keys, key)), lambda: let_in(ring, new))
    assert let_in(ring, old)
    watched(ring, lambda: put(file, key), lambda: not let_in(ring, old))
    assert let_in(ring, new)


def test_a_key_that_stays_keeps_its_bucket(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.access.keyring.time.monotonic", lambda: 1000.0)
    key, text = new_key("web", ("predict",), rate=1, burst=1)
    put(file, key)
    ring = Keyring(file)
    assert [let_in(ring, text), let_in(ring, text)] == [True, False]
    other, other_text = new_key("job", ("predict",))
    monkeypatch.undo()
    watched(ring, lambda: put(file, key, other), lambda: let_in(ring, other_text))
    monkeypatch.setattr("app.access.keyring.time.monotonic", lambda: 1000.0)
    assert not let_in(ring, text)


def piped(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


@pytest.mark.parametrize(
    "break_it",
    [lambda f: f.write_text("{"), lambda f: f.unlink(), piped],
)
def test_a_broken_file_keeps_the_keys_and_is_logged_once(
    file: Path, web: tuple[Key, str], caplog: pytest.LogCaptureFixture, break_it: Callable[[Path], object]
) -> None:
    ring, (_, text) = Keyring(file), web
    caplog.set_level(logging.INFO)
    kept = file.with_name("kept")
    kept.write_bytes(file.read_bytes())
    looks: list[bool] = []

    def seen_many_times() -> bool:
        looks.append(let_in(ring, text))
        return bool(caplog.records) and len(looks) > 20

    watched(ring, lambda: break_it(file), seen_many_times)
    assert all(looks)
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.getMessage().startswith("the keys in force stay the same: the file of keys ")
    key, new = new_key("web", ("predict",))
    put(kept, key)
    watched(ring, lambda: kept.replace(file), lambda: let_in(ring, new))
    assert caplog.records[-1].getMessage() == "keys in force: 1"
    assert not let_in(ring, text)


def test_a_disk_that_hangs_is_logged_and_the_next_look_goes_on(
    file: Path, web: tuple[Key, str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring, (_, old), hangs, (key, new) = Keyring(file), web, [1], new_key("web", ("predict",))
    hung = threading.Event()

    def read(path: Path) -> Keys:
        if hangs:
            hangs.pop()
            hung.wait()
        return read_keys(path)

    monkeypatch.setattr("app.access.keyring.read_keys", read)
    monkeypatch.setattr(Keyring.watch, "__defaults__", (0.005, 0.05))
    watched(ring, lambda: put(file, key), lambda: let_in(ring, new))
    hung.set()
    assert not let_in(ring, old)
    told = "the keys in force stay the same: the file of keys could not be read within 0.05 seconds"
    assert caplog.messages[0] == told


def test_nothing_shows_a_secret(file: Path, web: tuple[Key, str], caplog: pytest.LogCaptureFixture) -> None:
    key, text = web
    ring = Keyring(file)
    caller = ring.caller(bearer(text))
    shown = f"{ring!r} {caller!r} {key!r} {refusal(ring, bearer(text + 'x'))!r} {caplog.text}"
    for secret in (text, text[-20:], key.sha256, repr(caller.digest)):
        assert secret not in shown


def test_the_file_needs_no_more_rights_than_the_tool_gives(file: Path, web: tuple[Key, str]) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert let_in(Keyring(file), web[1])


def test_texts_that_are_wrong_are_not_remembered(file: Path, web: tuple[Key, str]) -> None:
    ring = Keyring(file)
    for number in range(1000):
        assert not let_in(ring, f"{web[1][:-4]}{number:04}")
    assert len(ring._verified) == 0


def test_an_expiry_may_be_in_any_zone(file: Path) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    key, text = new_key("web", ("predict",), expires=soon)
    put(file, key)
    document = file.read_text().replace(soon.isoformat().replace("+00:00", "Z"), "2999-01-01T00:00:00+05:00")
    file.write_text(document)
    assert "+05:00" in document
    assert let_in(Keyring(file), text)
