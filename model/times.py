"""Instants: int64 microseconds since 1970-01-01 UTC. A time without an offset is in a given time zone.

A local time that occurs twice, when clocks go back, is the first of the two. One that does not occur, when
clocks go forward, has the offset before the change. A zone cannot move a time out of the years 1 to 9999: it
stops at their edge, since such dates stand for "never". A text whose own offset does is no time.
"""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
from numpy.typing import NDArray

from model.date_texts import formatted_datetime, iso_datetime
from model.errors import DataError

SECOND: Final = 1_000_000  # microseconds
DAY: Final = 86_400 * SECOND
EPOCH_UNITS: Final = {"unix": 1.0, "unix_ms": 1e3, "unix_us": 1e6, "unix_ns": 1e9}  # of them in a second
MISSING_TIME: Final = np.iinfo(np.int64).min  # numpy's NaT
_MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# the first and the last instant that a datetime holds
FIRST_TIME: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
LAST_TIME: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_DATE, _DATE_AND_TIME = len("1970-01-01"), len("1970-01-01T00:00:00")
_NO_PLACES: Final = frozenset({"Factory", "localtime"})  # the latter is another zone on another machine

Instants = NDArray[np.int64]


def time_zones() -> set[str]:
    """The IANA names of time zones, such as Europe/Berlin."""
    return available_timezones() - _NO_PLACES


def days(value: float) -> int:
    """Days of 24 hours as a whole number of microseconds."""
    return round(value * DAY)


def to_instant(when: datetime, zone: str = "UTC") -> int:
    """Return a datetime as an instant; a naive one is in the zone."""
    if when.tzinfo:
        return (when - _EPOCH) // _MICROSECOND
    instant = (when.replace(tzinfo=_tzinfo(zone)) - _EPOCH) // _MICROSECOND
    return min(max(instant, FIRST_TIME), LAST_TIME)


def to_datetime(instant: int) -> datetime:
    """Return an instant, FIRST_TIME to LAST_TIME, as a datetime in UTC."""
    return _EPOCH + timedelta(microseconds=int(instant))


def to_local(instant: int, zone: str) -> datetime:
    """Return an instant as a datetime of the zone; of UTC where the zone's leaves the years 1 to 9999."""
    when = to_datetime(instant)
    try:
        return when.astimezone(_tzinfo(zone))
    except OverflowError:
        return when


def localize(naive: Instants, zone: str) -> Instants:
    """Return the (N,) instants of local times of a zone: the same as `to_instant` of each.

    Args:
        naive: (N,) int64 microseconds since 1970-01-01 in local time; MISSING_TIME stays.
    """
    if zone == "UTC":
        return naive
    known = naive != MISSING_TIME
    clock = np.clip(naive[known], FIRST_TIME, LAST_TIME)
    instants = np.full(len(naive), MISSING_TIME, dtype=np.int64)
    instants[known] = np.clip(clock - _ahead(clock, zone), FIRST_TIME, LAST_TIME)
    return instants


def midnight(instant: int, zone: str = "UTC") -> int:
    """Return the latest midnight of the zone at or before an instant."""
    if zone == "UTC":
        return instant - instant % DAY
    return to_instant(datetime.combine(to_local(instant, zone), datetime.min.time()), zone)


def add_days(instant: int, counts: NDArray[np.int64], zone: str = "UTC") -> Instants:
    """Return the (N,) instants some calendar days later or earlier, at the same local time of the zone."""
    clock = to_instant(to_local(instant, zone).replace(tzinfo=None))
    return localize(clock + counts * DAY, zone)


def age_days(times: Instants, cutoffs: Instants) -> NDArray[np.float64]:
    """(N,) days from each time to its cutoff; NaN where the time is missing or after the cutoff."""
    known = (times != MISSING_TIME) & (times <= cutoffs)
    return np.where(known, (cutoffs - np.where(known, times, 0)) / DAY, np.nan)


def describe_format(time_format: str | None) -> str:
    """Describe a time format for a message."""
    if time_format in EPOCH_UNITS:
        unit = {"unix": "seconds", "unix_ms": "milliseconds", "unix_us": "microseconds"}
        return f"the format {time_format!r} ({unit.get(time_format, 'nanoseconds')} since 1970)"
    return f"the format {time_format!r}" if time_format else "ISO 8601 such as 1997-03-01"


