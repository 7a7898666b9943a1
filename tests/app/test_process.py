"""The service as a process of its own, asked over a socket."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.app.toys import AS_OF

HANGS = 10  # seconds after which a process that should have ended is taken to hang


@contextmanager
def service(**settings: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m app`; killed at the end if it is still there."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PROPENSE_")}
    environment = {**inherited, **{f"PROPENSE_{name.upper()}": value for name, value in settings.items()}}
    command = [sys.executable, "-m", "app"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def port_of(process: subprocess.Popen[str]) -> int:
    """Where it listens, as its log says."""
    assert process.stderr
    for line in process.stderr:
        if found := re.search(r"running on http://127\.0\.0\.1:(\d+)", line):
            return int(found[1])
    raise AssertionError("the service ended before it listened")


def wait_until_ready(port: int) -> None:
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)
        connection.request("GET", "/health/ready")
        status = connection.getresponse().status
        connection.close()
        if status == 200:
            return
        time.sleep(0.02)


def test_it_answers_over_a_socket_and_ends_cleanly_with_clients_connected(registry: Path) -> None:
    with service(registry=str(registry), port="0", max_body_bytes="100000") as process:
        port = port_of(process)
        wait_until_ready(port)
        idle = http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)
        body = json.dumps({"as_of": AS_OF, "customers": [{"customer_id": "17"}]})
        for _ in range(2):  # the second over the same connection
            idle.request("POST", "/v1/models/purchase/predict", body, {"Content-Type": "application/json"})
            answer = idle.getresponse()
            assert answer.status == 200
            assert json.loads(answer.read())["predictions"][0]["customer_id"] == "17"
        idle.request(
            "POST", "/v1/models/purchase/predict", b" " * 5_000_000, {"Content-Type": "application/json"}
        )
        answer = idle.getresponse()
        assert (answer.status, json.loads(answer.read())["title"]) == (413, "Body too large")
        with socket.create_connection(("127.0.0.1", port)) as stuck:
            stuck.sendall(
                b"POST /v1/models/purchase/predict HTTP/1.1\r\nHost: service\r\n"
                b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
            )
            process.send_signal(signal.SIGTERM)
            assert process.wait(HANGS) == 0
        idle.close()


def test_a_bad_setting_ends_it_with_the_reason() -> None:
    with service(prot="80") as process:
        _, log = process.communicate(timeout=HANGS)
        assert process.returncode == 1
        assert log == "PROPENSE_PROT is not a setting; did you mean PROPENSE_PORT?\n"


def test_a_port_in_use_ends_it(registry: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with service(registry=str(registry), port=port) as process:
            _, log = process.communicate(timeout=60)
            assert process.returncode not in (0, -signal.SIGKILL)
            assert "address already in use" in log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_it_starts_ends_it_cleanly(registry: Path, number: signal.Signals) -> None:
    with service(registry=str(registry), port="0") as process:
        assert process.stderr
        assert "Started server process" in process.stderr.readline()
        process.send_signal(number)
        assert process.wait(HANGS) == 0
