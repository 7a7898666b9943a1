"""A column of raw values: numbers, or distinct texts with a code per row.

Files and requests are both read into columns, so that a value means the same in training, batch scoring
and a live request. Each parser runs once per distinct text.
"""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.times import EPOCH_UNITS, FIRST_TIME, LAST_TIME, MISSING_TIME, SECOND, Instants, time_or_missing

MISSING: Final = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "<na>"})
_TRUE: Final = frozenset({"true", "t", "yes", "y", "1"})
_FALSE: Final = frozenset({"false", "f", "no", "n", "0"})
_CODE: Final = re.compile(r"[+-]?0[0-9]")  # "007" is a code, not a number
_NUMBERS: Final = frozenset({float, int, type(None)})
_TEXTS: Final = frozenset({str, type(None)})
_EXACT: Final = 10**15  # every whole number below it is a float and is written without an exponent

Numbers = NDArray[np.float64]
RowIndex = NDArray[np.integer] | slice


@dataclass(frozen=True)
class Texts:
    """A text column, dictionary-encoded.

    Attributes:
        codes: (N,) int32, index into `values`; -1 where the value is missing.
        values: the distinct texts, stripped; none of them stands for a missing value.
    """

    codes: NDArray[np.int32]
    values: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: RowIndex) -> "Texts":
        """Select rows."""
        return Texts(self.codes[rows], self.values)


Column = Numbers | Texts


def take(column: Column, rows: RowIndex) -> Column:
    """Select rows of a column."""
    return column.take(rows) if isinstance(column, Texts) else column[rows]


def is_missing(text: str) -> bool:
    """Return whether a stripped text stands for a missing value."""
    return text.casefold() in MISSING


def texts_of(codes: NDArray[np.integer], values: Sequence[str]) -> Texts:
    """Return the column of raw codes (-1 missing): strip, merge equal texts, drop missing ones."""
    texts = [raw.strip() for raw in values]
    known = tuple(text for text in dict.fromkeys(texts) if not is_missing(text))
    if len(known) == len(texts):
        return Texts(codes.astype(np.int32), known)
    index = {text: code for code, text in enumerate(known)}
    lookup = np.array([*(index.get(text, -1) for text in texts), -1], dtype=np.int32)
    return Texts(lookup[codes], known)


def column_of(values: Iterable[object]) -> Column:
    """Return a column of JSON scalars: numbers, texts, booleans, None.

    Numbers only stay numbers. All else becomes texts, written as in a CSV file. So does a column with a whole
    number too long for a float: it keeps its digits.

    Raises:
        DataError: a value is of another type.
    """
    listed = list(values)
    kinds = set(map(type, listed))
    if kinds <= _NUMBERS and (int not in kinds or all(v is None or abs(v) < _EXACT for v in listed)):  # type: ignore[arg-type]
        return np.array(listed, dtype=np.float64)
    texts: list[Any] = (
        listed if kinds <= _TEXTS else [None if value is None else _format_value(value) for value in listed]
    )
    index: defaultdict[Any, int] = defaultdict(count().__next__, {None: -1})  # numbers new texts
    codes = np.fromiter(map(index.__getitem__, texts), dtype=np.int32, count=len(texts))
    del index[None]
    return texts_of(codes, list(index))


def absent(column: Column) -> NDArray[np.bool_]:
    """(N,) bool, True where there is no value."""
    return column.codes < 0 if isinstance(column, Texts) else np.isnan(column)


def as_numbers(column: Column) -> Numbers:
    """(N,) float64; NaN where missing, not a number, or infinite."""
    if isinstance(column, Texts):
        return gather(column, parse_number, math.nan)
    return np.where(np.isfinite(column), column, math.nan)


def as_booleans(column: Column) -> Numbers:
    """(N,) float64: 1.0 true, 0.0 false, NaN missing or neither."""
    if isinstance(column, Texts):
        return gather(column, parse_boolean, math.nan)
    return np.where((column == 0) | (column == 1), column, math.nan)


