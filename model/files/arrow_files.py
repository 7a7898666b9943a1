"""Arrow IPC streams and files, and Parquet files: batches of the columns that can be read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

import pyarrow as pa
from pyarrow import parquet as pq
from pyarrow import types

from model.errors import DataError
from model.files.batch import Batch
from model.files.cells import is_readable
from model.files.names import check_unique
from model.files.text.unpack import first_bytes

_BATCH_ROWS: Final = 1 << 16
_MIN_ROWS: Final = 1 << 12
_MARKER: Final = b"\xff" * 4
_FILE: Final = b"ARROW1"
_NO_LENGTH: Final = 1 << 40  # bytes
_PARQUET: Final = b"PAR1"


@dataclass
class ArrowFile:
    """One Arrow IPC stream or file, or one Parquet file; its first bytes tell which.

    Attributes:
        stored: the columns as the file spells them, by the stripped name.
    """

    path: Path
    names: tuple[str, ...]
    unreadable: Mapping[str, str]
    stored: Mapping[str, str]
    notes: list[str] = field(default_factory=list)
    optional: ClassVar[bool] = False
    first_row: ClassVar[int] = 1
    hint: ClassVar[str] = ""

    @classmethod
    def open(cls, path: Path) -> "ArrowFile":
        """Read the schema. A column of bytes is one of texts if its first bytes are UTF-8.

        Raises:
            DataError: the file is damaged, or repeats a name.
        """
        with _refusing(path):
            schema = pq.read_schema(path) if _form(path) == "Parquet" else _opened(path).schema
            stored_names = [*map(str, schema.names)]
        check_unique([name.strip() for name in stored_names], path.name)
        stored = {name.strip(): name for name in stored_names}
        kinds = dict(zip(stored, schema.types, strict=True))
        of_bytes = [name for name, kind in kinds.items() if _is_binary(kind)]
        with _refusing(path):
            texts = _of_text(path, {name: stored[name] for name in of_bytes}) if of_bytes else set()
        names = tuple(name for name, kind in kinds.items() if is_readable(kind) or name in texts)
        unreadable = {name: str(kind)[:200] for name, kind in kinds.items() if name not in names}
        return cls(path, names, unreadable, stored)

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """Yield all rows of some columns.

        Raises:
            DataError: the file is damaged.
        """
        wanted = [self.stored[name] for name in columns]
        with _refusing(self.path):
            for batch in _read(self.path, wanted):
                cells = pa.RecordBatch.from_arrays([_text(batch[name]) for name in wanted], list(columns))
                yield Batch(cells, len(batch), {})


def is_arrow(path: Path) -> bool:
    """Whether a file begins as one of these, whatever its name."""
    return first_bytes(path).startswith((_PARQUET, _FILE, _MARKER))


def _form(path: Path) -> str:
    if first_bytes(path).startswith(_PARQUET) or path.suffix.lower() in (".parquet", ".pq"):
        return "Parquet"
    return "an Arrow IPC stream"


def _is_binary(kind: Any) -> bool:
    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind))


def _text(array: Any) -> Any:
    return array.cast(pa.string()) if _is_binary(array.type) else array


def _of_text(path: Path, stored: Mapping[str, str]) -> set[str]:
    """Which columns of bytes hold texts in the first batch."""
    batch = next(_read(path, list(stored.values())), None)
    found = set()
    for name, column in stored.items():
        try:
            if batch is not None and _text(batch[column]):
                found.add(name)
        except pa.ArrowInvalid:
            continue
    return found


def _opened(path: Path) -> Any:
    head = first_bytes(path)
    if head.startswith(_FILE):
        return pa.ipc.open_file(pa.OSFile(str(path)))
    if not head.startswith(_MARKER):  # other bytes would be read as the length of a message
        raise pa.ArrowInvalid("it does not begin as one")
    return pa.ipc.open_stream(pa.OSFile(str(path)))


def _read(path: Path, columns: Sequence[str]) -> Iterator[Any]:
    if _form(path) != "Parquet":
        reader = _opened(path)
        stream = hasattr(reader, "read_next_batch")
        yield from _merged(reader if stream else map(reader.get_batch, range(reader.num_record_batches)))
        return
    with pq.ParquetFile(path, buffer_size=1 << 16, pre_buffer=False) as file:
        yield from file.iter_batches(_BATCH_ROWS, columns=columns, use_threads=False)


def _merged(batches: Iterator[Any]) -> Iterator[Any]:
    """The same rows without small batches, each of which would take a call of the network."""
    waiting, n_rows = list[Any](), 0
    for batch in batches:
        batch.validate(full=True)
        waiting.append(batch)
        n_rows += len(batch)
        if n_rows >= _MIN_ROWS:
            yield pa.concat_batches(waiting)
            waiting, n_rows = [], 0
    if waiting:
        yield pa.concat_batches(waiting)


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except MemoryError as error:  # an ArrowException too
        if max(map(int, re.findall(r"size (\d+)", str(error))), default=0) < _NO_LENGTH:
            raise
        raise DataError(f"{path.name} is damaged: it names a length that no file has ({error})") from None
    except (pa.ArrowException, OSError, KeyError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} cannot be read as {_form(path)}: {error}") from None
