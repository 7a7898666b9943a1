"""Network inputs of request rows by look-up: the same bits as `model.features.encode.encode`, for few rows.

`encode` takes its time per column, this per value. A value that is not in a table is encoded by the functions
of `encode`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from model.features.scaling import Scales, scale
from model.schema import CategoricalColumn, DateColumn, Schema
from model.times import Instants, age_days
from model.values.columns import Numbers, as_codes, as_dates, column_of, format_number, parse_number
from model.values.rows import Cell, RequestRows, column_of_cells

_ABSENT: Final = -1
_FEW: Final = 64  # rows, of which the texts of dates are remembered
_REMEMBERED: Final = 4096  # texts of a date column
_SHORT: Final = 32  # characters of a remembered text
Codes = Mapping[type, Mapping[Cell, int]]


@dataclass(frozen=True)
class RowEncoder:
    """A schema without events as tables.

    Attributes:
        numbers: position of each numeric column among the cells of a row.
        dates: position among the numbers, the column, and the instants of the latest texts, of each date.
        scales: of the numbers, then of the rates.
        categories: position among the cells, the column and the codes of its values, of each category.
        rates: position among the categories, and the rates by code, where there are rates.
        values: position among the numbers, and the codes, of each repeated number.
    """

    schema: Schema
    numbers: tuple[int, ...]
    dates: tuple[tuple[int, DateColumn, dict[Cell, int]], ...]
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
            schema=schema,
            numbers=tuple(place[c.name] for c in numeric),
            dates=tuple((n, c, {}) for n, c in enumerate(numeric) if isinstance(c, DateColumn)),
            scales=Scales.of([*(c.scaling for c in numeric), *(r.scaling for r in schema.rated)]),
            categories=tuple((place[c.name], c, _codes(c.vocabulary)) for c in schema.categorical),
            rates=tuple(
                (n, np.asarray(c.rates.log_odds)) for n, c in enumerate(schema.categorical) if c.rates
            ),
            values=tuple(
                (n, {value: code for code, value in enumerate(c.values, start=1)}) for n, c in schema.valued
            ),
        )

    def __call__(self, rows: RequestRows) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return the `numeric` and the `categories` of `model.features.inputs.Inputs` for N rows, N > 0.

        Raises:
            DataError: a date cannot be parsed.
        """
        cells = rows.columns()
        codes = _stored_by_columns(self._codes(cells), len(rows), np.int64)
        raw = self._raw(cells, rows.cutoffs)
        if self.rates:
            raw = np.column_stack([raw, *(log_odds.take(codes[:, n]) for n, log_odds in self.rates)])
        return scale(raw, self.scales), codes

    def _raw(self, cells: Sequence[Sequence[Cell]], cutoffs: Sequence[int]) -> Numbers:
        """(N, D) float64 values of the numeric columns; NaN missing."""
        columns = [cells[at] for at in self.numbers]
        for n, date, instants in self.dates:
            times = self._times(columns[n], date, instants)
            columns[n] = age_days(times, np.array(cutoffs, dtype=np.int64)).tolist()
        return _stored_by_columns(columns, len(cutoffs), np.float64)

    def _times(self, cells: Sequence[Cell], date: DateColumn, instants: dict[Cell, int]) -> Instants:
        """(N,) instants of a date column."""
        known = [instants.get(cell) for cell in cells]
        if None not in known:
            return np.array(known, dtype=np.int64)
        zone = self.schema.time_zone
        times = as_dates(column_of_cells(cells, date.name, date, zone), date.time_format, zone)
        if len(cells) <= _FEW:
            if len(instants) > _REMEMBERED:
                instants.clear()
            read = zip(cells, times.tolist(), strict=True)
            instants.update({cell: time for cell, time in read if cell is None or len(str(cell)) <= _SHORT})
        return times

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
