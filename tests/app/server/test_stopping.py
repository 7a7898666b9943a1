"""How processes start, stop and are replaced, with an app that is quick to start."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import pytest

from tests.app.process import HANGS, Service, ask, port_of, service

TINY = "tests.app.server.tiny"


@contextmanager
def tiny(**settings: str) -> Iterator[tuple[Service, int]]:
    """A running tiny service and its port."""
    with service(TINY, **{"port": "0", "drain_seconds": "0", "grace_seconds": "5", **settings}) as process:
        yield process, port_of(process)


def told(port: int, path: str = "/") -> dict[str, int]:
    """What the app answers."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)) as connection:
        connection.request("GET", path)
        answer: dict[str, int] = json.loads(connection.getresponse().read())
        return answer


def test_an_app_sees_how_many_requests_are_being_answered() -> None:
    with tiny() as (_, port):
        assert told(port)["answering"] == 1
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)) as slow:
            slow.request("GET", "/?0.5")
            time.sleep(0.1)
            assert told(port)["answering"] == 2
            assert json.loads(slow.getresponse().read())["answering"] == 1
        assert told(port)["answering"] == 1


@contextmanager
def stuck(port: int) -> Iterator[None]:
    """Clients that stopped in the middle: of a head, of a body, of reading; and one that says nothing."""
    halves = (
        b"",
        b"GET / HT",
        b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n1",
        b"GET /large HTTP/1.1\r\n\r\n",
    )
    lines = [socket.create_connection(("127.0.0.1", port)) for _ in halves]
    for line, half in zip(lines, halves, strict=True):
        line.sendall(half)
    time.sleep(0.2)
    yield
    for line in lines:
        line.close()


def test_told_to_stop_it_goes_on_for_a_while_and_says_so() -> None:
    with (
        tiny(drain_seconds="1.5") as (process, port),
        closing(http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)) as kept,
    ):
        kept.request("GET", "/")
        assert not json.loads(kept.getresponse().read())["stopping"]
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        kept.request("GET", "/health/ready")  # over the connection that was there before
        answer = kept.getresponse()
        assert (answer.status, answer.headers["Connection"]) == (503, "close")
        answer.read()
        fresh = ask(port, "/")
        assert (fresh.status, fresh.headers["Connection"]) == (200, "close")
        assert process.wait(HANGS) == 0
        with pytest.raises(ConnectionRefusedError):
            ask(port, "/")


def test_what_is_in_flight_is_finished() -> None:
    with tiny() as (process, port):
        answers: list[dict[str, int]] = []
        asking = threading.Thread(target=lambda: answers.append(told(port, "/?1")))
        asking.start()
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANGS) == 0
        asking.join()
        assert [answer["pid"] for answer in answers] == [process.pid]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stuck_clients_do_not_hold_it(number: signal.Signals) -> None:
    with tiny(grace_seconds="0.5") as (process, port), stuck(port):
        process.send_signal(number)
        assert process.wait(HANGS) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupt_does_not_go_on_for_a_while(workers: str) -> None:
    with tiny(drain_seconds="60", workers=workers) as (process, port):
        told(port)
        process.send_signal(signal.SIGINT)
        assert process.wait(HANGS) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_now(workers: str, second: signal.Signals) -> None:
    with tiny(drain_seconds="60", grace_seconds="60", workers=workers) as (process, port), stuck(port):
        told(port)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.7)
        process.send_signal(second)
        assert process.wait(HANGS) == 0


def pids(port: int, *, among: int) -> set[int]:
    """The processes that answer."""
    deadline = time.monotonic() + HANGS
    found: set[int] = set()
    while len(found) < among and time.monotonic() < deadline:
        found.add(told(port, "/?0.01")["pid"])
    return found


def ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_worker_that_is_killed_is_replaced() -> None:
    with tiny(workers="1") as (process, port):
        assert told(port)["pid"] == process.pid
    with tiny(workers="2") as (process, port):
        threads = [threading.Thread(target=told, args=(port, "/?0.3")) for _ in range(8)]
        for thread in threads:
            thread.start()
        before = pids(port, among=2)
        assert len(before) == 2
        assert process.pid not in before
        for thread in threads:
            thread.join()
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        started = time.monotonic()
        while (now := {told(port)["pid"] for _ in range(20)}) <= before:
            assert time.monotonic() - started < HANGS
        assert killed not in now
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANGS) == 0
        assert all(map(ended, now | before))


