"""Large files over a socket: at constant memory, with a client that reads late, while others are answered."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.app.process import HANGS, Service, ask, port_of, service, wait_until_ready
from tests.app.score.conftest import CSV
from tests.app.toys import AS_OF

HEAD = b"customer_id,Total Charges,contract,copy,_senior,since,bill_1,bill_2\n"
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
    """POST a file of so many rows, and read only when all is sent: the lines of the answer."""

    def content() -> Iterator[bytes]:
        yield HEAD
        for _ in range(times):
            yield ROWS

    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)) as connection:
        connection.request("POST", PATH, content(), {"Content-Type": CSV}, encode_chunked=True)
        with connection.getresponse() as answer:
            assert answer.status == 200
            lines = 0
            while piece := answer.read(1 << 20):
                lines += piece.count(b"\n")
            return lines


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory of a process from Linux")
@pytest.mark.parametrize(
    "times", [pytest.param(5, id="11 MB"), pytest.param(460, marks=pytest.mark.heavy, id="1 GB")]
)
def test_a_large_file_takes_no_more_memory_than_a_small_one(registry: Path, times: int) -> None:
    with service(registry=str(registry), port="0", send_seconds="1", max_score_bytes=str(1 << 31)) as process:
        port = port_of(process)
        wait_until_ready(port)
        assert count_lines(port, 2) == 2 * N_ROWS + 1
        before, watch = resident(process), Watch(process, port)
        watch.start()
        assert count_lines(port, times) == times * N_ROWS + 1
        watch.stop()
        assert watch.most_bytes - before < 60_000_000


def test_an_answer_that_breaks_off_has_no_end(registry: Path) -> None:
    """A client must not take half a file for a whole one."""
    with service(registry=str(registry), port="0", max_score_bytes="2500000") as process:
        port = port_of(process)
        wait_until_ready(port)
        with pytest.raises((http.client.IncompleteRead, ConnectionError, BrokenPipeError)):
            count_lines(port, 10)
        assert ask(port, "/health/live").status == 200
