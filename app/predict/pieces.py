"""A large body cut between its customers, so that a piece at a time can be decoded, scored and let go."""

import re
from itertools import pairwise
from typing import Final

_PIECE: Final = 1 << 18  # bytes: what is made of them fits the processor's cache
_FLAT: Final = re.compile(rb"\}\s*(,)\s*\{")
_NESTED: Final = re.compile(rb"\]\s*\}\s*(,)\s*\{")


def cut(body: bytes, *, nested: bool) -> tuple[bytes, list[bytes]]:
    """A body without the customers in its middle, and these, in arrays of some each.

    A boundary may have been seen where there is none, in a text or between other objects. If both parts,
    strictly decoded, are what they should be, there is none such: an array of whole customers put between
    two others makes the longer array that the body had. Where a text was cut, what follows would begin
    inside of it, and its quotes and the body's names of fields would change sides.

    Args:
        nested: whether customers have arrays of objects in them; cuts are made behind such an array only.

    Returns:
        The body without what lies between the first boundary and the last, so that one customer is before
        the gap; the arrays that fill it, none where the body is not so long.
    """
    boundary, commas = _NESTED if nested else _FLAT, list[int]()
    found = boundary.search(body)
    while found:
        commas.append(found.start(1))
        found = boundary.search(body, found.start(1) + _PIECE)
    if len(commas) < 2:
        return body, []
    return body[: commas[0]] + body[commas[-1] :], [b"[%b]" % body[a + 1 : b] for a, b in pairwise(commas)]
