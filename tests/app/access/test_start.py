"""What the service needs to be told before it lets anyone in, and a service with keys on real sockets."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.access.key_file import change_keys, new_key
from app.settings import Settings, explain
from tests.app.access.conftest import KeyTexts, put

HANGS = 20  # seconds
WAYS_OUT = (
    "other machines can reach this address, so requests need keys: set PROPENSE_KEYS to a file of keys "
    "(`python -m app.keys add` makes one), or allow requests without a key with PROPENSE_AUTH=off"
)


def reasons(**given: object) -> str:
    with pytest.raises(ValidationError) as error:
        Settings(**given)  # type: ignore[arg-type]
    return explain(error.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "", "service.example"])
def test_a_public_address_needs_keys_or_a_word(host: str, keys: KeyTexts) -> None:
    assert reasons(host=host) == f"PROPENSE_HOST={host}: {WAYS_OUT}"
    assert reasons(admin_port=9000, admin_host=host) == f"PROPENSE_ADMIN_HOST={host}: {WAYS_OUT}"
    assert Settings(host=host, auth=False).keys is None
    assert Settings(host=host, admin_host=host, admin_port=9000, keys=keys.file).auth
    assert Settings(admin_host=host).admin_port is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "::ffff:127.0.0.1"])
def test_a_loopback_address_needs_neither(host: str) -> None:
    assert Settings(host=host, admin_host=host, admin_port=9000).keys is None


def test_settings_that_contradict_each_other_are_refused(keys: KeyTexts) -> None:
    assert reasons(keys=keys.file, auth=False) == (
        "PROPENSE_AUTH=off and PROPENSE_KEYS contradict each other; unset one of them"
    )
    assert reasons(rate=5) == (
        "PROPENSE_RATE needs keys, and there are none; set PROPENSE_KEYS, or unset PROPENSE_RATE"
    )
    assert reasons(port=9000, admin_port=9000) == (
        "PROPENSE_ADMIN_PORT must differ from PROPENSE_PORT, got 9000 for both"
    )


@pytest.mark.parametrize(("told", "auth"), [("off", False), ("on", True), ("false", False)])
def test_the_environment_says_whether(monkeypatch: pytest.MonkeyPatch, told: str, *, auth: bool) -> None:
    monkeypatch.setenv("PROPENSE_AUTH", told)
    assert Settings().auth is auth


def test_a_file_that_cannot_be_used_is_refused_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROPENSE_KEYS", "pk_12345678_SECRET")  # instead of a path
    with pytest.raises(ValidationError) as error:
        Settings()
    assert explain(error.value) == (
        "PROPENSE_KEYS: the file of keys cannot be read: No such file or directory; "
        "`python -m app.keys add` makes one"
    )
    assert "SECRET" not in str(error.value)
    monkeypatch.setenv("PROPENSE_KEYS", str(tmp_path))
    assert reasons().startswith("PROPENSE_KEYS: the file of keys cannot be read: Is a directory")


def environment(**settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PROPENSE_")}
    return {**inherited, **{f"PROPENSE_{name.upper()}": value for name, value in settings.items()}}


def test_the_process_ends_with_both_ways_out() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "app"],
        env=environment(host="0.0.0.0"),
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (1, f"PROPENSE_HOST=0.0.0.0: {WAYS_OUT}\n")


def free_ports(n: int) -> list[int]:
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(n)]
        return [one.getsockname()[1] for one in taken]


def ask(port: int, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)) as connection:
        connection.request(method, path, json.dumps(body) if body else None, headers or {})
        answer = connection.getresponse()
        answer.read()
        return answer.status


def status_of(port: int, head: bytes) -> int:
    """The status of the answer to bytes sent as they are; 0 if the connection was cut."""
    with socket.create_connection(("127.0.0.1", port), timeout=HANGS) as sent:
        try:
            sent.sendall(head + b"Connection: close\r\n\r\n")
            with sent.makefile("rb") as read:
                answer = read.readline()
        except (BrokenPipeError, ConnectionResetError):
            return 0
    return int(answer.split()[1]) if answer else 0


def until(condition: Callable[[], bool], seconds: float = HANGS) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return True
        except OSError:  # it does not listen yet
            pass
        time.sleep(0.02)
    return False


@contextmanager
def service(log: Path, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m app`, writing to a log file; killed at the end."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "app"], env=environment(**settings), stdout=file, stderr=file
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def test_a_service_with_keys_on_its_sockets(registry: Path, tmp_path: Path) -> None:
    """Keys, the admin port, a rotation, and headers that no client library would send."""
    file, log, (port, admin) = tmp_path / "keys.json", tmp_path / "log", free_ports(2)
    web, text = new_key("web", ("predict",))
    put(file, web)
    settings = {"registry": str(registry), "keys": str(file), "host": "0.0.0.0", "log_level": "debug"}
    with service(log, port=str(port), admin_port=str(admin), **settings) as process:
        assert until(lambda: ask(port, "GET", "/health/ready") == 200), log.read_text()
        with_key = {"Content-Type": "application/json", "Authorization": f"Bearer {text}"}

        def predict(headers: dict[str, str]) -> int:
            return ask(port, "POST", "/v1/models/churn/predict", headers, {"customers": [{}]})

        assert predict(with_key) == 200
        assert predict({"Content-Type": "application/json"}) == 401
        assert [ask(one, "GET", "/metrics") for one in (port, admin)] == [404, 200]
        assert [ask(one, "GET", "/v1/models") for one in (port, admin)] == [401, 401]

        get = b"GET /v1/models HTTP/1.1\r\nHost: x\r\n"
        right = b"Authorization: Bearer " + text.encode() + b"\r\n"
        assert status_of(port, get + right) == 200
        for line in (
            b"Authorization: Bearer \xff\xfe\xe9\r\n",
            b"Authorization: Bearer " + "ключ".encode() + b"\r\n",
            right + b"Authorization: Bearer wrong\r\n",
            b"X-API-Key: " + b"x" * 20_000 + b"\r\n",
            b"Authorization:\r\n",
        ):
            assert status_of(port, get + line) == 401
        for line in (b"Authorization: Bearer " + b"x" * 2**20 + b"\r\n", b"Authorization: a\x00b\r\n"):
            assert status_of(port, get + line) in (0, 400, 401, 431)
        for id_ in (b"..", b"../..", b"%2e%2e", b"%2e%2e%2f", b"%00", b"a%00b", b"%ff"):
            post = b"POST /v1/models/%s/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n" % id_
            assert status_of(port, post + right) == 404

        fresh, fresh_text = new_key("web", ("predict",))
        change_keys(file, lambda _: (fresh,))
        with_fresh = {**with_key, "Authorization": f"Bearer {fresh_text}"}
        assert until(lambda: predict(with_fresh) == 200, 3)
        assert predict(with_key) == 401
        assert process.poll() is None
        told = log.read_text(errors="replace")
        assert web.id in told  # whose requests these were
        for secret in (text, fresh_text, text[-20:], fresh_text[-20:], web.sha256, fresh.sha256):
            assert secret not in told
