"""Metrics and logs of real processes."""

import http.client
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.app.process import HANGS, Service, port_of, service, wait_until_ready

ANSWERED = 'propense_requests_total{route="/v1/models/{name}/predict",status="200"}'


def ask(port: int, method: str, path: str, body: bytes = b"") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)
    connection.request(method, path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def predict(port: int, n: int) -> None:
    """N predictions, each over a connection of its own, so that every worker gets some."""
    with ThreadPoolExecutor(4) as pool:
        path, body = "/v1/models/churn/predict", b'{"customers": [{}, {}]}'
        asked = [pool.submit(ask, port, "POST", path, body) for _ in range(n)]
        assert {one.result()[0] for one in asked} == {200}


def samples(port: int) -> dict[str, float]:
    lines = ask(port, "GET", "/metrics")[1].splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {series: float(value) for series, _, value in pairs}


def wait_for_loaded(process: Service, n: int) -> None:
    """Until N more workers say that they have loaded the models; a probe would hear of one only."""
    assert process.stderr
    for line in process.stderr:
        n -= "models in service: churn 1" in line
        if n == 0:
            return
    raise AssertionError("the service ended")


def workers_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_workers_count_together_and_one_that_is_killed_takes_nothing_along(
    registry: Path, temporary: Path
) -> None:
    with service(registry=str(registry), port="0", workers="2", drain_seconds="0.1") as process:
        port = port_of(process)
        wait_for_loaded(process, 2)
        predict(port, 60)
        told = samples(port)
        assert told[ANSWERED] == 60
        assert told['propense_predictions_total{model="churn",version="1"}'] == 120
        assert told['propense_request_seconds_count{route="/v1/models/{name}/predict"}'] == 60
        assert told["propense_in_flight"] == 1
        os.kill(workers_of(process.pid)[0], signal.SIGKILL)
        wait_for_loaded(process, 1)
        predict(port, 20)
        assert samples(port)[ANSWERED] == 80
        (folder,) = temporary.glob("propense-metrics-*")
        assert len(list(folder.glob("*.db"))) <= 2 * 3 + 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANGS) == 0
    assert not list(temporary.iterdir())


def test_every_line_of_the_log_is_json(registry: Path) -> None:
    with service(registry=str(registry), port="0", drain_seconds="0.1") as process:
        port = port_of(process)
        wait_until_ready(port)
        ask(port, "GET", "/nowhere%e2%80%a8%0a%0d%ff%ed%a0%80")
        ask(port, "POST", "/v1/models/churn/predict", b'{"customers": [{"contract": "secret\\n"}, 5]}')
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=HANGS)
        lines = [json.loads(line) for line in log.splitlines()]
        assert {"time", "level", "logger", "message"} <= set.intersection(*map(set, lines))
        refused = [
            line["status"] for line in lines if line["logger"] == "app.requests" and line["status"] < 500
        ]
        assert refused == [404, 422]
        assert "secret" not in log


def test_a_log_that_nobody_reads_stops_nothing(registry: Path) -> None:
    with service(registry=str(registry), port="0", log_level="debug", log_format="text") as process:
        port = port_of(process)
        wait_until_ready(port)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)
        for _ in range(1500):  # lines of 100 bytes and more: twice what a pipe holds
            connection.request("GET", "/health/live")
            assert connection.getresponse().read() == b'{"status":"live"}'
        connection.close()
