"""ISO 8601 times of requests: one, or many at once by numpy if all have the same form."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.times import DAY, SECOND, Instants, localize, parse_time

_FORMS: Final = {len(form): form for form in ("0000-00-00", "0000-00-00T00:00:00", "0000-00-00T00:00:00Z")}
_DATE: Final = len("0000-00-00")
_MANY: Final = 128  # times; for more of them numpy is faster

Place = Callable[[int], str]  # names the place of a value in an error


def parse_iso_time(text: str, zone: str = "UTC") -> int:
    """Return an ISO 8601 time as an instant.

    Raises:
        DataError: the text is not ISO 8601, or the time is not in the years 1 to 9999 of UTC, in any zone.
    """
    return parse_time(text, None, zone)


def parse_instants(values: Sequence[Any], zone: str, place: Place) -> list[int | None]:
    """Return the instants of ISO 8601 texts, None where missing; each distinct text is parsed once.

    Raises:
        DataError: a value is not such a text; `place` names it by its position.
    """
    if len(values) > _MANY:
        parsed = parse_iso_times(values, zone)
        if parsed is not None:
            listed: list[int | None] = parsed.tolist()
            return listed
    known: dict[str, int] = {}
    for position, value in enumerate(values):
        if value is None:
            continue
        if not isinstance(value, str):
            raise DataError(f"{place(position)} must be text in ISO 8601, got {type(value).__name__}")
        if value not in known:
            try:
                known[value] = parse_iso_time(value, zone)
            except DataError as error:
                raise DataError(f"{place(position)}: {error}") from None
    return [None if value is None else known[value] for value in values]


def parse_iso_times(texts: Sequence[str | None], zone: str) -> Instants | None:
    """Return the (N,) instants of `parse_time` by numpy; None unless all texts have the same form.

    The forms are `1997-03-01`, `1997-03-01T10:00:00` and `1997-03-01T10:00:00Z`.
    """
    listed = [text for text in texts if text is not None]
    lengths = set(map(len, listed))
    form = _FORMS.get(lengths.pop()) if len(lengths) == 1 and len(listed) == len(texts) else None
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
    """Return the (N,) local times of (len(form), N) digits; None if one of them is not a time."""

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
