"""A large body about a table's customers, cut between them: each piece is decoded, scored and let go."""

import re
from itertools import pairwise
from typing import Final, NamedTuple

_PIECE: Final = 1 << 18  # bytes: what is made of them fits the processor's cache
_WINDOW: Final = 1 << 18  # bytes that are searched for a boundary
_BOUNDARY: Final = re.compile(rb"\}\s*(,)\s*\{")


class Cut(NamedTuple):
    """A body in parts, each of which can be decoded by itself.

    Attributes:
        start: a body with the first customer alone.
        middle: arrays of customers.
        outer: the body without those.
    """

    start: bytes
    middle: list[bytes]
    outer: bytes


def cut(body: bytes) -> Cut | None:
    """Cut a body where one customer seems to end and the next to begin; None where it is not so long.

    A boundary may stand in a text. If all parts, strictly decoded, are what they should be, none does: that
    `start` is a body of one customer proves the first boundary; behind a boundary between customers, an array
    of customers ends at one; and `outer` proves what follows the last.
    """
    commas = list[int]()
    found = _BOUNDARY.search(body, 0, _WINDOW)
    while found:
        commas.append(found.start(1))
        after = found.start(1) + _PIECE
        found = _BOUNDARY.search(body, after, after + _WINDOW)
    if len(commas) < 2 or after + _WINDOW < len(body):
        return None
    middle = [b"[%b]" % body[a + 1 : b] for a, b in pairwise(commas)]
    return Cut(body[: commas[0]] + b"]}", middle, body[: commas[0]] + body[commas[-1] :])
