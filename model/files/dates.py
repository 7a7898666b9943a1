"""The format of a column of dates."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.times import DAY, MISSING_TIME, Instants, parse_time
from model.values.columns import Column, as_dates, as_texts

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


def date_format(column: Column) -> str | None:
    """The format that reads most of a column's dates; None is ISO 8601."""
    formats = fitting_formats(as_texts(column).values)
    return formats[0] if formats else None


def column_instants(column: Column, time_format: str | None, what: str, zone: str) -> Instants:
    """(N,) instants of a column that must hold dates; MISSING_TIME where a cell is empty.

    Args:
        time_format: a strptime format beside ISO 8601, which is always understood.
        what: the column as a message calls it.

    Raises:
        DataError: a value is no date.
    """
    texts = as_texts(column)
    instants = as_dates(texts, time_format, zone)
    unread = np.flatnonzero((texts.codes >= 0) & (instants == MISSING_TIME))
    if len(unread):
        raise DataError(
            f"{what} must hold dates such as 2024-03-01, or nothing, got {len(unread):,} of {len(texts):,} "
            f"values that are none, such as {texts.values[texts.codes[unread[0]]]!r}. Correct them."
        )
    return instants


def is_midnight(column: Column, time_format: str | None) -> NDArray[np.bool_]:
    """(N,) bool, True where a value is a date without a clock time, or one of midnight."""
    return np.equal(as_dates(column, time_format, "UTC") % DAY, 0)


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
