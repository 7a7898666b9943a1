"""Replicas behind the proxy are restarted in turn, and no request fails."""

import json
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.app.process import HANGS, Service, port_of, service, wait_until_ready
from tests.app.toys import AS_OF, TABLE_SCHEMA, TABLE_TASK, publish
from tests.benchmarks.serving.process import free_port
from tests.deploy.proxy import Proxy, needs_nginx, running

PATH = "/v1/models/churn/predict"
BODY = json.dumps({"as_of": AS_OF, "customers": [{"contract": "contract 1"}]}).encode()


@contextmanager
def load(proxy: Proxy, n_clients: int) -> Iterator[Counter[int]]:
    """Clients that send a predict request every few milliseconds; counts the responses of each status."""
    statuses: Counter[int] = Counter()
    over = threading.Event()

    def send() -> None:
        with closing(proxy.connect()) as connection:
            while not over.wait(0.01):
                connection.request("POST", PATH, BODY, {"content-type": "application/json"})
                response = connection.getresponse()
                response.read()
                statuses[response.status] += 1

    with ThreadPoolExecutor(n_clients) as pool:
        clients = [pool.submit(send) for _ in range(n_clients)]
        try:
            yield statuses
        finally:
            over.set()
    for client in clients:
        client.result()


def restarted(replica: Service, port: int, settings: dict[str, str], stack: ExitStack) -> Service:
    """End a replica as an orchestrator does, and start it anew."""
    replica.send_signal(signal.SIGTERM)
    assert replica.wait(HANGS) == 0
    return started(port, settings, stack)


def started(port: int, settings: dict[str, str], stack: ExitStack) -> Service:
    replica = stack.enter_context(service(port=str(port), **settings))
    assert port_of(replica) == port
    assert replica.stderr
    threading.Thread(target=replica.stderr.read, daemon=True).start()  # a full pipe would stop it
    return replica


@needs_nginx
@pytest.mark.long
@pytest.mark.parametrize(
    ("restarts", "n_clients"), [(1, 2), pytest.param(8, 16, marks=pytest.mark.heavy)], ids=["one", "many"]
)
def test_no_request_fails_while_replicas_restart(tmp_path: Path, restarts: int, n_clients: int) -> None:
    publish(tmp_path / "registry", "churn", TABLE_SCHEMA, TABLE_TASK)
    settings = {"registry": str(tmp_path / "registry"), "drain_seconds": "0.5", "log_level": "info"}
    ports = [free_port(), free_port()]
    with ExitStack() as stack:
        replicas = [started(port, settings, stack) for port in ports]
        for port in ports:
            wait_until_ready(port)
        with running(tmp_path, ports) as proxy, load(proxy, n_clients) as statuses:
            for turn in range(restarts):
                n = turn % 2
                replicas[n] = restarted(replicas[n], ports[n], settings, stack)
                wait_until_ready(ports[n])
        log = [json.loads(line) for line in proxy.log.read_text().splitlines()]
    assert set(statuses) == {200}, statuses
    assert {line["upstream"].split(", ")[-1] for line in log} == {f"127.0.0.1:{port}" for port in ports}
