"""Parquet on disk -> record batches of the columns that can be read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet as pq

from model.errors import DataError
from model.files.cells import is_readable
from model.files.names import check_unique, listed

_BATCH_ROWS = 1 << 20


@dataclass
class ParquetFile:
    """A Parquet file.

    Attributes:
        names: the readable columns, in order, stripped.
        notes: sentences on what was left out.
    """

    path: Path
    names: tuple[str, ...]
    notes: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, path: Path) -> "ParquetFile":
        """Read the schema.

        Raises:
            DataError: the file is not Parquet, has no rows or repeats a name.
        """
        try:
            with pq.ParquetFile(path) as file:
                schema, n_rows = file.schema_arrow, file.metadata.num_rows
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{path.name} cannot be read as Parquet: {error}") from None
        check_unique([name.strip() for name in schema.names], path.name)
        if not n_rows:
            raise DataError(f"{path.name} must hold rows, however there are none")
        left_out = [f.name for f in schema if not is_readable(f.type)]
        notes = (
            [f"{path.name}: left out columns that are nested or binary: {listed(left_out)}."]
            if left_out
            else []
        )
        return cls(path, tuple(f.name.strip() for f in schema if f.name not in left_out), notes)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows of some columns.

        Raises:
            DataError: the file is damaged.
        """
        try:
            with pq.ParquetFile(self.path) as file:
                stored = {name.strip(): name for name in file.schema_arrow.names}
                wanted = [stored[name] for name in columns]
                for batch in file.iter_batches(_BATCH_ROWS, columns=wanted, use_threads=False):
                    yield batch.select(wanted).rename_columns(list(columns))
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{self.path.name} cannot be read as Parquet: {error}") from None

    def row_number(self, index: int) -> int:
        """The number of the row that was read as the `index`th, from 0."""
        return index + 1
