"""A segment: a file that one process appends to, a sealed frame at a time.

It begins with a header: a magic text, the segment's id, and a seal of both. A frame is a marker, the length
of what follows, and the sealed payload. The seal covers the id of the segment and the place in it, so a frame
that was changed, moved or written with another key is none. kill -9 leaves at most a torn last frame.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from model.ledger.key import SIZE, LedgerKey

MAGIC: Final = b"PROPENSE LEDGER1"
MARKER: Final = b"\xf5REC"
HEADER: Final = len(MAGIC) + SIZE + SIZE
_LENGTH: Final = struct.Struct(">I")
_BEFORE: Final = len(MARKER) + _LENGTH.size


@dataclass(frozen=True)
class Frames:
    """What could be read of a segment.

    Attributes:
        payloads: of the whole frames, in order.
        torn: bytes of a last frame that was not written to its end.
        damaged: bytes of other frames that are not as they were written.
    """

    payloads: tuple[bytes, ...]
    torn: int = 0
    damaged: int = 0


def header(key: LedgerKey, segment: bytes) -> bytes:
    """Return the first bytes of the segment with this id, of SIZE bytes."""
    return MAGIC + segment + key.seal(b"", segment + MAGIC)


def frame(key: LedgerKey, segment: bytes, start: int, payload: bytes) -> bytes:
    """Return the frame of a payload that begins at byte `start` of a segment."""
    sealed = key.seal(payload, _place(segment, start))
    return MARKER + _LENGTH.pack(len(sealed)) + sealed


def read_frames(data: bytes, key: LedgerKey, segment: bytes) -> Frames | None:
    """Read the frames of a segment's bytes; None where the header is not that of this key and id."""
    if len(data) < HEADER:
        return Frames((), torn=len(data))  # killed at its first write: a frame follows in the same write
    if data[:HEADER] != header(key, segment):
        return None
    payloads, lost = [], [0, 0]
    for payload, size, is_torn in _pieces(data, key, segment):
        if payload is None:
            lost[is_torn] += size
        else:
            payloads.append(payload)
    return Frames(tuple(payloads), torn=lost[1], damaged=lost[0])


def _pieces(data: bytes, key: LedgerKey, segment: bytes) -> Iterator[tuple[bytes | None, int, bool]]:
    """Yield each whole frame's payload, and None for what lies between; with its bytes, and if it is torn."""
    start = HEADER
    while start < len(data):
        payload, end = _frame_at(data, key, segment, start)
        if payload is not None:
            yield payload, end - start, False
            start = end
            continue
        after = data.find(MARKER, start + 1)
        while after >= 0 and _frame_at(data, key, segment, after)[0] is None:
            after = data.find(MARKER, after + 1)
        yield None, (len(data) if after < 0 else after) - start, after < 0 and end > len(data)
        start = len(data) if after < 0 else after


def _frame_at(data: bytes, key: LedgerKey, segment: bytes, start: int) -> tuple[bytes | None, int]:
    """Return the payload of a whole frame, else None, and where the frame ends or should have ended."""
    body = start + _BEFORE
    if body > len(data):
        return None, len(data) + 1
    if not data.startswith(MARKER, start):
        return None, body
    (length,) = _LENGTH.unpack_from(data, start + len(MARKER))
    if body + length > len(data):
        return None, body + length
    return key.unseal(data[body : body + length], _place(segment, start)), body + length


def _place(segment: bytes, start: int) -> bytes:
    return segment + start.to_bytes(8, "big")
