"""Arrow arrays -> the columns and instants of the model room; whatever their type, values mean the same."""

from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute as pc

from model.files.numbers import LEADING_ZERO, spells_number
from model.times import FIRST_TIME, LAST_TIME, MISSING_TIME, Instants, localize, to_datetime
from model.values.columns import Column, Numbers, Texts, as_instants, as_texts, gather, texts_of

ChunkedArray = Any  # pyarrow has no types
DataType = Any

_ISO: Final = (pa.timestamp("us"), pa.timestamp("us", "UTC"))


def is_readable(kind: DataType) -> bool:
    """Whether a column of this type can become a `Column`: no lists, structs, maps or bytes."""
    if pa.types.is_dictionary(kind):
        return is_readable(kind.value_type)
    return _is_number(kind) or _is_time(kind) or _is_text(kind) or pa.types.is_boolean(kind)


def joined(arrays: list[ChunkedArray]) -> ChunkedArray:
    """Several arrays as one; as texts where their types differ."""
    plain = [_plain(array) for array in arrays]
    if len({array.type for array in plain}) > 1:
        plain = [_strings(array) for array in plain]
    return pa.chunked_array([chunk for array in plain for chunk in array.chunks], type=plain[0].type)


def column_from(array: ChunkedArray) -> Column:
    """A column as its values suggest: numbers where every one is a number, else texts.

    Texts such as "007" are codes, not numbers. Infinite numbers are kept, for the caller to count.
    """
    array = _plain(array)
    if _is_number(array.type):
        return _doubles(array)
    strings = _strings(array)
    try:
        numbers = _doubles(strings)
    except pa.ArrowInvalid:  # blanks around a number, an unusual missing mark, or a word
        texts = _texts(strings)
        return gather(texts, float, np.nan) if all(map(spells_number, texts.values)) else texts
    has_code = pc.any(pc.match_substring_regex(strings, LEADING_ZERO)).as_py()
    return _texts(strings) if has_code else numbers


def texts_from(array: ChunkedArray) -> Texts:
    """A column as exact texts: "007" keeps its zeros and a long whole number its digits."""
    array = _plain(array)
    return _texts(array if pa.types.is_integer(array.type) else _strings(array))


def instants_from(array: ChunkedArray, time_format: str | None, zone: str) -> Instants:
    """(N,) int64 instants as `parse_time` reads them; MISSING_TIME where missing or unreadable."""
    array = _plain(array)
    if _is_time(array.type):
        return _instants(array, zone)
    if time_format == "unix":
        seconds = column_from(array)
        return as_instants(seconds, "unix") if isinstance(seconds, Texts) else _from_seconds(seconds)
    if time_format:
        return as_instants(texts_from(array), time_format, zone)
    chunks = [_from_iso(chunk, zone) for chunk in _strings(array).chunks]
    return np.concatenate([np.empty(0, dtype=np.int64), *chunks])


def _is_number(kind: DataType) -> bool:
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _is_time(kind: DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def _is_text(kind: DataType) -> bool:
    types = pa.types
    strings = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    return bool(strings or types.is_null(kind) or types.is_time(kind))


def _plain(array: ChunkedArray) -> ChunkedArray:
    """The same values as a number, timestamp, boolean or plain string array."""
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_date(array.type):
        return array.cast(pa.timestamp("us"))
    return array.cast(pa.string()) if _is_text(array.type) else array


def _strings(array: ChunkedArray) -> ChunkedArray:
    """A plain array as texts, whole numbers without `.0` and times as ISO 8601 (with Z, if they know it)."""
    if pa.types.is_floating(array.type):
        texts = as_texts(_doubles(array))
        return _spelt(texts.codes, texts.values)
    if _is_time(array.type):
        distinct, codes = np.unique(_microseconds(array), return_inverse=True)
        naive = array.type.tz is None
        return _spelt(codes, [None if t == MISSING_TIME else _iso(t, naive) for t in distinct.tolist()])
    return array.cast(pa.string())


def _iso(time: int, naive: bool) -> str:
    """A plain date is midnight by the clock of whoever reads it, so only a naive time may be one."""
    text = to_datetime(time).replace(tzinfo=None).isoformat()
    return text.removesuffix("T00:00:00") if naive else f"{text}Z"


def _spelt(codes: NDArray[np.integer], values: Any) -> ChunkedArray:
    indices = pa.array(codes, mask=codes < 0)
    return pa.chunked_array([pa.array(values, type=pa.string()).take(indices)])


def _texts(array: ChunkedArray) -> Texts:
    """Strings or whole numbers as texts; only the distinct values are spelt."""
    encoded = array.dictionary_encode().combine_chunks()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return texts_of(codes, encoded.dictionary.cast(pa.string()).to_pylist())


def _doubles(array: ChunkedArray) -> Numbers:
    """A short float or a decimal becomes the double of its spelling: 0.1 is what a request says for it."""
    if pa.types.is_decimal(array.type) or array.type in (pa.float16(), pa.float32()):
        array = array.cast(pa.string())
    numbers: Numbers = array.cast(pa.float64(), safe=False).to_numpy()
    return numbers


def _instants(array: ChunkedArray, zone: str) -> Instants:
    """Times that know their zone are instants; the others show a clock."""
    times = _microseconds(array)
    return times if array.type.tz else localize(times, zone)


def _microseconds(array: ChunkedArray) -> Instants:
    whole = array.cast(pa.timestamp("us", array.type.tz), safe=False).cast(pa.int64())
    times: Instants = whole.fill_null(MISSING_TIME).to_numpy(zero_copy_only=False)
    return np.where((times >= FIRST_TIME) & (times <= LAST_TIME), times, MISSING_TIME)


def _from_seconds(seconds: Numbers) -> Instants:
    with np.errstate(over="ignore"):
        times = np.rint(seconds * 1_000_000)
    known = (times >= FIRST_TIME) & (times <= LAST_TIME)
    return np.where(known, np.where(known, times, 0).astype(np.int64), MISSING_TIME)


def _from_iso(chunk: Any, zone: str) -> Instants:
    """Arrow reads the usual spellings of ISO 8601 at once; a chunk with others is parsed text by text."""
    for kind in _ISO:
        try:
            return _instants(chunk.cast(kind), zone)
        except pa.ArrowInvalid:
            continue
    return as_instants(_texts(pa.chunked_array([chunk])), None, zone)