def test_workers_that_are_told_beside_their_parent_drain_all_the_same() -> None:
    """As systemd tells every process of a service."""
    with tiny(workers="2", drain_seconds="1") as (process, port):
        everyone = [process.pid, process.pid, *pids(port, among=2)]
        for pid in everyone:
            os.kill(pid, signal.SIGTERM)
        time.sleep(0.4)
        for _ in range(10):
            assert ask(port, "/health/ready").status == 503
        assert process.wait(HANGS) == 0


def test_workers_drain_together() -> None:
    with tiny(workers="2", drain_seconds="1.5", grace_seconds="0.5") as (process, port), stuck(port):
        workers = pids(port, among=2)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        for _ in range(10):  # by the one worker and the other
            answer = ask(port, "/health/ready")
            assert (answer.status, answer.headers["Connection"]) == (503, "close")
        assert process.wait(HANGS) == 0
        assert all(map(ended, workers))


def test_workers_end_when_their_parent_is_killed() -> None:
    with tiny(workers="2", drain_seconds="0.1") as (process, port):
        workers = pids(port, among=2)
        process.kill()
        process.wait()
        deadline = time.monotonic() + HANGS
        while not all(map(ended, workers)):
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_app_that_cannot_start_ends_it(workers: int) -> None:
    program = (
        "from app.observe.logs import logging_config; from app.server.run import run; "
        "from app.settings import Settings; "
        f"run(Settings(port=0, workers={workers}), logging_config('info', 'json'), '{TINY}:missing')"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=HANGS)
    assert ran.returncode == 1
    assert 'Attribute \\"missing\\" not found in module' in ran.stderr


def test_a_second_socket_is_served_by_the_same_app() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        admin_port = free.getsockname()[1]
    with tiny(admin_port=str(admin_port)) as (process, port):
        assert port_of(process) == admin_port
        assert (told(port)["port"], told(admin_port)["port"]) == (port, admin_port)


@dataclass
class Load:
    """Clients that ask without pause, as a proxy does that asks again where a connection brought nothing.

    Attributes:
        answered: requests answered in full.
        unheard: times of connections that ended before a byte of an answer.
        broken: what must not happen.
    """

    port: int
    answered: int = 0
    unheard: list[float] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    over: bool = False

    def __enter__(self) -> "Load":
        self._threads = [threading.Thread(target=self._ask) for _ in range(4)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over = True
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANGS)
        while not self.over:
            try:
                connection.request("POST", "/?0.002", b"{}")
                answer = connection.getresponse()
            except ConnectionRefusedError:
                break
            except (ConnectionError, http.client.RemoteDisconnected):
                self.unheard.append(time.monotonic())
                connection.close()
                continue
            try:
                if answer.status != 200 or "pid" not in json.loads(answer.read()):
                    self.broken.append(f"{answer.status}")
                self.answered += 1
            except (http.client.HTTPException, ConnectionError, ValueError) as error:
                self.broken.append(f"an answer broke off: {error!r}")
        connection.close()


def stopped_under_load(*, workers: str) -> None:
    """One stop: while it drains every request is answered in full; later none is answered in part."""
    drain = 0.4
    with tiny(workers=workers, drain_seconds=str(drain)) as (process, port), Load(port) as load:
        while load.answered < 20:
            time.sleep(0.02)
        told_at = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANGS) == 0
    assert load.broken == []
    assert [at for at in load.unheard if at < told_at + drain - 0.05] == []


@pytest.mark.parametrize("number", range(5))
def test_stopping_under_load_breaks_no_answer(number: int) -> None:
    stopped_under_load(workers="12"[number % 2])


@pytest.mark.heavy
def test_stopping_fifty_times_under_load_breaks_no_answer() -> None:
    for number in range(50):
        stopped_under_load(workers="12"[number % 2])
