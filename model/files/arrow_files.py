"""Arrow IPC streams and Parquet files: batches of the columns that can be read."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

import pyarrow as pa
from pyarrow import parquet as pq

from model.errors import DataError
from model.files.batch import Batch
from model.files.cells import is_readable
from model.files.names import check_unique

_BATCH_ROWS: Final = 1 << 16
_MIN_ROWS: Final = 1 << 12
_MARKER: Final = b"\xff" * 4


@dataclass
class ArrowFile:
    """One Arrow IPC stream, one Parquet file, or several of the latter that are one table.

    Attributes:
        files: at least one.
        stored: the columns as the file spells them, by the stripped name.
    """

    path: Path
    files: Sequence[Path]
    names: tuple[str, ...]
    unreadable: Mapping[str, str]
    stored: Mapping[str, str]
    notes: list[str] = field(default_factory=list)
    optional: ClassVar[bool] = False
    first_row: ClassVar[int] = 1
    hint: ClassVar[str] = ""

    @classmethod
    def open(cls, path: Path, files: Sequence[Path]) -> "ArrowFile":
        """Read the schema of the first file.

        Raises:
            DataError: a file is damaged, or repeats a name.
        """
        with _refusing(files[0]):
            schema = pq.read_schema(files[0]) if _is_parquet(files[0]) else _opened(files[0]).schema
            stored_names = [*map(str, schema.names)]
        check_unique([name.strip() for name in stored_names], path.name)
        stored = {name.strip(): name for name in stored_names}
        kinds = dict(zip(stored, schema.types, strict=True))
        names = tuple(name for name, kind in kinds.items() if is_readable(kind))
        unreadable = {name: str(kind)[:200] for name, kind in kinds.items() if name not in names}
        return cls(path, files, names, unreadable, stored)

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """Yield all rows of some columns.

        Raises:
            DataError: a file is damaged, or lacks a column of the first.
        """
        wanted = [self.stored[name] for name in columns]
        for file in self.files:
            with _refusing(file):
                for batch in _read(file, wanted):
                    cells = pa.RecordBatch.from_arrays([batch[name] for name in wanted], list(columns))
                    yield Batch(cells, len(batch), {})


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() in (".parquet", ".pq")


def _opened(path: Path) -> Any:
    with path.open("rb") as file:
        if file.read(len(_MARKER)) != _MARKER:  # other bytes would be read as the length of a message
            raise pa.ArrowInvalid("it does not begin as one")
    return pa.ipc.open_stream(pa.OSFile(str(path)))


def _read(path: Path, columns: Sequence[str]) -> Iterator[Any]:
    if not _is_parquet(path):
        yield from _merged(_opened(path))
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
    form = "Parquet" if _is_parquet(path) else "an Arrow IPC stream"
    try:
        yield
    except MemoryError:  # an ArrowException too
        raise
    except (pa.ArrowException, OSError, KeyError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} cannot be read as {form}: {error}") from None
