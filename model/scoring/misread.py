"""What a file to be scored holds that the model cannot read: counted and told, or refused."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.schema import CategoricalColumn, DateColumn, Schema, TableColumn
from model.times import MISSING_TIME
from model.values.columns import Column, Texts, as_booleans, as_codes, as_dates, as_numbers

_WORDS: Final = {"numeric": "a number", "boolean": "yes or no", "date": "a date"}
MOST: Final = 0.5  # of a column's values; beyond it the file is not what the model was trained on


@dataclass
class Misread:
    """Counts over the blocks of one file: values present, and those of them that say nothing to the model."""

    schema: Schema
    present: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)

    def add(self, columns: Mapping[str, Column]) -> None:
        """Count a block of rows."""
        for column in self.schema.columns:
            values = columns[column.name]
            present = values.codes >= 0 if isinstance(values, Texts) else ~np.isnan(values)
            self.present[column.name] += int(present.sum())
            self.lost[column.name] += int(
                (present & _says_nothing(column, values, self.schema.time_zone)).sum()
            )

    def sentences(self) -> tuple[str, ...]:
        """A sentence for each column that lost some.

        Raises:
            DataError: a column of numbers, booleans or dates lost more than MOST of its values.
        """
        return tuple(self._sentence(c) for c in self.schema.columns if self.lost[c.name])

    def _sentence(self, column: TableColumn) -> str:
        share = f"{self.lost[column.name]:,} of {self.present[column.name]:,} values of {column.name!r}"
        if isinstance(column, CategoricalColumn):
            return f"{share} are no category that training knew; they were read as unknown."
        what = f"{_WORDS[column.kind]}{_format(column)}"
        if self.lost[column.name] > MOST * self.present[column.name]:
            raise DataError(
                f"a column must hold what it held in training, however {share} cannot be read as {what}; "
                "write them as in the training file (numbers with a decimal point)"
            )
        return f"{share} cannot be read as {what}; they were read as missing."


def _says_nothing(column: TableColumn, values: Column, zone: str) -> NDArray[np.bool_]:
    """(N,) whether a value that is present cannot be read as the column's kind."""
    if isinstance(column, CategoricalColumn):
        return np.equal(as_codes(values, column.vocabulary), 1)
    if isinstance(column, DateColumn):
        return np.equal(as_dates(values, column.time_format, zone), MISSING_TIME)
    return np.isnan(as_booleans(values) if column.kind == "boolean" else as_numbers(values))


def _format(column: TableColumn) -> str:
    if not isinstance(column, DateColumn):
        return ""
    return f" ({column.time_format!r} or ISO 8601)" if column.time_format else " (ISO 8601)"
