"""The service as a process of its own."""

import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

HANGS = 10  # seconds after which a process that should have ended is taken to hang
Service = subprocess.Popen[str]


@contextmanager
def service(module: str = "app", **settings: str) -> Iterator[Service]:
    """`python -m app`, or another module; killed at the end if it is still there."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PROPENSE_")}
    environment = {**inherited, **{f"PROPENSE_{name.upper()}": value for name, value in settings.items()}}
    command = [sys.executable, "-m", module]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def port_of(process: Service) -> int:
    """Where it listens, as its log says; asked again, where else it does."""
    assert process.stderr
    for line in process.stderr:
        if found := re.search(r"running on http://127\.0\.0\.1:(\d+)", line):
            return int(found[1])
    raise AssertionError("the service ended before it listened")


def ask(port: int, path: str) -> http.client.HTTPResponse:
    """GET over a connection of its own; the body has been read."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


def wait_until_ready(port: int) -> None:
    """Until predictions are answered."""
    while ask(port, "/health/ready").status != 200:
        time.sleep(0.02)
