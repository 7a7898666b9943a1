"""Files through the proxy: large ones in each form, and clients that stall, vanish or read slowly."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv

from tests.app.files.forms import ARROW, CSV, NDJSON, PARQUET, parquet, rows_of, stream, table
from tests.app.process import port_of, service, wait_until_ready
from tests.app.toys import AS_OF, TABLE_SCHEMA, TABLE_TASK, publish
from tests.benchmarks.serving.process import free_port
from tests.deploy.proxy import Proxy, needs_nginx, running

PATH = f"/v1/models/churn/score?as_of={AS_OF}"
ROW_BYTES = 400
SIZES = [8, pytest.param(100, marks=pytest.mark.heavy)]  # MB


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """In front of one service and a replica that is down; with little patience for a body."""
    folder = tmp_path_factory.mktemp("proxy")
    publish(folder / "registry", "churn", TABLE_SCHEMA, TABLE_TASK)
    with service(registry=str(folder / "registry"), port="0", drain_seconds="0") as process:
        port = port_of(process)
        wait_until_ready(port)
        changes = {"client_body_timeout 20s": "client_body_timeout 1s"}
        with running(folder, [port, free_port()], changes) as proxy:
            yield proxy


def file_of(form: str, n_rows: int) -> bytes:
    """A file whose rows have 400 bytes each, but for Parquet's bookkeeping."""
    rows = table(
        customer_id=[str(n) for n in range(n_rows)],
        contract=[f"contract {n % 60}".ljust(ROW_BYTES, ".") for n in range(n_rows)],
        bill_1=[float(n % 7) for n in range(n_rows)],
    )
    if form == ARROW:
        return stream(rows)
    if form == PARQUET:
        return parquet(rows, compression="none", use_dictionary=False)
    if form == NDJSON:
        given = rows.select(["customer_id", "contract", "bill_1"]).to_pylist()
        return "".join(f"{json.dumps(row)}\n" for row in given).encode()
    sink = pa.BufferOutputStream()
    csv.write_csv(rows, sink)
    return bytes(sink.getvalue())


def scored(proxy: Proxy, body: bytes, form: str, *, wait_s: float = 0.0) -> bytes:
    """The response, read after a wait."""
    with closing(proxy.connect()) as connection:
        connection.request("POST", PATH, body, {"Content-Type": form})
        response = connection.getresponse()
        time.sleep(wait_s)
        content = response.read()
        assert response.status == 200, content
        assert int(response.headers["content-length"]) == len(content)
        return content


@needs_nginx
@pytest.mark.parametrize("megabytes", SIZES)
@pytest.mark.parametrize("form", [CSV, NDJSON, ARROW, PARQUET])
def test_a_large_file_is_scored(proxy: Proxy, form: str, megabytes: int) -> None:
    n_rows = megabytes * 1_000_000 // ROW_BYTES
    body = file_of(form, n_rows)
    assert len(body) >= megabytes * 1_000_000
    rows = rows_of(scored(proxy, body, form), form)
    assert [row["customer_id"] for row in rows] == [str(n) for n in range(n_rows)]
    assert all(0 < float(row["probability"]) < 1 and not row["error"] for row in rows)


@needs_nginx
def test_a_client_that_reads_slowly_gets_all(proxy: Proxy) -> None:
    rows = rows_of(scored(proxy, file_of(NDJSON, 20_000), NDJSON, wait_s=1.5), NDJSON)
    assert len(rows) == 20_000


@needs_nginx
def test_clients_that_stall_or_vanish_never_reach_a_replica(proxy: Proxy) -> None:
    head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: {CSV}\r\nContent-Length: 9000000\r\n"
    for id_, stalls in (("stalled", True), ("vanished", False)):
        with closing(proxy.connect()) as connection:
            connection.connect()
            connection.sock.sendall(f"{head}X-Request-ID: {id_}\r\n\r\n".encode() + bytes(1_000_000))
            if stalls:
                assert connection.sock.recv(1) == b""
    deadline = time.monotonic() + 10
    while len(lines := logged(proxy.log)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert lines == {"stalled": [408, ""], "vanished": [400, ""]}
    assert scored(proxy, file_of(CSV, 10), CSV)


def logged(log: Path) -> dict[str, list[object]]:
    """Status and replica of the requests with the ids of the test above."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return {
        line["request_id"]: [line["status"], line["upstream"]]
        for line in lines
        if line["request_id"] in ("stalled", "vanished")
    }
