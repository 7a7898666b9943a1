"""Small files for tests, and their columns as plain lists."""

from pathlib import Path

import numpy as np
import pytest

from model.errors import DataError
from model.files.table import RawTable, read_table
from model.values.columns import Column, Texts


def write(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def listed(column: Column) -> list[object]:
    """One Python value a row; None where missing."""
    if isinstance(column, Texts):
        return [column.values[code] if code >= 0 else None for code in column.codes]
    return [None if np.isnan(number) else number for number in column]


def plain(table: RawTable) -> dict[str, list[object]]:
    """Every column as a list."""
    return {name: listed(column) for name, column in table.columns.items()}


def read(
    folder: Path, content: str | bytes, name: str = "t.csv", **options: list[str]
) -> dict[str, list[object]]:
    """The columns of a table with this content."""
    return plain(read_table(write(folder, content, name), **options))


def refusal(path: Path, **options: list[str]) -> str:
    """Why a file is refused."""
    with pytest.raises(DataError) as error:
        read_table(path, **options)
    return str(error.value)
