"""The file that batch scoring writes: CSV or Parquet, a block of rows at a time, whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from model.errors import DataError

FORMATS: Final = (".csv", ".parquet")


class TableWriter(Protocol):
    """Takes tables of one schema, one after another."""

    def write_table(self, table: pa.Table) -> None:
        """Append rows."""


@contextmanager
def open_scores(path: Path, schema: pa.Schema) -> Iterator[TableWriter]:
    """A writer whose file appears under its name when the block ends without an error.

    Raises:
        DataError: the name ends in neither .csv nor .parquet, or the file cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise DataError(f"--out must end in .csv or .parquet, got {path.name!r}")
    if not path.parent.is_dir():
        raise DataError(f"--out must lie in a folder that is there, got {str(path)!r}; make {path.parent}")
    draft = path.with_name(f".{path.name}.part")
    try:
        with _writer(draft, path.suffix.lower(), schema) as writer:
            yield writer
        draft.replace(path)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error}") from error
    finally:
        draft.unlink(missing_ok=True)


def _writer(draft: Path, suffix: str, schema: pa.Schema) -> pa.csv.CSVWriter | pa.parquet.ParquetWriter:
    if suffix == ".csv":
        return pa.csv.CSVWriter(draft, schema, write_options=pa.csv.WriteOptions(quoting_header="none"))
    return pa.parquet.ParquetWriter(draft, schema)
