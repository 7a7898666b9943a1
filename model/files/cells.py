"""Arrow arrays into columns and instants: the one reading of a cell, for every form of file."""

import math
import re
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute as pc
from pyarrow import types

from model.times import EPOCH_UNITS, FIRST_TIME, LAST_TIME, MISSING_TIME, Instants, localize, to_datetime
from model.values.columns import (
    Column,
    Numbers,
    Texts,
    as_dates,
    as_epochs,
    as_instants,
    as_texts,
    gather,
    take,
    texts_of,
)
from model.values.numbers import plain_numbers

Array = Any  # an Array or a ChunkedArray: pyarrow has no types
DataType = Any

LEADING_ZERO: Final = r"^[+-]?0[0-9]+$"
_ISO: Final = (pa.timestamp("us"), pa.timestamp("us", "UTC"))


def is_readable(kind: DataType) -> bool:
    """Return whether a column of this type can become a `Column`: no lists, structs, maps or bytes."""
    if types.is_dictionary(kind):
        return not types.is_dictionary(kind.value_type) and is_readable(kind.value_type)
    return _is_number(kind) or _is_time(kind) or is_text(kind) or types.is_boolean(kind)


def is_text(kind: DataType) -> bool:
    """Return whether values of this type are read as texts; a time of day is one."""
    strings = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    return bool(strings or types.is_null(kind) or types.is_time(kind))


def joined(arrays: list[Array]) -> Array:
    """Several arrays as one; as texts where their types differ."""
    plain = [_plain(_spread(array)) for array in arrays]
    if len({array.type for array in plain}) > 1:
        plain = [_strings(array) for array in plain]
    chunks = [chunk for array in plain for chunk in _chunked(array).chunks]
    return pa.chunked_array(chunks, type=plain[0].type)


def read_column(array: Array, *, exact: bool, spelling: str | None = None) -> Column:
    """(N,) a column of numbers or texts; of exact texts if they are codes or ids.

    Args:
        spelling: of a column of numbers whose texts are not plain, see `model.values.numbers`.
    """
    if spelling and not _is_number(array.type.value_type if types.is_dictionary(array.type) else array.type):
        return plain_numbers(texts_from(array), spelling)
    return texts_from(array) if exact else column_from(array)


def column_from(array: Array) -> Column:
    """(N,) a column as its values suggest: numbers where every one is a number, else texts.

    Texts such as "007" are codes, not numbers. Infinite numbers are kept, for the caller to count.
    """
    if types.is_dictionary(array.type):
        return _looked_up(array, exact=False)
    array = _plain(array)
    if _is_number(array.type):
        return _doubles(array)
    strings = _strings(array)
    try:
        numbers = _doubles(strings)
        if int(np.isnan(numbers).sum()) == strings.null_count:
            has_code = pc.any(pc.match_substring_regex(strings, LEADING_ZERO)).as_py()
            return _texts(strings) if has_code else numbers
    except pa.ArrowInvalid:
        pass
    texts = _texts(strings)  # blanks around a number, an unusual missing mark, or a word
    return gather(texts, float, np.nan) if all(map(spells_number, texts.values)) else texts


def texts_from(array: Array) -> Texts:
    """(N,) a column as exact texts: "007" keeps its zeros and a long whole number its digits."""
    if types.is_dictionary(array.type):
        texts = _looked_up(array, exact=True)
        assert isinstance(texts, Texts)
        return texts
    array = _plain(array)
    return _texts(array if types.is_integer(array.type) else _strings(array))


def spells_number(text: str) -> bool:
    """Return whether a text is a number, infinite ones included, and not a code such as "007"."""
    if "_" in text or re.match(LEADING_ZERO, text):
        return False
    try:
        return not math.isnan(float(text))
    except ValueError:
        return False


def instants_from(array: Array, time_format: str | None, zone: str) -> Instants:
    """(N,) int64 instants of the format, or of ISO 8601; MISSING_TIME where missing or unreadable."""
    array = _plain(_spread(array))
    if _is_time(array.type):
        return _instants(array, zone)
    if time_format in EPOCH_UNITS:
        column = column_from(array)
        return (
            as_dates(column, time_format, zone)
            if isinstance(column, Texts)
            else as_epochs(column, time_format)
        )
    if time_format:
        return as_dates(texts_from(array), time_format, zone)
    chunks = [_from_iso(chunk, zone) for chunk in _chunked(_strings(array)).chunks]
    return np.concatenate([np.empty(0, dtype=np.int64), *chunks])


