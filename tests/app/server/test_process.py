"""The service as a process of its own, asked over a socket."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from app.limits import queue_full
from app.main import create_app
from app.request.batcher import Batcher
from app.request.scorer import Answer
from app.settings import Settings
from tests.app.client import JSON, running
from tests.app.process import HANGS, ask, port_of, service, wait_until_ready
from tests.app.server.test_refusals import problem
from tests.app.toys import AS_OF

ASK = json.dumps({"as_of": AS_OF, "customers": [{"customer_id": "17"}]})


PREDICT = "/v1/models/purchase/predict"


def test_it_answers_refuses_drains_and_ends_over_a_socket(registry: Path) -> None:
    limits = {"max_body_bytes": "100000", "body_seconds": "0.3", "drain_seconds": "1.5"}
    with service(registry=str(registry), port="0", **limits) as process:
        port = port_of(process)
        wait_until_ready(port)

        def sent(body: str | bytes, headers: dict[str, str] = JSON) -> tuple[int, Any]:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)) as connection:
                connection.request("POST", PREDICT, body, headers)
                answer = connection.getresponse()
                return answer.status, json.loads(answer.read())

        status, told = sent(b" " * 5_000_000)
        assert (status, told["title"]) == (413, "Body too large")
        status, told = sent(b"{", {**JSON, "Content-Length": "1000"})  # a body that stops coming
        assert (status, told["type"]) == (408, "urn:propense:body-too-slow")
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=HANGS) as answer:
            text = answer.read().decode()
        assert 'propense_requests_total{route="/v1/models/{name}/predict",status="408"} 1.0' in text
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)) as kept:
            for _ in range(2):  # the second over the same connection
                kept.request("POST", PREDICT, ASK, JSON)
                answer = kept.getresponse()
                assert (answer.status, answer.headers["Connection"]) == (200, None)
                assert json.loads(answer.read())["predictions"][0]["customer_id"] == "17"
            process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            kept.request("GET", "/health/ready")
            answer = kept.getresponse()
            assert (answer.status, answer.headers["Connection"]) == (503, "close")
            assert json.loads(answer.read())["detail"] == "the service is stopping"
        assert process.wait(HANGS) == 0


def test_a_bad_setting_ends_it_with_the_reason() -> None:
    with service(prot="80") as process:
        _, log = process.communicate(timeout=HANGS)
        assert process.returncode == 1
        assert log == "PROPENSE_PROT is not a setting; did you mean PROPENSE_PORT?\n"


def test_a_port_in_use_ends_it_before_anything_is_loaded(registry: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with service(registry=str(registry), port=port) as process:
            _, log = process.communicate(timeout=60)
            assert process.returncode == 1
            assert log == f"cannot listen on 127.0.0.1 port {port}: address already in use\n"


def test_a_signal_while_it_starts_ends_it_cleanly(registry: Path) -> None:
    with service(registry=str(registry), port="0", drain_seconds="0") as process:
        port_of(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANGS) == 0


def test_a_signal_while_it_imports_ends_it_cleanly(registry: Path) -> None:
    with service(registry=str(registry), port="0") as process:
        while not handles_sigterm(process.pid):  # long before torch is imported
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANGS) == 0


def handles_sigterm(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def test_a_model_that_is_being_loaded_does_not_hold_it(registry: Path) -> None:
    settings = {"registry": str(registry), "port": "0", "drain_seconds": "0"}
    with service("tests.app.server.slow", **settings) as process:
        assert ask(port_of(process), "/health/ready").status == 503
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANGS) == 0


def test_threads_are_limited_before_any_library_starts_them() -> None:
    heavy = ("numpy", "torch", "prometheus_client", "uvicorn")
    program = f"import app.__main__, sys; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_the_service_is_not_ready_while_it_is_too_busy(
    registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> Answer:
        raise queue_full(1)

    with running(create_app(Settings(registry=registry, saturated_seconds=0.05))) as client:
        client.wait_until_loaded()
        monkeypatch.setattr(Batcher, "answer", full)
        question: dict[str, Any] = {"customers": [{}]}
        problem(client.predict("churn", question), 503, "too-busy")
        assert client.get("/health/ready").status_code == 200
        time.sleep(0.06)
        problem(client.predict("churn", question), 503, "too-busy")
        problem(client.get("/health/ready"), 503, "too-busy")
        assert client.get("/health/live").status_code == 200


def test_bodies_that_are_held_are_limited_together(registry: Path) -> None:
    async def pieces() -> Any:
        for _ in range(4):
            yield b" " * 1000

    with running(create_app(Settings(registry=registry, max_buffered_bytes=2000))) as client:
        client.wait_until_loaded()
        answer = client.request("POST", "/v1/models/churn/predict", content=pieces(), headers=JSON)
        told = problem(answer, 503, "too-busy")
        assert told["detail"] == "bodies of 2000 bytes together are being read; ask again shortly"
        assert answer.headers["retry-after"] == "1"
        assert client.predict("churn", {"customers": [{}]}).status_code == 200
