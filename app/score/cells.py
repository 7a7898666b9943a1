"""Arrow arrays into the columns of the model room, each with a mask of the cells that cannot be read.

A value means what it means in a training file, whatever type it has and whatever stands beside it.
"""

from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute as pc
from pyarrow import types

from app.request.schemas import FLOAT32_MAX
from model.schema import TableColumn
from model.times import FIRST_TIME, LAST_TIME, MISSING_TIME, Instants, localize, to_datetime
from model.values.columns import (
    MISSING,
    Column,
    Numbers,
    Texts,
    as_dates,
    format_number,
    gather,
    parse_boolean,
    parse_number,
    texts_of,
)

Array = Any  # pyarrow has no types
Bad = NDArray[np.bool_]
Cells = tuple[Column, Bad]

_MISSING: Final = pa.array(sorted(MISSING))
_MOST_TEXT: Final = 1 << 26  # bytes of the texts of one column in a block
_SHORT: Final = (pa.float16(), pa.float32())


def is_readable(kind: Any) -> bool:
    """Whether a column of this type can hold a table's cells: no lists, structs, maps or bytes."""
    if types.is_dictionary(kind):
        return not types.is_dictionary(kind.value_type) and is_readable(kind.value_type)
    return (
        _is_number(kind) or _is_time(kind) or is_text(kind) or types.is_boolean(kind) or types.is_null(kind)
    )


def is_text(kind: Any) -> bool:
    """Whether this is a type of texts."""
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def read_cells(column: TableColumn, array: Array, zone: str) -> Cells:
    """The (n,) cells of one column of the schema; one that cannot be read is a missing one."""
    if column.kind == "numeric":
        return numbers(array, exact=bool(column.values))
    if column.kind == "boolean":
        return _flags(array)
    told = texts(array)
    if column.kind == "categorical":
        return told, np.zeros(len(told), dtype=np.bool_)
    read = as_dates(Texts(np.arange(len(told.values), dtype=np.int32), told.values), column.time_format, zone)
    return told, _masked(told, read == MISSING_TIME)


def kind_of(value: Any, kind: str) -> str:
    """The kind of a cell that cannot be read as one of a column of that kind; never the value."""
    if isinstance(value, bool):
        return "a boolean"
    if kind == "date":
        return "a text that is no such time"
    try:
        float(value)
    except (TypeError, ValueError):
        return "a text"
    return "a number that is not finite or too large" if kind == "numeric" else "a number"


def numbers(array: Array, *, exact: bool = False) -> tuple[Numbers, Bad]:
    """(n,) float64, NaN missing. One that is not finite, or none to the network, is bad.

    Args:
        exact: whether a short float must be the double of its spelling, however much time that takes.
    """
    if _is_number(array.type):
        read = _doubles(array) if exact or array.type not in _SHORT else _widened(array)
        bad = np.abs(read) > FLOAT32_MAX
    elif (quick := _parsed(array)) is not None:
        read, bad = quick, np.abs(quick) > FLOAT32_MAX
    else:
        told = texts(array)
        read = gather(told, parse_number, np.nan)
        bad = (told.codes >= 0) & ~(np.abs(read) <= FLOAT32_MAX)
    return (np.where(bad, np.nan, read), bad) if bad.any() else (read, bad)


def texts(array: Array) -> Texts:
    """The cells as exact texts, of which only the distinct ones are spelt."""
    if types.is_string_view(array.type):
        _check_views(array)
    if not types.is_dictionary(array.type):
        array = array.dictionary_encode()
    codes = array.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    values = array.dictionary
    if len(values) > len(codes):  # more than this part of a file needs
        used, places = np.unique(codes, return_inverse=True)
        values, codes = values.take(pa.array(used[used >= 0])), places - int((used < 0).any())
    if values.null_count:
        known = values.is_valid().to_numpy(zero_copy_only=False)
        codes = np.where((codes >= 0) & known[codes], codes, -1)
    return texts_of(codes, ["" if text is None else text for text in _spelt(values)])


