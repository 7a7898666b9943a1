"""One column of raw values, however it arrived: numbers, or texts stored once with a code per row.

Files and requests both become columns here, and every parser works on the distinct texts only, so
that a value means the same in training, batch scoring and a live request.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.times import MISSING_TIME, Instants, parse_time

MISSING: Final = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "<na>"})
_TRUE: Final = frozenset({"true", "t", "yes", "y", "1"})
_FALSE: Final = frozenset({"false", "f", "no", "n", "0"})
_CODE: Final = re.compile(r"[+-]?0[0-9]")  # "007" is no number
_NUMBERS: Final = frozenset({float, int, type(None)})
_TEXTS: Final = frozenset({str, type(None)})
_EXACT: Final = 10**15  # below it every whole number is a float, and is spelt without an exponent

Numbers = NDArray[np.float64]
RowIndex = NDArray[np.integer] | slice


@dataclass(frozen=True)
class Texts:
    """A text column, dictionary-encoded.

    Attributes:
        codes: (N,) int32, index into `values`; -1 where the value is missing.
        values: the distinct texts, stripped; none of them is a missing mark.
    """

    codes: NDArray[np.int32]
    values: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: RowIndex) -> "Texts":
        """Some of the rows."""
        return Texts(self.codes[rows], self.values)


Column = Numbers | Texts


def take(column: Column, rows: RowIndex) -> Column:
    """Some of the rows of a column."""
    return column.take(rows) if isinstance(column, Texts) else column[rows]


def is_missing(text: str) -> bool:
    """Whether a stripped text stands for "no value"."""
    return text.casefold() in MISSING


def texts_of(codes: NDArray[np.integer], values: Sequence[str]) -> Texts:
    """Normalise raw dictionary codes (-1 missing): strip, merge equal texts, drop missing marks."""
    texts = [raw.strip() for raw in values]
    known = tuple(text for text in dict.fromkeys(texts) if not is_missing(text))
    if len(known) == len(texts):
        return Texts(codes.astype(np.int32), known)
    index = {text: code for code, text in enumerate(known)}
    lookup = np.array([*(index.get(text, -1) for text in texts), -1], dtype=np.int32)
    return Texts(lookup[codes], known)


def column_of(values: Iterable[object]) -> Column:
    """A column from JSON-like scalars: numbers, texts, booleans, None.

    Numbers alone stay numbers; anything else becomes texts, spelt as a CSV file would have it. So does
    a whole number too long for a float to hold: it keeps its digits.

    Raises:
        DataError: a value is neither of these.
    """
    listed = list(values)
    kinds = set(map(type, listed))
    if kinds <= _NUMBERS and (int not in kinds or all(v is None or abs(v) < _EXACT for v in listed)):  # type: ignore[arg-type]
        return np.array(listed, dtype=np.float64)
    if kinds <= _TEXTS:  # the distinct ones are themselves: nothing has to be spelt
        distinct = dict.fromkeys(listed)
        distinct.pop(None, None)
        places = {value: code for code, value in enumerate(distinct)}
        places[None] = -1
        codes = np.fromiter(map(places.__getitem__, listed), dtype=np.int32, count=len(listed))
        return texts_of(codes, tuple(places)[:-1])  # type: ignore[arg-type]
    return _spelt_texts(listed)


def _spelt_texts(values: Sequence[object]) -> Texts:
    index: dict[str, int] = {}
    codes = np.empty(len(values), dtype=np.int32)
    for row, value in enumerate(values):
        codes[row] = -1 if value is None else index.setdefault(_spell(value), len(index))
    return texts_of(codes, tuple(index))


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
        zone: whose clock the times without an offset were read from.
    """
    texts = as_texts(column)
    parsed = [_time_or_missing(text, time_format, zone) for text in texts.values]
    return np.array([*parsed, MISSING_TIME], dtype=np.int64)[texts.codes]


def as_dates(column: Column, time_format: str | None, zone: str) -> Instants:
    """As `as_instants`, though ISO 8601 is understood beside the format."""
    instants = as_instants(column, time_format, zone)
    if time_format is None or not (instants == MISSING_TIME).any():
        return instants
    return np.where(instants == MISSING_TIME, as_instants(column, None, zone), instants)


def as_texts(column: Column) -> Texts:
    """The column as texts; whole numbers lose their `.0`, so 3, 3.0 and "3" are one category."""
    if isinstance(column, Texts):
        return column
    distinct, codes = np.unique(column, return_inverse=True)
    spelt = [spell_number(v) for v in distinct.tolist()]
    return texts_of(np.where(np.isnan(column), -1, codes), spelt)


def as_categories(column: Column) -> Texts:
    """The column as category names, each number spelt one way: 3, 3.0, "3" and "3.0" are one category.

    So a category does not depend on whether the words beside it made its column one of texts.
    """
    texts = as_texts(column)
    return texts_of(texts.codes, [_category(text) for text in texts.values])


def as_codes(column: Column, vocabulary: Sequence[str]) -> NDArray[np.int64]:
    """(N,) int64 category codes: 0 missing, 1 not in the vocabulary, 2 + position otherwise."""
    names = as_categories(column)
    known = {_category(text): position + 2 for position, text in enumerate(vocabulary)}
    lookup = [known.get(text, 1) for text in names.values]
    return np.array([*lookup, 0], dtype=np.int64)[names.codes]


def gather(texts: Texts, parse: Callable[[str], float], missing: float) -> Numbers:
    """(N,) float64: `parse` of each row's text, called once per distinct text."""
    parsed = [parse(text) for text in texts.values]
    return np.array([*parsed, missing], dtype=np.float64)[texts.codes]


def parse_number(text: str) -> float:
    """A finite number, or NaN. `1,234.5` and `1_000` are not numbers: they are ambiguous."""
    try:
        number = math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def parse_boolean(text: str) -> float:
    """1.0, 0.0 or NaN."""
    folded = text.casefold()
    return 1.0 if folded in _TRUE else 0.0 if folded in _FALSE else math.nan


def spell_number(number: float) -> str:
    """A number as a category name: 3.0 -> "3", 2.5 -> "2.5"."""
    return str(int(number)) if number.is_integer() and abs(number) < _EXACT else repr(number)


def _category(text: str) -> str:
    """A number as `spell_number` has it; a code such as "007", or a number too long, as it is."""
    number = parse_number(text)
    return spell_number(number) if abs(number) < _EXACT and not _CODE.match(text) else text


def _spell(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return "" if math.isnan(value) else spell_number(value)
    raise DataError(f"a value must be a number, text, boolean or null, got {type(value).__name__}")


def _time_or_missing(text: str, time_format: str | None, zone: str) -> int:
    try:
        return parse_time(text, time_format, zone)
    except DataError:
        return int(MISSING_TIME)