def as_instants(column: Column, time_format: str | None = None, zone: str = "UTC") -> Instants:
    """(N,) int64 instants; MISSING_TIME where missing or not a time of that format.

    Args:
        zone: the time zone of times without an offset.
    """
    if time_format in EPOCH_UNITS and not isinstance(column, Texts):
        return as_epochs(column, time_format)
    texts = as_texts(column)
    parsed = [time_or_missing(text, time_format, zone) for text in texts.values]
    return np.array([*parsed, MISSING_TIME], dtype=np.int64)[texts.codes]


def as_epochs(numbers: Numbers, unit: str) -> Instants:
    """(N,) int64 instants of times since 1970 in a unit of `EPOCH_UNITS`."""
    with np.errstate(over="ignore"):
        times = np.rint(numbers * SECOND / EPOCH_UNITS[unit])
    known = (times >= FIRST_TIME) & (times <= LAST_TIME)
    return np.where(known, np.where(known, times, 0).astype(np.int64), MISSING_TIME)


def as_dates(column: Column, time_format: str | None, zone: str) -> Instants:
    """(N,) int64 instants as in `as_instants`; ISO 8601 is read as well as the format."""
    instants = as_instants(column, time_format, zone)
    if time_format is None or not (instants == MISSING_TIME).any():
        return instants
    return np.where(instants == MISSING_TIME, as_instants(column, None, zone), instants)


def as_texts(column: Column) -> Texts:
    """Return the column as texts; a whole number has no `.0`, so that 3, 3.0 and "3" are one category."""
    if isinstance(column, Texts):
        return column
    distinct, codes = np.unique(column, return_inverse=True)
    texts = [format_number(v) for v in distinct.tolist()]
    return texts_of(np.where(np.isnan(column), -1, codes), texts)


def as_categories(column: Column) -> Texts:
    """Return the column as category names: 3, 3.0, "3" and "3.0" are one category.

    A category thus does not depend on whether other values made its column one of texts.
    """
    texts = as_texts(column)
    return texts_of(texts.codes, [_category(text) for text in texts.values])


def as_codes(column: Column, vocabulary: Sequence[str]) -> NDArray[np.int64]:
    """(N,) int64 category codes: 0 missing, 1 not in the vocabulary, 2 + position otherwise."""
    names, known = as_categories(column), _codes(tuple(vocabulary))
    lookup = [known.get(text, 1) for text in names.values]
    return np.array([*lookup, 0], dtype=np.int64)[names.codes]


def gather(texts: Texts, parse: Callable[[str], float], missing: float) -> Numbers:
    """(N,) float64 `parse` of each row's text, called once per distinct text."""
    parsed = [parse(text) for text in texts.values]
    return np.array([*parsed, missing], dtype=np.float64)[texts.codes]


def parse_number(text: str) -> float:
    """Return a finite number, or NaN. `1,234.5` and `1_000` are ambiguous and thus not numbers."""
    try:
        number = math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def parse_boolean(text: str) -> float:
    """Return 1.0, 0.0 or NaN; 1.0 is a spelling of 1, as in a column of numbers."""
    folded = text.casefold()
    if folded in _TRUE or folded in _FALSE:
        return float(folded in _TRUE)
    number = parse_number(text)
    return number if number in (0.0, 1.0) else math.nan


def format_number(number: float) -> str:
    """Return a number as a category name: 3.0 -> "3", 2.5 -> "2.5"."""
    return str(int(number)) if number.is_integer() and abs(number) < _EXACT else repr(number)


def _category(text: str) -> str:
    """Return a whole number as `format_number` writes it; a code such as "007" or "1.10" unchanged."""
    number = parse_number(text)
    whole = number.is_integer() and abs(number) < _EXACT and not _CODE.match(text)
    return format_number(number) if whole else text


@lru_cache(maxsize=256)
def _codes(vocabulary: tuple[str, ...]) -> Mapping[str, int]:
    """The code of each name in a vocabulary."""
    return {_category(text): code for code, text in enumerate(vocabulary, start=2)}


def _format_value(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return "" if math.isnan(value) else format_number(value)
    raise DataError(f"a value must be a number, text, boolean or null, got {type(value).__name__}")
