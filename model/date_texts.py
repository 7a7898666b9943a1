"""Texts of dates as datetimes: ISO 8601 or a strptime format, each with any usual clock behind the date.

Beside a format of the date alone, such as `%d/%m/%Y`, a text may have a clock (`10:00`, `10:00:00.5`,
`9:30 PM`) and a zone (`Z`, `UTC`, `+02:00`). Names of months are read in full or short, with any marks around
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
_WEEKDAY: Final = re.compile(
    r"^(?:mon|tue|wed|thu|fri|sat|sun|die|mit|don|fre|sam|son|lun|mardi|mer|jeu|ven|dim|martes|mi\u00e9|jue|vie|s\u00e1b|dom)"
    r"[^\W\d]*[,.]?\s+",
    re.IGNORECASE,
)
# English, German, French and Spanish, in full or short
_MONTHS: Final = {
    "Jan": "jan(?:uary|uar|vier|v)?|j\u00e4n(?:ner)?|ene(?:ro)?",
    "Feb": "feb(?:ruary|ruar|rero)?|f\u00e9v(?:rier|r)?|fev(?:rier)?",
    "Mar": "mar(?:ch|s|zo)?|m\u00e4r(?:z)?|maerz|mrz",
    "Apr": "apr(?:il)?|avr(?:il)?|abr(?:il)?",
    "May": "may(?:o)?|mai",
    "Jun": "june?|juni|juin|junio",
    "Jul": "july?|juli|juil(?:let)?|julio",
    "Aug": "aug(?:ust)?|ao\u00fbt|aout|ago(?:sto)?",
    "Sep": "sept?(?:ember|embre|iembre)?",
    "Oct": "oct(?:ober|obre|ubre)?|okt(?:ober)?",
    "Nov": "nov(?:ember|embre|iembre)?",
    "Dec": "dec(?:ember)?|dez(?:ember)?|d\u00e9c(?:embre)?|dic(?:iembre)?",
}
_MONTH: Final = re.compile(
    rf"(?<![^\W\d])(?:{'|'.join(f'({names})' for names in _MONTHS.values())})(?![^\W\d])", re.IGNORECASE
)
_QUARTER: Final = re.compile(
    r"(?P<year>\d{4})[-/ ]?Q(?P<n>[1-4])|Q(?P<first>[1-4])[-/ ](?P<after>\d{4})", re.IGNORECASE
)
_OF: Final = re.compile(r"(?<=\s)(?:del?|of)\s", re.IGNORECASE)  # 14 de abril de 2025
_ORDINAL: Final = re.compile(r"(?<=\d)(?:st|nd|rd|th|er)\b", re.IGNORECASE)
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
    """A date with the name of a month as `14 Apr 2025`, a quarter as its first month, else the text."""
    if quarter := _QUARTER.fullmatch(text):
        return f"{quarter['year'] or quarter['after']}-{3 * int(quarter['n'] or quarter['first']) - 2:02}"
    if not _MONTH.search(text):
        return text
    text = _MONTH.sub(lambda month: list(_MONTHS)[(month.lastindex or 1) - 1], _WEEKDAY.sub("", text))
    return _MARKS.sub(" ", _OF.sub("", _ORDINAL.sub("", text))).strip()


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