def id_texts(array: Array) -> Array:
    """The cells as an Arrow array of exact texts, null where missing; nearly all of them are distinct."""
    if types.is_string(array.type):
        ids = pc.utf8_trim_whitespace(array)
        missing = pc.is_in(pc.utf8_lower(ids), _MISSING)
        return pc.if_else(missing, None, ids) if pc.any(missing).as_py() else ids
    told = texts(array)
    return pa.array(told.values, pa.string()).take(pa.array(told.codes, mask=told.codes < 0))


def instants(array: Array, time_format: str | None, zone: str) -> tuple[Instants, Bad]:
    """(n,) int64 instants, MISSING_TIME where the cell is missing or bad."""
    if _is_time(array.type):
        times = _microseconds(array)
        read = times if getattr(array.type, "tz", None) else localize(times, zone)
        return read, np.zeros(len(array), dtype=np.bool_)
    told = texts(array)
    read = as_dates(told, time_format, zone)
    return read, (told.codes >= 0) & (read == MISSING_TIME)


def _flags(array: Array) -> tuple[Numbers, Bad]:
    """(n,) 1.0 true, 0.0 false, NaN missing."""
    if _is_number(array.type):
        read = _doubles(array)
        bad = ~np.isnan(read) & (read != 0) & (read != 1)
        return np.where(bad, np.nan, read), bad
    told = texts(array)
    read = gather(told, _flag, np.nan)
    return read, (told.codes >= 0) & np.isnan(read)


def _flag(text: str) -> float:
    """As in training, where a column of 1.0 and 0.0 is one of numbers."""
    flag, number = parse_boolean(text), parse_number(text)
    return number if np.isnan(flag) and number in (0.0, 1.0) else flag


def _masked(told: Texts, bad: Bad) -> Bad:
    """(n,) the rows of bad texts."""
    return np.append(bad, False)[told.codes]


def _parsed(array: Array) -> Numbers | None:
    """Texts of numbers alone, read by Arrow; None where one of them is none."""
    if not is_text(array.type) or types.is_string_view(array.type):
        return None
    try:
        read: Numbers = array.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    return read if int(np.isnan(read).sum()) == array.null_count else None


def _doubles(array: Array) -> Numbers:
    """A short float or a decimal becomes the double of its spelling: 0.1 is what a request says for it."""
    if array.type in _SHORT or types.is_decimal(array.type):
        array = array.cast(pa.string())
    return _widened(array)


def _widened(array: Array) -> Numbers:
    read: Numbers = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return read


def _check_views(array: Array) -> None:
    """Refuse views that overlap so much that their texts would fill the memory."""
    _, views, *_ = array.buffers()
    lengths = np.frombuffer(views, dtype=np.int32).reshape(-1, 4)[array.offset : array.offset + len(array), 0]
    if int(lengths.astype(np.int64).sum()) > _MOST_TEXT:
        raise pa.ArrowInvalid("too much text")


def _spelt(values: Array) -> list[str | None]:
    """Distinct values as a CSV file would have them."""
    if types.is_floating(values.type):
        return [None if np.isnan(v) else format_number(v) for v in _doubles(values).tolist()]
    if _is_time(values.type):
        naive = getattr(values.type, "tz", None) is None
        return [None if t == MISSING_TIME else _iso(t, naive) for t in _microseconds(values).tolist()]
    spelt: list[str | None] = values.cast(pa.string()).to_pylist()
    return spelt


def _iso(time: int, naive: bool) -> str:
    """A plain date is midnight by the clock of whoever reads it, so only a naive time may be one."""
    text = to_datetime(time).replace(tzinfo=None).isoformat()
    return text.removesuffix("T00:00:00") if naive else f"{text}Z"


def _microseconds(array: Array) -> Instants:
    if types.is_date(array.type):
        array = array.cast(pa.timestamp("us"))
    whole = array.cast(pa.timestamp("us", array.type.tz), safe=False).cast(pa.int64())
    times: Instants = whole.fill_null(MISSING_TIME).to_numpy(zero_copy_only=False)
    return np.where((times >= FIRST_TIME) & (times <= LAST_TIME), times, MISSING_TIME)


def _is_number(kind: Any) -> bool:
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _is_time(kind: Any) -> bool:
    return bool(types.is_timestamp(kind) or types.is_date(kind))
