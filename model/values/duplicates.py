"""Rows and events that equal an earlier one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.values.columns import Column, Numbers, Texts, parse_number
from model.values.history import EventLog

COMMON_SHARE: Final = 0.05  # equal rows beyond this share of all, and beyond COMMON_ROWS, are common:
COMMON_ROWS: Final = 10  # the columns are coarse, and the rows are no duplicates

Hashes = NDArray[np.uint64]


def row_hashes(
    columns: Mapping[str, Column], n_rows: int, text_hashes: Callable[[Sequence[str]], Hashes]
) -> Hashes:
    """(N,) a number for each row, equal for rows that are equal in every column.

    A number counts as the same whether its column was read as numbers or as texts.

    Args:
        text_hashes: of distinct texts.
    """
    hashed = np.zeros(n_rows, dtype=np.uint64)
    for name in sorted(columns):
        column = columns[name]
        if isinstance(column, Texts):
            numbers = np.array([*map(parse_number, column.values), np.nan])
            cells = _number_hashes(numbers)  # a missing text is one missing number
            words = np.flatnonzero(np.isnan(numbers[:-1]))
            cells[words] = text_hashes([column.values[word] for word in words.tolist()])
            cells = cells[column.codes]
        else:
            cells = _number_hashes(column)
        hashed = hashed * np.uint64(1_000_003) + cells
    return hashed


def _number_hashes(column: Numbers) -> Hashes:
    """The mix of splitmix64."""
    bits = np.where(column == 0, 0.0, column).view(np.uint64)  # -0.0 is 0.0
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return bits ^ (bits >> np.uint64(31))


def duplicate_events(log: EventLog) -> int:
    """Count the events that equal an earlier one in customer, time and every field."""
    owners = log.owners
    same = (np.diff(log.times) == 0) & (np.diff(owners) == 0)
    repeated = np.append(same, False) | np.append(False, same)  # equal in customer and time to a neighbour
    if not repeated.any():
        return 0
    fields = [owners[repeated], log.times[repeated]]
    fields += [np.unique(v[repeated], return_inverse=True, equal_nan=True)[1] for v in log.values.values()]
    fields += [texts.codes[repeated] for texts in log.categories.values()]
    order = np.lexsort(fields)
    differ = np.zeros(len(order) - 1, dtype=bool)
    for field in fields:
        differ |= np.diff(field[order]) != 0
    return int((~differ).sum())
