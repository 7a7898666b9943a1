"""Many times at once, where all of them have one of the plain forms of ISO 8601."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.times import DAY, SECOND, Instants, localize

_PLAIN: Final = {len(form): form for form in ("0000-00-00", "0000-00-00T00:00:00", "0000-00-00T00:00:00Z")}
_DATE: Final = len("0000-00-00")


def parse_iso_times(texts: Sequence[str | None], zone: str) -> Instants | None:
    """(N,) what `parse_time` makes of each, by numpy; None where one is not of the form that all should have.

    That is one of `1997-03-01`, `1997-03-01T10:00:00` and `1997-03-01T10:00:00Z`.
    """
    listed = [text for text in texts if text is not None]
    lengths = set(map(len, listed))
    form = _PLAIN.get(lengths.pop()) if len(lengths) == 1 and len(listed) == len(texts) else None
    if form is None:
        return None
    letters = np.frombuffer("".join(listed).encode("ascii", "replace"), dtype=np.uint8)
    digits = letters.reshape(len(texts), len(form)).T - np.uint8(ord("0"))
    marks = np.frombuffer(form.encode(), dtype=np.uint8) - np.uint8(ord("0"))
    if not all(
        (column < 10).all() if mark == 0 else (column == mark).all()
        for column, mark in zip(digits, marks, strict=True)
    ):
        return None
    naive = _clock(digits.astype(np.int64))
    if naive is None:
        return None
    return naive if form.endswith("Z") else localize(naive, zone)


def _clock(digits: NDArray[np.int64]) -> Instants | None:
    """(N,) the times whose digits stand in the rows of `_PLAIN`; None where one is no time."""

    def number(*places: int) -> NDArray[np.int64]:
        read = np.zeros(digits.shape[1], dtype=np.int64)
        for place in places:
            read = read * 10 + digits[place]
        return read

    year, month, day = number(0, 1, 2, 3), number(5, 6), number(8, 9)
    first = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    date = first.astype("datetime64[D]") + (day - 1)
    known = (year > 0) & (month > 0) & (month < 13) & (day > 0) & (date.astype("datetime64[M]") == first)
    instants: Instants = date.astype(np.int64) * DAY
    if len(digits) > _DATE:
        hour, minute, second = number(11, 12), number(14, 15), number(17, 18)
        known &= (hour < 24) & (minute < 60) & (second < 60)
        instants += (hour * 3600 + minute * 60 + second) * SECOND
    return instants if known.all() else None
