"""Records: what was said of customers, as a table that Arrow and Parquet hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from model.ledger.key import SIZE, LedgerKey
from model.probability import Probabilities
from model.store.manifest import Manifest

Bools = NDArray[np.bool_]
BYTES: Final = pa.binary(SIZE)
TIME: Final = pa.timestamp("us", "UTC")


@dataclass(frozen=True)
class Version:
    """The version that speaks.

    Attributes:
        hash: of its manifest, which has the hashes of all its files.
        horizons: in days, as texts; none for a label that is a column.
    """

    number: int
    hash: bytes
    horizons: tuple[str, ...]

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """The version of a manifest."""
        text = manifest.model_dump_json(by_alias=True).encode()
        return cls(manifest.version, blake2b(text, digest_size=SIZE).digest(), manifest.task.output_names)


@dataclass(frozen=True)
class Said:
    """What a version says of N customers.

    Attributes:
        ids: N texts; None for a customer without an id, who is not recorded.
        as_of: (N,) int64 instants.
        probabilities: (N, K).
        eligible: (N,); None for a model that predicts all customers.
        numeric, categories: (N, D) and (N, C) what the network has read.
        requests: of each customer the idempotency key that came with the request, if any.
    """

    version: Version
    ids: Sequence[str | None]
    as_of: NDArray[np.int64]
    probabilities: Probabilities
    eligible: Bools | None
    numeric: NDArray[np.float32]
    categories: NDArray[np.int64]
    requests: Sequence[bytes | None] | None = None


def records_of(said: Said, key: LedgerKey, now: int) -> Any:
    """Return a record batch with a row for each customer with an id.

    `inputs` is a hash of what was read of whom, when, and of what was said. `key` makes a record one, however
    often it is written: it is that of the request, else the same hash.

    Args:
        now: the instant of saying it.
    """
    rows = [row for row, id_ in enumerate(said.ids) if id_ is not None]
    everyone = len(rows) == len(said.ids)
    pseudonyms = key.pseudonyms(id_ for id_ in said.ids if id_ is not None)
    take = slice(None) if everyone else np.array(rows, dtype=np.int64)
    as_of, probabilities = said.as_of[take], said.probabilities[take]
    of_row = np.frombuffer(b"".join(pseudonyms), np.uint8).reshape(-1, SIZE)
    read = of_row, as_of[:, None], said.numeric[take], said.categories[take], probabilities
    inputs = _digests(said.version.hash, *read)
    keys = inputs
    if said.requests is not None:
        requests = [said.requests[row] for row in rows]
        named = zip(inputs, pseudonyms, requests, strict=True)
        keys = [key.request_mark(who, request) if request else own for own, who, request in named]
    n = len(rows)
    columns = {
        "key": pa.array(keys, BYTES),
        "pseudonym": pa.array(pseudonyms, BYTES),
        "as_of": pa.array(as_of, TIME),
        "said_at": pa.array(np.full(n, now, dtype=np.int64), TIME),
        "version": pa.array(np.full(n, said.version.number, dtype=np.int32)),
        "checkpoint": pa.array([said.version.hash] * n, BYTES),
        "inputs": pa.array(inputs, BYTES),
        "eligible": pa.nulls(n, pa.bool_()) if said.eligible is None else pa.array(said.eligible[take]),
        **{
            name: pa.array(probabilities[:, k])
            for k, name in enumerate(probability_names(said.version.horizons))
        },
    }
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def probability_names(horizons: Sequence[str]) -> list[str]:
    """Return the columns of K probabilities."""
    return [f"probability_{horizon}d" for horizon in horizons] or ["probability"]


def packed(batch: Any) -> bytes:
    """Return a record batch as bytes that hold its schema too."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def unpacked(payload: bytes) -> Any:
    """Return the table of such bytes."""
    with pa.ipc.open_stream(payload) as reader:
        return reader.read_all()


def joined(tables: Sequence[Any]) -> Any:
    """Return the rows of tables, a record once; a column that one of them lacks is missing there."""
    table = pa.concat_tables([pa.table({"key": pa.array([], BYTES)}), *tables], promote_options="default")
    places = pa.array(np.arange(len(table)))
    numbered = pa.table({"key": table["key"], "place": places})
    first = numbered.group_by("key", use_threads=False).aggregate([("place", "min")])["place_min"]
    return table.take(np.sort(first.to_numpy()))


def _digests(start: bytes, *columns: NDArray[Any]) -> list[bytes]:
    """Return a hash of each row of N-row matrices."""
    n, widths = len(columns[0]), [c.dtype.itemsize * int(np.prod(c.shape[1:])) for c in columns]
    rows = np.concatenate(
        [
            np.ascontiguousarray(c).view(np.uint8).reshape(n, w)
            for c, w in zip(columns, widths, strict=True)
            if w
        ],
        axis=1,
    )
    data, width = rows.tobytes(), rows.shape[1]
    empty = blake2b(start, digest_size=SIZE)

    def digest(at: int) -> bytes:
        sum_ = empty.copy()
        sum_.update(data[at : at + width])
        return sum_.digest()

    return [digest(at) for at in range(0, n * width, width)]
