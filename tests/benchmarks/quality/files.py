"""Raw files as frames of exact texts, so that a copy of some rows says what the file said."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from model.files.source import open_source
from model.files.table import read_table
from model.values.columns import Texts, texts_of


def read_texts(paths: Sequence[Path]) -> pd.DataFrame:
    """Every column as texts; None where a cell is empty or says so."""
    return pd.concat([_read(path) for path in paths], ignore_index=True)


def texts_in(column: pd.Series) -> Texts:
    """A column of such a frame as a raw column."""
    codes, values = pd.factorize(column)
    return texts_of(codes, list(values))


def _read(path: Path) -> pd.DataFrame:
    names = open_source(path).names
    columns = read_table(path, texts=names).columns
    return pd.DataFrame({name: _spelt(column) for name, column in columns.items()}, dtype=object)


def _spelt(column: object) -> np.ndarray:
    assert isinstance(column, Texts)
    return np.array([*column.values, None], dtype=object)[column.codes]
