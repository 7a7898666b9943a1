"""The file of keys and the tool that writes it."""

import json
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from app.access.key_file import KeysError, change_keys, new_key, read_keys
from app.keys import main

Out = pytest.CaptureFixture[str]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def add(file: Path, *words: str) -> None:
    main(["add", "--file", str(file), "--name", "web", "--scope", "predict", *words])


def refusal(*words: str) -> str | int | None:
    with pytest.raises(SystemExit) as left:
        main(words)
    return left.value.code


def test_add_prints_the_key_once_and_keeps_its_hash(file: Path, capsys: Out) -> None:
    add(file, "--rate", "100")
    text, said = capsys.readouterr()
    found = re.fullmatch(r"pk_([0-9a-f]{8})_([A-Za-z0-9_-]{43})\n", text)
    assert found
    id_, secret = found.groups()
    assert said == f"key {id_} of web is in {file}; its text is stored nowhere\n"
    (key,) = read_keys(file)
    assert (key.id, key.name, key.scopes, key.rate, key.expires) == (id_, "web", ("predict",), 100, None)
    assert key.sha256 == sha256(secret.encode()).hexdigest()
    assert secret not in file.read_text()
    assert key.sha256 not in repr(key)


def test_keys_differ_and_are_added(file: Path, capsys: Out) -> None:
    for _ in range(3):
        add(file)
    assert len(set(capsys.readouterr().out.splitlines())) == len(read_keys(file)) == 3


def test_only_the_owner_reads_the_file_and_nothing_else_is_left(file: Path) -> None:
    add(file)
    file.chmod(0o644)
    add(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["keys.json"]


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(file)
    add(link)
    assert link.is_symlink()
    assert len(read_keys(file)) == 1


def test_a_failing_write_leaves_the_old_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(file)
    before = file.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert refusal("revoke", read_keys(file)[0].id, "--file", str(file)) == (
        "the file of keys cannot be written: No space left on device"
    )
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["keys.json"]


def test_changes_at_the_same_time_are_all_kept(file: Path) -> None:
    def one(_: int) -> None:
        key, _text = new_key("web", ("predict",))
        change_keys(file, lambda keys: (*keys, key))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(one, range(40)))
    assert len(read_keys(file)) == 40


def test_list_says_what_is_known(file: Path, capsys: Out) -> None:
    add(file, "--scope", "admin", "--rate", "2.5")
    add(file, "--days", "30")
    capsys.readouterr()
    main(["list", "--file", str(file)])
    first, second = read_keys(file)
    assert second.expires
    assert capsys.readouterr().out.splitlines() == [
        f"{first.id}  web  predict,admin  for ever  2.5 a second",
        f"{second.id}  web  predict  until {second.expires:%Y-%m-%d %H:%M}  usual rate",
    ]
    assert (second.expires - second.created).days in (29, 30)


def test_revoke_takes_one_key_out(file: Path, capsys: Out) -> None:
    add(file)
    add(file)
    first, second = read_keys(file)
    main(["revoke", first.id, "--file", str(file)])
    assert capsys.readouterr().err.endswith(f"key {first.id} is revoked\n")
    assert read_keys(file) == (second,)
    assert refusal("revoke", first.id, "--file", str(file)) == (
        f"there is no key '{first.id}'; `python -m app.keys list` prints the ids"
    )


def test_the_file_may_be_named_by_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROPENSE_KEYS", str(file))
    main(["add", "--name", "web", "--scope", "predict"])
    assert len(read_keys(file)) == 1


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--rate", "0"], "this key cannot be made: rate: Input should be greater than 0"),
        (["--rate", "nan"], "this key cannot be made: rate: Input should be"),
        (["--burst", "5"], "this key cannot be made: burst needs a rate"),
        (["--days", "inf"], "days must be a number up to a date of the calendar, got inf"),
        (["--days", "nan"], "days must be a number up to a date of the calendar, got nan"),
        (["--name", "a\nb"], "this key cannot be made: name: String should match pattern"),
    ],
)
def test_what_cannot_be_is_refused(file: Path, words: list[str], reason: str) -> None:
    said = refusal("add", "--file", str(file), "--name", "web", "--scope", "predict", *words)
    assert isinstance(said, str)
    assert said.startswith(reason)
    assert not file.exists()


@pytest.mark.parametrize(
    "words", [[], ["add"], ["add", "--name", "x", "--scope", "all"], ["list"], ["revoke"], ["drop"]]
)
def test_wrong_usage_is_2(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROPENSE_KEYS", raising=False)
    assert refusal(*words) == 2


def test_no_file_is_refused(file: Path) -> None:
    advice = "the file of keys cannot be read: No such file or directory; `python -m app.keys add` makes one"
    assert refusal("list", "--file", str(file)) == advice
    assert refusal("revoke", "a", "--file", str(file)) == advice
    assert not file.exists()
    elsewhere = str(file / "no" / "keys.json")
    assert refusal("add", "--file", elsewhere, "--name", "web", "--scope", "predict") == (
        "the file of keys cannot be written: No such file or directory"
    )


KEY = json.loads(new_key("web", ("predict",))[0].model_dump_json(exclude_none=True))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "Invalid JSON"),
        ("{", "Invalid JSON"),
        ("\x00\x01", "Invalid JSON"),
        ("[]", "Input should be an object"),
        ("{}", "keys: Field required"),
        ({"keys": [KEY], "more": 1}, "more: Extra inputs are not permitted"),
        ({"keys": [KEY, KEY]}, "two keys have the same id"),
        ({"keys": [KEY | {"sha256": "SECRET"}]}, "keys.0.sha256: String should match pattern"),
        ({"keys": [KEY | {"id": "a_b"}]}, "keys.0.id: String should match pattern"),
        ({"keys": [KEY | {"scopes": []}]}, "keys.0.scopes: Tuple should have at least 1 item"),
        ({"keys": [KEY | {"scopes": ["SECRET"]}]}, "keys.0.scopes.0: Input should be 'predict' or 'admin'"),
        ({"keys": [KEY | {"secret": "SECRET"}]}, "keys.0.secret: Extra inputs are not permitted"),
        ({"keys": [KEY | {"expires": "SECRET"}]}, "keys.0.expires: Input should be a valid datetime"),
        ({"keys": [KEY | {"expires": "2030-01-01T00:00:00"}]}, "keys.0.expires: Input should have timezone"),
    ],
)
def test_a_broken_file_is_refused_without_its_content(file: Path, content: object, reason: str) -> None:
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    before = file.read_bytes()
    with pytest.raises(KeysError) as error:
        read_keys(file)
    assert str(error.value).startswith(f"the file of keys is broken: {reason}")
    assert "SECRET" not in str(error.value)
    said = refusal("add", "--file", str(file), "--name", "web", "--scope", "predict")
    assert said == str(error.value)
    assert file.read_bytes() == before
