"""Files in each form, and their scores as rows."""

import csv
import io
import json
from typing import Any, Final

import pyarrow as pa
from pyarrow import ipc
from pyarrow import parquet as pq

from tests.app.client import Client
from tests.app.toys import AS_OF

ARROW: Final = "application/vnd.apache.arrow.stream"
PARQUET: Final = "application/vnd.apache.parquet"
NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"

HEAD: Final = "customer_id,Total Charges,contract,copy,_senior,since,bill_1,bill_2\n"
EVENT: Final = {"date": "1997-03-01", "amount": 12.5, "kind": "buy", "shop": None}
COLUMNS: Final = ("Total Charges", "contract", "copy", "_senior", "since", "bill_1", "bill_2")
SCORES: Final = ["customer_id", "probability", "error"]
LOG_SCORES: Final = [
    "customer_id",
    "probability",
    "probability_30d",
    "probability_90d",
    "eligible",
    "not_eligible_because",
    "error",
]


def stream(table: pa.Table, *, rows: int = 1_000, compression: str | None = None) -> bytes:
    """A table as an Arrow stream."""
    sink = io.BytesIO()
    with ipc.new_stream(sink, table.schema, options=ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table, max_chunksize=rows)
    return sink.getvalue()


def parquet(table: pa.Table, **options: Any) -> bytes:
    """A table as a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def table(**columns: Any) -> pa.Table:
    """A table of `churn`; the columns that are not given are empty."""
    given = {name.replace("Total_Charges", "Total Charges"): values for name, values in columns.items()}
    n_rows = max((len(values) for values in given.values()), default=1)
    return pa.table({**{name: pa.nulls(n_rows) for name in COLUMNS}, **given})


def log_table(**columns: Any) -> pa.Table:
    """A table of `purchase`."""
    return pa.table({"tenure": [3.0, 1.0, None], "events": [[EVENT, EVENT], [], None], **columns})


def post(client: Client, content: bytes | str, kind: str, path: str = "churn", query: str = "") -> Any:
    """The response to a file."""
    body = content.encode() if isinstance(content, str) else content
    url = f"/v1/models/{path}/score{query or f'?as_of={AS_OF}'}"
    return client.request("POST", url, content=body, headers={"content-type": kind})


def scores(client: Client, content: bytes | str, kind: str, path: str = "churn") -> list[dict[str, Any]]:
    """The rows of the scores of a file."""
    response = post(client, content, kind, path)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == kind
    assert int(response.headers["content-length"]) == len(response.content)
    return rows_of(response.content, kind)


def rows_of(content: bytes, kind: str) -> list[dict[str, Any]]:
    """The rows of a file."""
    if kind == CSV:
        return list(csv.DictReader(io.StringIO(content.decode())))
    if kind == NDJSON:
        return [json.loads(line) for line in content.splitlines()]
    read = ipc.open_stream(content).read_all() if kind == ARROW else pq.read_table(io.BytesIO(content))
    rows: list[dict[str, Any]] = read.to_pylist()
    return rows


def refusal(client: Client, content: bytes | str, kind: str, path: str = "churn") -> tuple[int, str]:
    """The status and the sentence with which a file is refused."""
    response = post(client, content, kind, path)
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, response.json()["detail"]


def predicted(client: Client, name: str, rows: list[dict[str, Any]]) -> list[float]:
    """The probabilities of a predict request."""
    body = client.predict(name, {"as_of": AS_OF, "customers": rows}).json()
    return [one["probability"] for one in body["predictions"]]
