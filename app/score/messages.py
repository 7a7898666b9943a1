"""Where the messages of an Arrow stream begin and end, and how much memory each will take.

https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format: a marker, the length of a
flatbuffer, that flatbuffer (`Message.fbs`), and a body of the length that it names.
"""

import struct
from dataclasses import dataclass
from typing import Final

SCHEMA: Final = 1
DICTIONARY: Final = 2
RECORDS: Final = 3
_MARKER: Final = 0xFFFFFFFF
_PREFIX: Final = 8  # bytes of the marker and the length; before each compressed buffer, of its own length


class Unreadable(Exception):  # noqa: N818 - the file is at fault, not we
    """The bytes are no message."""


@dataclass(frozen=True)
class Head:
    """What comes before the body of a message.

    Attributes:
        kind: SCHEMA, DICTIONARY, RECORDS or another.
        size: bytes of the head itself.
        body: bytes that follow.
        at: the position in the head of the table of a record batch; None for another kind.
        dictionary: the id of the dictionary in the message, and whether it adds to the one before.
    """

    kind: int
    size: int
    body: int
    at: int | None
    dictionary: tuple[int, bool] | None


def read_head(data: bytearray, max_bytes: int) -> Head | None:
    """The head of the first message; None where it is not whole yet. `size` 0 is the end of the stream.

    Raises:
        Unreadable: it is none, or is longer than it may be.
    """
    if len(data) < _PREFIX:
        return None
    marker, length = struct.unpack_from("<Ii", data)
    if marker != _MARKER or not 0 <= length <= max_bytes:
        raise Unreadable
    if length == 0:
        return Head(0, 0, 0, None, None)
    size = _PREFIX + length
    if len(data) < size:
        return None
    try:
        return _head(bytes(data[:size]), size)
    except struct.error:
        raise Unreadable from None


def unpacked_size(message: bytes, head: Head) -> int:
    """Bytes of the body once every buffer is uncompressed: what Arrow will ask memory for.

    Raises:
        Unreadable: the buffers lie outside.
    """
    assert head.at is not None
    try:
        compressed, buffers = _field(message, head.at, 3), _field(message, head.at, 2)
        if compressed is None or buffers is None:
            return head.body
        vector = buffers + _unpack("<I", message, buffers)
        return sum(
            _unpacked(message, head.size + offset, length)
            for offset, length in struct.iter_unpack("<qq", _structs(message, vector))
        )
    except struct.error:
        raise Unreadable from None


def _head(head: bytes, size: int) -> Head:
    table = _PREFIX + _unpack("<I", head, _PREFIX)
    kind_at, inner_at, body_at = (_field(head, table, n) for n in (1, 2, 3))
    kind = _unpack("<B", head, kind_at) if kind_at else 0
    body = _unpack("<q", head, body_at) if body_at else 0
    if body < 0 or inner_at is None:
        raise Unreadable
    inner = inner_at + _unpack("<I", head, inner_at)
    if kind == RECORDS:
        return Head(kind, size, body, inner, None)
    if kind != DICTIONARY:
        return Head(kind, size, body, None, None)
    id_at, data_at, delta_at = (_field(head, inner, n) for n in (0, 1, 2))
    if data_at is None:
        raise Unreadable
    id_ = _unpack("<q", head, id_at) if id_at else 0
    delta = bool(_unpack("<B", head, delta_at)) if delta_at else False
    return Head(kind, size, body, data_at + _unpack("<I", head, data_at), (id_, delta))


def _structs(message: bytes, vector: int) -> bytes:
    start = vector + 4
    stop = start + 16 * _unpack("<I", message, vector)
    if stop > len(message):
        raise Unreadable
    return message[start:stop]


def _unpacked(message: bytes, at: int, length: int) -> int:
    """Of one buffer; -1 in its prefix says that it is not compressed."""
    if length < _PREFIX:
        return max(length, 0)
    size = _unpack("<q", message, at)
    return length if size < 0 else size


def _field(data: bytes, table: int, number: int) -> int | None:
    """Where a flatbuffer's table has its field of that number; None where it has none."""
    vtable = table - _unpack("<i", data, table)
    place = 4 + 2 * number
    if place + 2 > _unpack("<H", data, vtable):
        return None
    offset = _unpack("<H", data, vtable + place)
    return table + offset if offset else None


def _unpack(form: str, data: bytes, at: int) -> int:
    if at < 0:
        raise Unreadable
    (value,) = struct.unpack_from(form, data, at)
    return int(value)