def parse_time(text: str, time_format: str | None = None, zone: str = "UTC") -> int:
    """Parse one time as an instant.

    Args:
        text: ISO 8601 (`1997-03-01`, `1997-03-01T10:00:00+02:00`), or in `time_format`; a date may have any
            usual clock behind it, see `model.date_texts`.
        time_format: a strptime format, or "unix", "unix_ms", "unix_us", "unix_ns" for the time since 1970.
        zone: the time zone of a time without an offset.

    Raises:
        DataError: the text is not such a time, or leaves the years 1 to 9999 of UTC by its offset.
    """
    try:
        if time_format in EPOCH_UNITS:
            instant = round(float(text) * SECOND / EPOCH_UNITS[time_format])
        elif time_format:
            instant = to_instant(formatted_datetime(text, time_format), zone)
        else:
            instant = to_instant(iso_datetime(text), zone)
    except (ValueError, OverflowError):
        raise DataError(f"a time must have {describe_format(time_format)}, got {text!r}") from None
    if not FIRST_TIME <= instant <= LAST_TIME:
        raise DataError(f"a time must lie in the years 1 to 9999 of UTC, got {text!r}")
    return instant


@lru_cache(maxsize=1 << 16)  # the same columns are read many times, and days repeat in them
def time_or_missing(text: str, time_format: str | None = None, zone: str = "UTC") -> int:
    """Parse one time as `parse_time` does; MISSING_TIME where the text is not such a time."""
    try:
        return parse_time(text, time_format, zone)
    except DataError:
        return int(MISSING_TIME)


def format_instant(instant: int, zone: str = "UTC") -> str:
    """Return an instant as ISO 8601 in the zone: a date at midnight, else with the offset (Z for UTC).

    `parse_time` of the text in that zone is the same instant.
    """
    second, microseconds = divmod(instant, SECOND)
    shown, offset, is_midnight = _clock(second, zone)
    if microseconds:
        return f"{shown}.{microseconds:06}{offset}"
    return shown[:_DATE] if is_midnight else shown + offset


@lru_cache(maxsize=64)
def _clock(second: int, zone: str) -> tuple[str, str, bool]:
    """Return the local time of a whole second, its offset, and whether it is midnight."""
    instant = second * SECOND
    text = to_local(instant, zone).isoformat()
    offset = text[_DATE_AND_TIME:]
    shown = text[:_DATE_AND_TIME]
    return shown, "Z" if offset == "+00:00" else offset, instant == midnight(instant, zone)


def _tzinfo(zone: str) -> tzinfo:
    return UTC if zone == "UTC" else ZoneInfo(zone)


def _ahead(clock: Instants, zone: str) -> Instants:
    """Return the (N,) offsets of a zone from UTC at local times, in microseconds.

    They are looked up at both ends of each day: a zone changes on a whole second, at most once a day.
    """
    dates = np.unique(clock // DAY) * DAY
    morning, evening = _looked_up(dates, zone), _looked_up(dates + (DAY - 1), zone)
    changing = morning != evening
    changes = [_change(date, zone) for date in dates[changing].tolist()]
    since = np.concatenate([dates, np.array(changes, dtype=np.int64)])
    order = np.argsort(since, kind="stable")
    since, ahead = since[order], np.concatenate([morning, evening[changing]])[order]
    changed = np.flatnonzero(np.diff(ahead, prepend=MISSING_TIME))  # fewer of them are faster to search
    return ahead[changed][np.searchsorted(since[changed], clock, side="right") - 1]


def _change(date: int, zone: str) -> int:
    """Return the first local time of a day with the offset of the day's end."""
    (morning,) = _looked_up(np.array([date]), zone)
    seconds = range(date, date + DAY, SECOND)
    return seconds[bisect_left(seconds, True, key=lambda at: _looked_up(np.array([at]), zone)[0] != morning)]


def _looked_up(clock: Instants, zone: str) -> Instants:
    shown, place = map(to_datetime, clock.tolist()), _tzinfo(zone)
    return np.array([(when - when.replace(tzinfo=place)) // _MICROSECOND for when in shown], dtype=np.int64)
