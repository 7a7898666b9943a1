"""Files over a socket: at constant memory, beside other requests, and with clients that stall or vanish."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.app.files.forms import ARROW, CSV, HEAD, NDJSON, PARQUET, parquet, stream, table
from tests.app.process import HANGS, Service, ask, port_of, service, wait_until_ready
from tests.app.toys import AS_OF

ROWS = b"".join(
    b'%d,%d,%s,1,yes,1996-01-01,%d,"3"\n' % (n, n % 10, b"contract %d" % (n % 60) * 40, n % 7)
    for n in range(5_000)
)  # 2 MB
N_ROWS = ROWS.count(b"\n")
PATH = f"/v1/models/churn/score?as_of={AS_OF}"


class Watch(threading.Thread):
    """Looks at a process now and then: its memory, and whether it answers a probe."""

    def __init__(self, process: Service, port: int) -> None:
        super().__init__(daemon=True)
        self._process, self._port = process, port
        self._done = threading.Event()
        self.most_bytes = 0

    def run(self) -> None:
        while not self._done.wait(0.05):
            self.most_bytes = max(self.most_bytes, resident(self._process))
            assert ask(self._port, "/health/live").status == 200

    def stop(self) -> None:
        self._done.set()
        self.join()


def resident(process: Service) -> int:
    return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * 4096


def count_lines(port: int, times: int) -> int:
    """POST a file of so many rows: the lines of the response."""

    def content() -> Iterator[bytes]:
        yield HEAD.encode()
        for _ in range(times):
            yield ROWS

    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("POST", PATH, content(), {"Content-Type": CSV}, encode_chunked=True)
        with connection.getresponse() as response:
            assert response.status == 200
            lines = 0
            while piece := response.read(1 << 20):
                lines += piece.count(b"\n")
            return lines


@pytest.fixture(scope="module")
def spools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the service spools to."""
    return tmp_path_factory.mktemp("spools")


@pytest.fixture(scope="module")
def running(registry: Path, spools: Path) -> Iterator[tuple[Service, int]]:
    """The service with little time for an upload."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(spools))
        options: dict[str, Any] = {"send_seconds": "1", "body_seconds": "1", "upload_seconds": "3"}
        with service(registry=str(registry), port="0", max_score_bytes=str(1 << 31), **options) as process:
            port = port_of(process)
            wait_until_ready(port)
            assert count_lines(port, 1) == N_ROWS + 1
            yield process, port


Running = tuple[Service, int]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory of a process from Linux")
@pytest.mark.parametrize(
    "times", [pytest.param(5, id="11 MB"), pytest.param(100, marks=pytest.mark.heavy, id="220 MB")]
)
def test_a_large_file_takes_no_more_memory_than_a_small_one(running: Running, times: int) -> None:
    process, port = running
    before, watch = resident(process), Watch(process, port)
    watch.start()
    assert count_lines(port, times) == times * N_ROWS + 1
    watch.stop()
    assert watch.most_bytes - before < 60_000_000


def head(length: int) -> bytes:
    lines = ("Host: x", f"Content-Type: {CSV}", f"Content-Length: {length}", "", "")
    return f"POST {PATH} HTTP/1.1\r\n".encode() + "\r\n".join(lines).encode()


def status_of(wire: socket.socket) -> int:
    wire.settimeout(HANGS)
    return int(wire.recv(1 << 16).split()[1])


def test_an_upload_that_stops_or_takes_too_long_is_refused(running: Running) -> None:
    _, port = running
    with closing(socket.create_connection(("127.0.0.1", port))) as stalled:
        stalled.sendall(head(1000) + b"customer_id")
        assert status_of(stalled) == 408
    with closing(socket.create_connection(("127.0.0.1", port))) as slow:
        slow.sendall(head(100_000))
        slow.settimeout(0)
        until = time.monotonic() + HANGS
        while time.monotonic() < until:
            slow.send(b"x")
            time.sleep(0.3)
            try:
                assert slow.recv(1 << 16).split()[1] == b"408"
                return
            except BlockingIOError:
                continue
        raise AssertionError("an upload may take for ever")


def test_clients_that_vanish_leave_nothing_behind(running: Running, spools: Path) -> None:
    _, port = running
    whole = HEAD.encode() + ROWS * 10
    for sent in (len(whole) // 2, len(whole)):
        with closing(socket.create_connection(("127.0.0.1", port))) as wire:
            wire.sendall(head(len(whole)) + whole[:sent])
    assert count_lines(port, 1) == N_ROWS + 1
    until = time.monotonic() + HANGS
    while list(spools.glob("propense-*")) and time.monotonic() < until:
        time.sleep(0.05)
    assert list(spools.glob("propense-*")) == []


def test_a_client_that_does_not_read_is_cut_off(running: Running) -> None:
    _, port = running
    whole = HEAD.encode() + ROWS * 40
    with closing(socket.socket()) as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.connect(("127.0.0.1", port))
        wire.sendall(head(len(whole)) + whole)
        until = time.monotonic() + 60
        received = b""
        while b"content-length" not in received and time.monotonic() < until:
            received += wire.recv(4096)
        length = int(received.lower().partition(b"content-length: ")[2].split()[0])
        time.sleep(2.5)
        try:
            while piece := wire.recv(1 << 16):
                received += piece
        except ConnectionResetError:
            pass
        assert len(received) < length
    assert ask(port, "/health/live").status == 200


def test_every_form_is_answered_with_its_length(running: Running) -> None:
    _, port = running
    small = table(bill_1=[1.0, 2.0])
    row = HEAD.encode() + b"1,3,,,,,,\n"
    bodies = {CSV: row, NDJSON: b"{}\n", ARROW: stream(small), PARQUET: parquet(small)}
    for kind, body in bodies.items():
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)) as connection:
            connection.request("POST", PATH, body, {"Content-Type": kind})
            response = connection.getresponse()
            content = response.read()
            assert (response.status, response.headers["content-type"]) == (200, kind)
            assert int(response.headers["content-length"]) == len(content)
