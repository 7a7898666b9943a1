"""Which format a column of dates has."""

import re
from collections.abc import Sequence
from typing import Final

from model.errors import DataError
from model.times import parse_time

MIN_SHARE: Final = 0.95
DAY_FORMATS: Final = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d-%m-%Y", "%m/%d/%Y", "%d/%m/%Y")
FORMATS: Final = (None, *(day + clock for day in DAY_FORMATS for clock in ("", " %H:%M", " %H:%M:%S")))
_SHAPE: Final = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([ T].*)?$")
_SAMPLE: Final = 1000


def fitting_formats(texts: Sequence[str]) -> list[str | None]:
    """Formats that read at least 95 % of the texts, the best first; None is ISO 8601.

    Judged on up to 1,000 of the texts, evenly spread.
    """
    sample = texts[:: max(1, len(texts) // _SAMPLE)]
    shaped = [text for text in sample if _SHAPE.match(text)]
    if len(shaped) < MIN_SHARE * len(sample) or not sample:
        return []
    read = {form: sum(_reads(text, form) for text in shaped) for form in FORMATS}
    fitting = [form for form in FORMATS if read[form] >= MIN_SHARE * len(sample)]
    return sorted(fitting, key=lambda form: -read[form])


def suggestion(texts: Sequence[str]) -> str:
    """What to write for `time_format`, as the next step of a message."""
    formats = fitting_formats(texts)
    if formats:
        return (
            f'set time_format: "{formats[0]}"'
            if formats[0]
            else "leave time_format out: the times are ISO 8601"
        )
    if texts and all(re.match(r"\d{9,10}(\.\d+)?$", text) for text in texts[:_SAMPLE]):
        return 'set time_format: "unix"'
    return "set time_format to the strptime format of the times"


def _reads(text: str, time_format: str | None) -> bool:
    try:
        parse_time(text, time_format)
    except DataError:
        return False
    return True
