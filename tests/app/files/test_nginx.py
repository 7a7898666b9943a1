"""Large files in every form through the project's nginx, which sends a body on once it has all of it."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv

from tests.app.files.forms import ARROW, CSV, NDJSON, PARQUET, parquet, stream
from tests.app.process import port_of, service, wait_until_ready
from tests.app.toys import AS_OF
from tests.deploy.proxy import Proxy, needs_nginx
from tests.deploy.proxy import running as running_proxy

PATH = f"/v1/models/churn/score?as_of={AS_OF}"
ROW_BYTES = 200  # of the id


@pytest.fixture(scope="module")
def proxy(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """nginx before one replica; the other refuses connections."""
    with service(registry=str(registry), port="0") as process:
        port = port_of(process)
        wait_until_ready(port)
        with running_proxy(tmp_path_factory.mktemp("nginx"), [port, port]) as proxy:
            yield proxy


def body(kind: str, n_rows: int) -> bytes:
    """A file of so many rows."""
    numbers = pa.array(range(n_rows))
    ids = [f"{number * 2654435761 % 2**32:08x}" * 25 for number in range(n_rows)]
    nothing = pa.nulls(n_rows, pa.string())
    table = pa.table(
        {"customer_id": ids, "Total Charges": numbers}
        | dict.fromkeys(("contract", "copy", "_senior", "since", "bill_1", "bill_2"), nothing)
    )
    if kind == CSV:
        sink = pa.BufferOutputStream()
        csv.write_csv(table, sink)
        return bytes(sink.getvalue())
    if kind == NDJSON:
        lines = (json.dumps({"customer_id": id_, "Total Charges": n}) for n, id_ in enumerate(ids))
        return "\n".join(lines).encode()
    return stream(table, rows=50_000) if kind == ARROW else parquet(table, compression="none")


@needs_nginx
@pytest.mark.parametrize(
    "megabytes", [pytest.param(6, id="6 MB"), pytest.param(100, id="100 MB", marks=pytest.mark.heavy)]
)
@pytest.mark.parametrize("kind", [CSV, NDJSON, ARROW, PARQUET])
def test_large_files_pass_nginx(proxy: Proxy, kind: str, megabytes: int) -> None:
    content = body(kind, megabytes * 1_000_000 // ROW_BYTES)
    assert len(content) > megabytes * 1_000_000
    with closing(proxy.connect(timeout=600)) as connection:
        connection.request("POST", PATH, content, {"Content-Type": kind})
        response = connection.getresponse()
        length = 0
        while piece := response.read(1 << 20):
            length += len(piece)
    assert (response.status, response.headers["content-type"]) == (200, kind)
    assert length == int(response.headers["content-length"])
