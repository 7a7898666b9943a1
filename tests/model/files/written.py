"""Small files for tests, and their columns as plain lists."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv
from pyarrow import parquet as pq

from model.errors import DataError
from model.files.table import RawTable, read_table
from model.values.columns import Column, Texts


def write(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def written(path: Path, table: pa.Table) -> Path:
    """A table as a file in the form of its suffix."""
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=9)
    elif path.suffix == ".arrows":
        with pa.ipc.new_stream(path, table.schema) as stream:
            stream.write_table(table, max_chunksize=9)
    elif path.suffix == ".ndjson":
        path.write_text("".join(json.dumps(row, default=str) + "\n" for row in table.to_pylist()))
    else:
        csv.write_csv(table, path)
    return path


def listed(column: Column) -> list[object]:
    """One Python value a row; None where missing."""
    if isinstance(column, Texts):
        return [column.values[code] if code >= 0 else None for code in column.codes]
    return [None if np.isnan(number) else number for number in column]


def plain(table: RawTable) -> dict[str, list[object]]:
    """Every column as a list."""
    return {name: listed(column) for name, column in table.columns.items()}


def read(folder: Path, content: str | bytes, name: str = "t.csv", **options: Any) -> dict[str, list[object]]:
    """The columns of a table with this content."""
    return plain(read_table(write(folder, content, name), **options))


def refusal(path: Path, **options: Any) -> str:
    """Why a file is refused."""
    with pytest.raises(DataError) as error:
        read_table(path, **options)
    return str(error.value)