def _is_number(kind: DataType) -> bool:
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _is_time(kind: DataType) -> bool:
    return bool(types.is_timestamp(kind) or types.is_date(kind))


def _chunked(array: Array) -> Array:
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def _spread(array: Array) -> Array:
    """The same values without a dictionary."""
    if not types.is_dictionary(array.type):
        return array
    if types.is_string_view(array.type.value_type):  # which Arrow does not look up
        chunks = [_plain(c.dictionary).take(c.indices) for c in _chunked(array).chunks]
        return pa.chunked_array(chunks, type=pa.string())
    return array.cast(array.type.value_type)


def _looked_up(array: Array, *, exact: bool) -> Column:
    """A column of dictionary codes; only the values that are used are read."""
    if isinstance(array, pa.ChunkedArray):
        array = array.unify_dictionaries().combine_chunks()
    codes = array.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    used, places = np.unique(codes, return_inverse=True)
    values = _plain(array.dictionary).take(pa.array(np.where(used < 0, 0, used), mask=used < 0))
    return take(texts_from(values) if exact else column_from(values), places)


def _plain(array: Array) -> Array:
    """The same values as a number, timestamp, boolean or plain string array."""
    if types.is_date(array.type):
        return array.cast(pa.timestamp("us"))
    if types.is_time(array.type):  # a file format may store more places than were written
        whole = pc.replace_substring_regex(array.cast(pa.string()), r"\.0+$", "")
        return pc.replace_substring_regex(whole, r"(\.\d*[1-9])0+$", r"\1")
    return array.cast(pa.string()) if is_text(array.type) else array


def _strings(array: Array) -> Array:
    """A plain array as texts, whole numbers without `.0` and times as ISO 8601 (with Z, if they know it)."""
    if types.is_decimal(array.type):  # Arrow writes 0E-9 for 0, and 1.000000000 for 1
        encoded = _encoded(array)
        values = [f"{value:f}" for value in encoded.dictionary.to_pylist()]
        plain = [text.rstrip("0").rstrip(".") if "." in text else text for text in values]
        return pa.array(plain, type=pa.string()).take(encoded.indices)
    if types.is_floating(array.type):
        texts = as_texts(_doubles(array))
        return _spelt(texts.codes, texts.values)
    if _is_time(array.type):
        distinct, codes = np.unique(_microseconds(array), return_inverse=True)
        naive = array.type.tz is None
        return _spelt(codes, [None if t == MISSING_TIME else _iso(t, naive) for t in distinct.tolist()])
    return array.cast(pa.string())


def _iso(time: int, naive: bool) -> str:
    """A plain date is midnight by the reader's clock, so only a naive time may be one."""
    text = to_datetime(time).replace(tzinfo=None).isoformat()
    return text.removesuffix("T00:00:00") if naive else f"{text}Z"


def _spelt(codes: NDArray[np.integer], values: Any) -> Array:
    return pa.array(values, type=pa.string()).take(pa.array(codes, mask=codes < 0))


def _texts(array: Array) -> Texts:
    """Strings or whole numbers as texts; only the distinct values are spelt."""
    encoded = _encoded(array)
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return texts_of(codes, encoded.dictionary.cast(pa.string()).to_pylist())


def _encoded(array: Array) -> Array:
    encoded = array.dictionary_encode()
    return encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded


def _doubles(array: Array) -> Numbers:
    """A short float or a decimal becomes the double of its spelling: 0.1 is what a request says for it."""
    if types.is_decimal(array.type) or array.type in (pa.float16(), pa.float32()):
        array = array.cast(pa.string())
    numbers: Numbers = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return numbers


def _instants(array: Array, zone: str) -> Instants:
    """Times that know their zone are instants; the others show a clock."""
    times = _microseconds(array)
    return times if array.type.tz else localize(times, zone)


def _microseconds(array: Array) -> Instants:
    whole = array.cast(pa.timestamp("us", array.type.tz), safe=False).cast(pa.int64())
    times: Instants = whole.fill_null(MISSING_TIME).to_numpy(zero_copy_only=False)
    return np.where((times >= FIRST_TIME) & (times <= LAST_TIME), times, MISSING_TIME)


def _from_iso(chunk: Any, zone: str) -> Instants:
    """Arrow reads the usual spellings of ISO 8601 at once; a chunk with others is parsed text by text."""
    for kind in _ISO:
        try:
            return _instants(chunk.cast(kind), zone)
        except pa.ArrowInvalid:
            continue
    return as_instants(_texts(chunk), None, zone)
