"""The log of a real process."""

import http.client
import json
import signal
from pathlib import Path

from tests.app.process import HANGS, port_of, service, wait_until_ready


def ask(port: int, method: str, path: str, body: bytes = b"") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)
    connection.request(method, path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


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
        for _ in range(800):  # lines of 100 bytes and more: more than a pipe holds
            connection.request("GET", "/health/live")
            assert connection.getresponse().read() == b'{"status":"live"}'
        connection.close()
