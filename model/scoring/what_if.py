"""What would have to be different: the smallest change of fields that crosses a threshold.

Only fields that the study calls changeable are changed: one, or else two of them. A number takes the
quantiles of training, a category its known values. The change of a number is the share of training between
the two values, that of any other field one half.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Final

import numpy as np

from model.errors import DataError
from model.predictor import Predictor
from model.reasons.words import number_text, unscaled
from model.schema import BooleanColumn, CategoricalColumn, DateColumn, NumericColumn, TableColumn
from model.values.columns import Column, as_booleans, as_numbers, as_texts, column_of, take
from model.values.customers import Customers
from model.values.history import EventLog
from model.values.rows import Cell

_MOST_VALUES: Final = 24  # of one field
_OF_PAIRS: Final = 12


@dataclass(frozen=True)
class Step:
    """A field with another value.

    Attributes:
        now, value: as texts.
        cell: the value.
        size: of the change, 0 to 1.
    """

    field: str
    now: str
    value: str
    cell: Cell
    size: float


@dataclass(frozen=True)
class WhatIf:
    """The smallest change that crosses a threshold, and the probability after it."""

    steps: tuple[Step, ...]
    probability: float


def what_if(predictor: Predictor, customer: Customers, threshold: float, horizon: int = -1) -> WhatIf | None:
    """Find the smallest change of one field, else of two, that takes a probability across the threshold.

    Args:
        customer: one.

    Returns:
        None where there is no such change.

    Raises:
        DataError: the study calls no field changeable.
    """
    manifest = predictor.manifest
    if not manifest.changeable:
        raise DataError(
            "a what-if needs columns that may change: list them under reasons.changeable, and train"
        )
    of = {column.name: column for column in manifest.schema_.columns}
    fields = [list(_steps(of[name], customer.columns[name])) for name in manifest.changeable]
    above = predictor.predict(customer).probabilities[0, horizon] >= threshold
    thinned = [steps[:: max(1, -(-len(steps) // _OF_PAIRS))] for steps in fields]
    single: list[tuple[Step, ...]] = [(step,) for steps in fields for step in steps]
    pairs: list[tuple[Step, ...]] = [pair for two in combinations(thinned, 2) for pair in product(*two)]
    for changes in (single, pairs):
        if not changes:
            continue
        p = predictor.predict(_changed(customer, changes)).probabilities[:, horizon]
        crossed = np.flatnonzero(p < threshold if above else p >= threshold)
        if len(crossed):
            best = min(crossed.tolist(), key=lambda at: sum(step.size for step in changes[at]))
            return WhatIf(tuple(changes[best]), float(p[best]))
    return None


def _steps(column: TableColumn, own: Column) -> Iterator[Step]:
    """The other values of a field."""
    name = column.name
    if isinstance(column, NumericColumn):
        scaling, number = column.scaling, float(as_numbers(own)[0])
        whole = all(float(end).is_integer() for end in (scaling.low, scaling.median, scaling.high))
        found = [unscaled(scaling, edge) for edge in scaling.edges] or [scaling.low, scaling.high]
        grid = np.unique(np.round(found, 0 if whole else 4))
        now = "missing" if np.isnan(number) else number_text(number)
        place = len(grid) / 2 if np.isnan(number) else np.searchsorted(grid, number)
        for at, value in enumerate(grid.tolist()):
            if value != number:
                size = abs(at - float(place)) / len(grid)
                yield Step(name, now, number_text(value), value, size)
    elif isinstance(column, BooleanColumn):
        number = float(as_booleans(own)[0])
        for value in (False, True):
            if value != number:
                now = "missing" if np.isnan(number) else "no" if value else "yes"
                yield Step(name, now, "yes" if value else "no", value, 0.5)
    elif isinstance(column, CategoricalColumn):
        texts = as_texts(own)
        now = texts.values[texts.codes[0]] if texts.codes[0] >= 0 else "missing"
        for text in column.vocabulary[:_MOST_VALUES]:
            if text != now:
                yield Step(name, now, text, text, 0.5)
    else:
        assert isinstance(column, DateColumn)


def _changed(customer: Customers, changes: Sequence[tuple[Step, ...]]) -> Customers:
    """The customer so many times, each with its change."""
    n, columns = len(changes), dict(customer.columns)
    everyone = np.zeros(n, dtype=np.int64)
    for name in {step.field for change in changes for step in change}:
        same = _cell(customer.columns[name])
        columns[name] = column_of([next((s.cell for s in c if s.field == name), same) for c in changes])
    columns = {name: c if len(c) == n else take(c, everyone) for name, c in columns.items()}
    log = customer.log
    if log is not None:
        offsets, events = log.histories(log.offsets[everyone], log.offsets[everyone + 1])
        values = {name: column[events] for name, column in log.values.items()}
        categories = {name: texts.take(events) for name, texts in log.categories.items()}
        log = EventLog(offsets, log.times[events], values, categories)
    return Customers([""] * n, customer.cutoffs.repeat(n), columns, log)


def _cell(column: Column) -> Cell:
    if isinstance(column, np.ndarray):
        return None if np.isnan(column[0]) else float(column[0])
    return None if column.codes[0] < 0 else column.values[column.codes[0]]
