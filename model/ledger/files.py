"""The files of a ledger: segments are read, Parquet files are read and written."""

import os
import secrets
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from model.errors import LedgerError
from model.ledger.key import SIZE, LedgerKey
from model.ledger.records import unpacked
from model.ledger.segment import Frames, read_frames
from model.store.disk import sync_folder

SEGMENT: Final = ".segment"
PARQUET: Final = ".parquet"
DRAFT: Final = ".draft"
_KEY: Final = b"propense.ledger.key"


def read_segment(path: Path, key: LedgerKey) -> tuple[list[Any], Frames]:
    """Return the tables of a segment, and its frames.

    Raises:
        LedgerError: it is not of this ledger.
        OSError: it cannot be read.
    """
    try:
        id_, data = bytes.fromhex(path.stem), path.read_bytes()
    except ValueError:
        raise _foreign(path) from None
    frames = read_frames(data, key, id_)
    if frames is None:
        raise _foreign(path)
    return [unpacked(payload) for payload in frames.payloads], frames


def read_parquet(path: Path, key: LedgerKey) -> Any:
    """Return the table of a file.

    Raises:
        LedgerError: it is damaged, or not of this ledger.
    """
    try:
        table = pq.read_table(path, use_threads=False, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise LedgerError(f"{path} is damaged: {error}. Restore it from a copy, or move it away.") from None
    if (table.schema.metadata or {}).get(_KEY) != key.name.encode():
        raise _foreign(path)
    return table.replace_schema_metadata(None)


def write_parquet(folder: Path, table: Any, key: LedgerKey) -> None:
    """Write a new file, whole or not at all."""
    path = folder / f"{secrets.token_hex(SIZE)}{PARQUET}"
    draft = path.with_suffix(DRAFT)
    table = table.replace_schema_metadata({_KEY: key.name.encode()})
    pq.write_table(table, draft, compression="zstd", write_page_checksum=True)
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.rename(path)
    sync_folder(folder)


def _foreign(path: Path) -> LedgerError:
    return LedgerError(
        f"{path} must be a file of this ledger, under the name it was written with: its beginning is "
        "damaged, or it belongs to another ledger or key. Restore it from a copy, or move it away."
    )
