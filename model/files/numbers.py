"""Numbers among the texts of a column, and the cells that are none."""

import math
import re
from typing import Final

import numpy as np

from model.files.names import counted
from model.values.columns import Column, Texts, as_numbers

LEADING_ZERO: Final = r"^[+-]?0[0-9]+$"


def spells_number(text: str) -> bool:
    """Return whether a text is a number, infinite ones included, and not a code such as "007"."""
    if "_" in text or re.match(LEADING_ZERO, text):
        return False
    try:
        return not math.isnan(float(text))
    except ValueError:
        return False


def unreadable(column: Column) -> tuple[int, str]:
    """How many known cells are no finite number, and the first of them."""
    known = column.codes >= 0 if isinstance(column, Texts) else ~np.isnan(column)
    rows = np.flatnonzero(known & np.isnan(as_numbers(column)))
    if not len(rows):
        return 0, ""
    first = column.values[column.codes[rows[0]]] if isinstance(column, Texts) else str(column[rows[0]])
    return len(rows), first


def unreadable_note(name: str, column: Column) -> str:
    """A sentence on the cells of a number column that are no finite number; empty where all are."""
    count, first = unreadable(column)
    if not count:
        return ""
    return f"{name!r}: read {counted(count, 'cell')} without a finite number, such as {first!r}, as missing."
