"""Texts of dates as datetimes: ISO 8601 or a strptime format, each with any usual clock behind the date.

Beside a format of the date alone, such as `%d/%m/%Y`, a text may have a clock (`10:00`, `10:00:00.5`,
`9:30 PM`) and a zone (`Z`, `UTC`, `+02:00`). English months are read in full or short, with any marks around
them: the format `%d %b %Y` reads `14-Apr-2025`, `14 April, 2025` and, with its clock, RFC 2822.
"""

import re
from datetime import UTC, datetime, time, timedelta, timezone
from typing import Final

_CLOCK: Final = re.compile(
    r"(?P<day>.+?)(?:[,:]\s*|\s+)"
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?)?"
    r"\s*(?P<half>[ap]\.?m\.?)?"
    r"\s*(?P<zone>Z|(?:UTC|GMT)?(?P<offset>[+-]\d{2}:?\d{2})|UTC|GMT)?(?:\s*\([\w ]+\))?",
    re.IGNORECASE,
)
_WEEKDAY: Final = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\b[,.]?\s*", re.IGNORECASE)
_MONTH: Final = re.compile(
    r"(?<![a-z])(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"(?:uary|ruary|ch|il|e|y|ust|t|tember|ober|ember)?(?![a-z])",
    re.IGNORECASE,
)
_ORDINAL: Final = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b", re.IGNORECASE)
_MARKS: Final = re.compile(r"[\s,./-]+")
_COMPACT: Final = len("20240514")
_NOON: Final = 12


def iso_datetime(text: str) -> datetime:
    """Return an ISO 8601 text, with any usual clock behind its date; naive without an offset.

    Raises:
        ValueError: the text is no such time.
    """
    if text.isdigit() and len(text) != _COMPACT:
        raise ValueError(text)  # a number, which `fromisoformat` may take for a date and a clock
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        day, clock = _split(text)
        return datetime.combine(datetime.fromisoformat(day).date(), clock)


def formatted_datetime(text: str, time_format: str) -> datetime:
    """Return a text in a strptime format, or in one of a date with a clock behind it.

    Raises:
        ValueError: the text is no such time.
    """
    try:
        when = datetime.strptime(text, time_format)  # noqa: DTZ007 - the caller knows the zone
    except ValueError:
        day, clock = _split(text) if _clock_of(text) else (text, time())
        when = datetime.strptime(plain_date(day), time_format)  # noqa: DTZ007
        return datetime.combine(when.date(), clock)
    # a zone's name is UTC or GMT, on every machine
    return when.replace(tzinfo=UTC) if "%Z" in time_format and when.tzinfo is None else when


def plain_date(text: str) -> str:
    """Return a date with an English month as `14 Apr 2025`, without its weekday; any other as it is."""
    if not _MONTH.search(text):
        return text
    text = _MONTH.sub(lambda month: month[1], _WEEKDAY.sub("", text))
    return _MARKS.sub(" ", _ORDINAL.sub("", text)).strip()


def without_clock(text: str) -> str:
    """Return the date of a text, as `plain_date` spells it."""
    found = _clock_of(text)
    return plain_date(found["day"] if found else text)


def _clock_of(text: str) -> "re.Match[str] | None":
    found = _CLOCK.fullmatch(text)
    return found if found and (found["minute"] or found["half"]) else None


def _split(text: str) -> tuple[str, time]:
    """Return the date and the clock of a text."""
    found = _clock_of(text)
    if not found:
        raise ValueError(text)
    hour = int(found["hour"])
    if half := found["half"]:
        if not 0 < hour <= _NOON:
            raise ValueError(text)
        hour = hour % _NOON + _NOON * (half[0] in "pP")
    zone = None
    if offset := found["offset"]:
        ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))
        zone = timezone(-ahead if offset[0] == "-" else ahead)
    elif found["zone"]:
        zone = UTC
    fraction = (found["fraction"] or "").ljust(6, "0")[:6]
    clock = time(hour, int(found["minute"] or 0), int(found["second"] or 0), int(fraction), zone)
    return found["day"], clock
