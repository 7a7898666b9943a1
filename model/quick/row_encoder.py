"""Network inputs of request rows by look-up: the same bits as `model.features.encode.encode`, for few rows.

`encode` takes its time per column, this per value. A value that is not in a table is encoded by the functions
of `encode`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from model.features.encode import scales_of
from model.features.inputs import Inputs
from model.features.scaling import Scales, scale
from model.schema import CategoricalColumn, DateColumn, Schema
from model.times import DAY
from model.values.columns import Numbers, as_codes, column_of, format_number, parse_number
from model.values.rows import Cell, RequestRows

_ABSENT: Final = -1
Codes = Mapping[type, Mapping[Cell, int]]


@dataclass(frozen=True)
class RowEncoder:
    """A schema without events as tables.

    Attributes:
        numbers: position of each numeric column among the cells of a row.
        dates: position among the numbers, and the name, of each date.
        scales: of the numbers, then of the rates.
        categories: position among the cells, the column and the codes of its values, of each category.
        rates: position among the categories, and the rates by code, where there are rates.
        values: position among the numbers, and the codes, of each repeated number.
    """

    numbers: tuple[int, ...]
    dates: tuple[tuple[int, str], ...]
    scales: Scales
    categories: tuple[tuple[int, CategoricalColumn, Codes], ...]
    rates: tuple[tuple[int, Numbers], ...]
    values: tuple[tuple[int, Mapping[Cell, int]], ...]

    @classmethod
    def build(cls, schema: Schema) -> Self:
        """Convert a schema."""
        place = {c.name: position for position, c in enumerate(schema.columns)}
        numeric = schema.numeric
        return cls(
            numbers=tuple(place[c.name] for c in numeric),
            dates=tuple((n, c.name) for n, c in enumerate(numeric) if isinstance(c, DateColumn)),
            scales=scales_of(schema),
            categories=tuple((place[c.name], c, _codes(c.vocabulary)) for c in schema.categorical),
            rates=tuple(
                (n, np.asarray(c.rates.log_odds)) for n, c in enumerate(schema.categorical) if c.rates
            ),
            values=tuple(
                (n, {value: code for code, value in enumerate(c.values, start=1)}) for n, c in schema.valued
            ),
        )

    def __call__(self, rows: RequestRows) -> Inputs:
        """Encode N rows, N > 0."""
        cells = rows.columns()
        codes = _stored_by_columns(self._codes(cells), len(rows), np.int64)
        raw = self._raw(cells, rows)
        if self.rates:
            raw = np.column_stack([raw, *(log_odds.take(codes[:, n]) for n, log_odds in self.rates)])
        return Inputs(scale(raw, self.scales), codes)

    def _raw(self, cells: Sequence[Sequence[Cell]], rows: RequestRows) -> Numbers:
        """(N, D) float64 values of the numeric columns; NaN missing."""
        columns = [cells[at] for at in self.numbers]
        for n, name in self.dates:
            dated = zip(rows.dates[name], rows.cutoffs, strict=True)
            columns[n] = [
                math.nan if time is None or time > cutoff else float(cutoff - time) / DAY
                for time, cutoff in dated
            ]
        return _stored_by_columns(columns, len(rows), np.float64)

    def _codes(self, cells: Sequence[Sequence[Cell]]) -> list[list[int]]:
        """Return the N codes of each category and repeated number."""
        codes = []
        for at, c, table in self.categories:
            try:
                codes.append(list(map(table[str].__getitem__, cells[at])))
            except KeyError:  # a number, or a text that is not in the vocabulary as it is
                codes.append(self._column_codes(cells[at], table, c))
        return codes + [list(map(table.get, cells[self.numbers[n]], repeat(0))) for n, table in self.values]

    def _column_codes(self, cells: Sequence[Cell], table: Codes, c: CategoricalColumn) -> list[int]:
        codes = [table[cell.__class__].get(cell, _ABSENT) for cell in cells]
        absent = [n for n, code in enumerate(codes) if code == _ABSENT]
        if absent:
            encoded = as_codes(column_of([cells[n] for n in absent]), c.vocabulary).tolist()
            for n, code in zip(absent, encoded, strict=True):
                codes[n] = code
        return codes


def _stored_by_columns(columns: Sequence[Sequence[Any]], length: int, dtype: type[Any]) -> NDArray[Any]:
    """(N, D) array, stored by columns, of D columns of N values."""
    return np.array(columns, dtype=dtype).reshape(len(columns), length).T


def _codes(vocabulary: Sequence[str]) -> Codes:
    """Return the codes of a vocabulary's values by the type of a request's value: 1 and true differ."""
    numbers = [n for n in map(parse_number, vocabulary) if format_number(n) in vocabulary]
    kinds: dict[type, list[Cell]] = {
        str: [None, *vocabulary],
        float: list(numbers),
        int: [int(n) for n in numbers if n.is_integer()],
        bool: [True, False],
        type(None): [None],
    }
    return {kind: _looked_up(values, vocabulary) for kind, values in kinds.items()}


def _looked_up(values: Sequence[Cell], vocabulary: Sequence[str]) -> dict[Cell, int]:
    return dict(zip(values, as_codes(column_of(values), vocabulary).tolist(), strict=True))
