"""ISO 8601 times of requests: one, or many at once by numpy if all have the same form."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np

from model.errors import DataError
from model.times import FIRST_TIME, Instants, localize, parse_time

_FORMS: Final = {
    len(form): form for form in (b"0000-00-00\n", b"0000-00-00T00:00:00\n", b"0000-00-00T00:00:00Z\n")
}
_MANY: Final = 128  # times; for more of them numpy is faster
_SHORT: Final = 40  # characters of a text that is remembered: a client may send any number of others
_remembered: Final = lru_cache(maxsize=4096)(parse_time)

Place = Callable[[int], str]  # names the place of a value in an error


def parse_iso_time(text: str, zone: str = "UTC") -> int:
    """Return an ISO 8601 time as an instant.

    Raises:
        DataError: the text is not ISO 8601, or the time is not in the years 1 to 9999 of UTC, in any zone.
    """
    return (_remembered if len(text) <= _SHORT else parse_time)(text, None, zone)


def parse_instants(values: Sequence[Any], zone: str, place: Place) -> Sequence[int | None]:
    """Return the instants of ISO 8601 texts, None where missing.

    Raises:
        DataError: a value is not such a text; `place` names it by its position.
    """
    if len(values) > _MANY:
        parsed = parse_iso_times(values, zone)
        if parsed is not None:
            listed: list[int | None] = parsed.tolist()
            return listed
    instants: list[int | None] = []
    for position, value in enumerate(values):
        if value is not None and not isinstance(value, str):
            raise DataError(f"{place(position)} must be text in ISO 8601, got {type(value).__name__}")
        try:
            instants.append(None if value is None else parse_iso_time(value, zone))
        except DataError as error:
            raise DataError(f"{place(position)}: {error}") from None
    return instants


def parse_iso_times(texts: Sequence[str | None], zone: str) -> Instants | None:
    """Return the (N,) instants of `parse_time` by numpy; None unless all texts have the same form.

    The forms are `1997-03-01`, `1997-03-01T10:00:00` and `1997-03-01T10:00:00Z`.
    """
    try:
        lines = "\n".join([*texts, ""]).encode("ascii", "replace")  # type: ignore[list-item] # see below
    except TypeError:  # one is missing
        return None
    form = _FORMS.get(lines.find(b"\n") + 1)
    if form is None or len(lines) != len(texts) * len(form):
        return None
    letters = np.frombuffer(lines, dtype=np.uint8).reshape(len(texts), len(form)).T - np.uint8(ord("0"))
    marks = np.frombuffer(form, dtype=np.uint8) - np.uint8(ord("0"))
    if not all(
        (column < 10).all() if mark == 0 else (column == mark).all()
        for column, mark in zip(letters, marks, strict=True)
    ):
        return None
    width = len(form.rstrip(b"Z\n"))
    clocks = np.frombuffer(lines, dtype=f"S{len(form)}").astype(f"S{width}")
    try:
        naive: Instants = clocks.astype("datetime64[us]").astype(np.int64)
    except ValueError:  # the 30th of February
        return None
    if naive.min() < FIRST_TIME:
        return None
    return naive if form.endswith(b"Z\n") else localize(naive, zone)
