"""Instants: int64 microseconds since 1970-01-01 UTC. Times without an offset are taken as UTC."""

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError

DAY: Final = 86_400_000_000  # microseconds
MISSING_TIME: Final = np.iinfo(np.int64).min  # numpy's NaT
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# the first and the last instant of the years 1 to 9999, which are those of a datetime
FIRST_TIME: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
LAST_TIME: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)

Instants = NDArray[np.int64]


def days(value: float) -> int:
    """Days as a whole number of microseconds."""
    return round(value * DAY)


def to_instant(when: datetime) -> int:
    """A datetime as an instant; a naive one is UTC."""
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1)


def to_datetime(instant: int) -> datetime:
    """An instant as a datetime in UTC.

    Args:
        instant: FIRST_TIME to LAST_TIME.
    """
    return _EPOCH + timedelta(microseconds=int(instant))


def describe_format(time_format: str | None) -> str:
    """What a time must look like, as a part of a message."""
    if time_format == "unix":
        return "the format 'unix' (seconds since 1970)"
    return f"the format {time_format!r}" if time_format else "ISO 8601 such as 1997-03-01"


def parse_time(text: str, time_format: str | None = None) -> int:
    """Read one time as an instant.

    Args:
        text: ISO 8601 (`1997-03-01`, `1997-03-01T10:00:00+02:00`), or as `time_format` says.
        time_format: a strptime format, or "unix" for seconds since 1970.

    Raises:
        DataError: the text is not such a time.
    """
    try:
        if time_format == "unix":
            return to_instant(_EPOCH + timedelta(microseconds=round(float(text) * 1_000_000)))
        if time_format:
            return to_instant(datetime.strptime(text, time_format))  # noqa: DTZ007 - UTC by rule
        return to_instant(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise DataError(f"a time must have {describe_format(time_format)}, got {text!r}") from None


def format_instant(instant: int) -> str:
    """An instant as ISO 8601: a plain date at midnight, else date and time with Z."""
    when = to_datetime(instant)
    if int(instant) % DAY == 0:
        return when.date().isoformat()
    return when.isoformat().replace("+00:00", "Z")
