"""How the process starts and stops, with an app that is quick to start."""

import http.client
import json
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
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1",
        b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
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


def test_an_interrupt_does_not_drain() -> None:
    with tiny(drain_seconds="60") as (process, port):
        told(port)
        process.send_signal(signal.SIGINT)
        assert process.wait(HANGS) == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_now(second: signal.Signals) -> None:
    with tiny(drain_seconds="60", grace_seconds="60") as (process, port), stuck(port):
        told(port)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.7)
        process.send_signal(second)
        assert process.wait(HANGS) == 0


def test_an_app_that_cannot_start_ends_it() -> None:
    program = (
        "from app.__main__ import serve; from app.settings import Settings; "
        f"serve(Settings(port=0), '{TINY}:missing')"
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


def test_a_request_on_an_idle_connection_is_answered_after_the_drain() -> None:
    with (
        tiny() as (process, port),
        closing(http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)) as used,
        closing(http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)) as fresh,
    ):
        used.request("GET", "/")
        used.getresponse().read()
        fresh.connect()
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        for connection in (used, fresh):
            connection.request("POST", "/?0.5", b"{}")
        for connection in (used, fresh):
            answer = connection.getresponse()
            assert (answer.status, answer.headers["Connection"]) == (200, "close")
            answer.read()
        assert process.wait(HANGS) == 0


@dataclass
class Load:
    """Clients that send requests without pause, until a connection is refused.

    Half of them keep their connections, the others take a new one for each request.

    Attributes:
        answered: requests with a complete answer.
        broken: requests that were sent without one.
    """

    port: int
    answered: int = 0
    broken: list[str] = field(default_factory=list)
    over: bool = False

    def __enter__(self) -> "Load":
        self._threads = [threading.Thread(target=self._ask, args=[number % 2 == 0]) for number in range(8)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over = True
        for thread in self._threads:
            thread.join()

    def _ask(self, keep_alive: bool) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANGS)
        while not self.over:
            try:
                connection.request("POST", "/?0.002", b"{}")
                answer = connection.getresponse()
                if answer.status != 200 or "pid" not in json.loads(answer.read()):
                    self.broken.append(f"{answer.status}")
                self.answered += 1
            except ConnectionRefusedError:
                break
            except (http.client.HTTPException, OSError, ValueError) as error:
                self.broken.append(repr(error))
            if not keep_alive:
                connection.close()
        connection.close()


def stopped_under_load(drain_seconds: str) -> None:
    """Stop once: every request that was sent is answered in full."""
    with tiny(drain_seconds=drain_seconds) as (process, port), Load(port) as load:
        while load.answered < 20:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANGS) == 0
    assert load.broken == []


@pytest.mark.parametrize("drain_seconds", ["0", "0.4"])
def test_stopping_under_load_loses_no_request(drain_seconds: str) -> None:
    stopped_under_load(drain_seconds)


@pytest.mark.heavy
def test_stopping_fifty_times_under_load_loses_no_request() -> None:
    for number in range(50):
        stopped_under_load(drain_seconds=f"{number % 2 * 0.2}")
