"""The formats of a table's columns of dates. Day-first or month-first is decided once for all of them."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.date_texts import without_clock
from model.errors import DataError
from model.files.names import agreed, counted, some_of
from model.times import DAY, EPOCH_UNITS, MISSING_TIME, Instants, describe_format, time_or_missing
from model.values.columns import (
    Column,
    Numbers,
    Texts,
    absent,
    as_dates,
    as_instants,
    as_numbers,
    as_texts,
    parse_number,
)
from model.values.spelling import is_no_value

MIN_SHARE: Final = 0.9
_MONTH_FIRST: Final = ("%m/%d/%Y", "%m/%d/%y", "%m-%d-%Y", "%m-%d-%y")
_UNPADDED: Final = "%Y-%m-%d"  # 2024-3-1, beside ISO 8601
_OTHERS: Final = (
    *(_UNPADDED, "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d.%m.%y", "%Y-%m", "%m/%Y"),
    *("%d %b %Y", "%b %d %Y", "%d %b %y", "%Y %b %d", "%b %Y", "%Y %b", "%b %y", "%a %b %d %H:%M:%S %Y"),
)
_DAY_FIRST: Final = ("%d/%m/%Y", "%d/%m/%y", "%d-%m-%Y", "%d-%m-%y")
FORMATS: Final = (None, *_MONTH_FIRST, *_DAY_FIRST, *_OTHERS)
_COMPACT: Final = {
    "%Y%m%d": (19000101, 21001231),
    "%Y%m": (190001, 210012),
    "%Y%m%d%H%M%S": (19000101000000, 21001231235959),
    "%Y%m%d%H%M": (190001010000, 210012312359),
}
_EPOCHS: Final = (946_684_800.0, 2_208_988_800.0)  # seconds: the years 2000 to 2039
_SHAPE: Final = re.compile(
    r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}|\d{4}-\d\d?|\d\d?/\d{4}|(\d{1,2} )?[a-z]{3}( \d{1,2})? \d{2,4}"
    r"|\d{4} [a-z]{3}( \d\d?)?|[a-z]{3} \d\d? [\d:]+ \d{4}|\d{4}-?W\d\d(-?\d)?|\d{8}",
    re.IGNORECASE,
)
_FIRST_TWO: Final = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2\d{2,4}(?!\d)")
_SAMPLE: Final = 1000
_FEW: Final = 50
_MONTHS: Final = 12


@dataclass(frozen=True)
class DateFormat:
    """How the dates of a column are read.

    Attributes:
        time_format: None is ISO 8601, which is read beside any format.
        note: what was guessed, as a sentence; empty where nothing was.
    """

    time_format: str | None
    note: str = ""


def date_formats(
    columns: Mapping[str, Column],
    stated: Mapping[str, str] | None = None,
    *,
    key: str = "data.customers.dates: {{{name}: {form}}}",
) -> dict[str, DateFormat]:
    """Return the format of each column of which 90 % are dates, or that is stated to hold dates.

    Args:
        stated: the formats that the study names, by column.
        key: how the study states a format.
    """
    stated = stated or {}
    likely = {n: fits[0] for n, c in columns.items() if n not in stated and (fits := _fitting(c))}
    evidence = {name: _evidence(as_texts(columns[name]).values) for name in likely}
    days, months = (sum(counts[at] for counts in evidence.values()) for at in (0, 1))
    day_first = None if days == months else days > months
    found = {name: DateFormat(form) for name, form in stated.items() if name in columns}
    for name, form in likely.items():
        notes = [_guess(form, key.format(name=name, form='"..."')), _beside(columns[name], form)]
        if form in (*_MONTH_FIRST, *_DAY_FIRST):
            assert form is not None
            n_day, n_month = evidence[name]
            if n_day == n_month and day_first is None:
                day_first = "-" in form
            own = bool(day_first) if n_day == n_month else n_day > n_month
            form = form if (form in _DAY_FIRST) == own else _swapped(form)
            how = key.format(name=name, form=f'"{_swapped(form)}"')
            notes = [_order_note(form, evidence[name], days + months, how), *notes]
        found[name] = DateFormat(form, " ".join(f"{name!r}: {note}" for note in notes if note))
    return found


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
            f"{what} must hold dates such as 2024-03-01, or nothing, got "
            f"{some_of(len(unread), len(texts), 'value')} that {agreed(len(unread), 'is', 'are')} none, such "
            f"as {texts.values[texts.codes[unread[0]]]!r}. Correct them."
        )
    return instants


def is_midnight(column: Column, time_format: str | None) -> NDArray[np.bool_]:
    """(N,) bool, True where a value is a date without a clock time, or one of midnight."""
    return np.equal(as_dates(column, time_format, "UTC") % DAY, 0)


def mixed_formats(column: Column) -> str:
    """Say which formats the dates of a column have, where no format reads 90 % of them; else empty."""
    sample = _sample(column)
    if len(_shaped(sample)) < MIN_SHARE * len(sample) or not sample or _fitting(column):
        return ""
    counts: dict[str | None, int] = {}
    for text in sample:
        for form in FORMATS:
            if _reads(text, form):
                counts[form] = counts.get(form, 0) + 1
                break
    if sum(counts.values()) < MIN_SHARE * len(sample):
        return ""
    shares = [f"{count / len(sample):.0%} have {describe_format(form)}" for form, count in counts.items()]
    return f"it holds dates of several formats: {', '.join(shares)}. Write them in one."


def _fitting(column: Column) -> list[str | None]:
    """The formats that read 90 % of the dates of a column, ISO 8601 among them, the best first."""
    sample = _sample(column) if isinstance(column, Texts) else []
    may_be_numbers = not sample or any(not math.isnan(parse_number(text)) for text in sample)
    if may_be_numbers and (form := _of_numbers(column, as_numbers(column))):
        return [form]
    if not sample:
        return []
    few = sample[:: max(1, len(sample) // _FEW)]
    if len(_shaped(few)) < MIN_SHARE * len(few) or len(_shaped(sample)) < MIN_SHARE * len(sample):
        return []
    able = [form for form in FORMATS if any(_reads(text, form) for text in few)]
    iso = [_reads(text, None) for text in sample]
    read = {
        form: sum(
            one or (form is not None and _reads(text, form)) for text, one in zip(sample, iso, strict=True)
        )
        for form in able
    }
    fitting = [form for form in able if read[form] >= MIN_SHARE * len(sample)]
    return sorted(fitting, key=lambda form: -read[form])


def _of_numbers(column: Column, numbers: Numbers) -> str | None:
    """The format of numbers that are days such as 20240514, months, or, by magnitude, time since 1970."""
    known = numbers[np.isfinite(numbers)]
    if len(known) < max(MIN_SHARE * int((~absent(column)).sum()), 1):
        return None
    for unit, per_second in EPOCH_UNITS.items():
        first, last = (end * per_second for end in _EPOCHS)
        if ((known >= first) & (known < last)).mean() >= MIN_SHARE:
            return unit
    for form, (first, last) in _COMPACT.items():
        inside = (known >= first) & (known <= last) & (known == np.floor(known))
        several = inside.all() and known.min() < known.max()
        if several and all(_reads(f"{number:.0f}", form) for number in np.unique(known)[:_SAMPLE]):
            return form
    return None


def _sample(column: Column) -> Sequence[str]:
    """Up to 1,000 of the texts of a column, evenly spread, without marks of nothing."""
    values = as_texts(column).values
    return [text for text in values[:: max(1, len(values) // _SAMPLE)] if not is_no_value(text)]


def _shaped(texts: Sequence[str]) -> list[str]:
    return [text for text in texts if _SHAPE.fullmatch(without_clock(text)) or _reads(text, None)]


def _evidence(texts: Sequence[str]) -> tuple[int, int]:
    """How many distinct texts can be day-first only, and month-first only."""
    pairs = [(int(m[1]), int(m[3])) for text in texts if (m := _FIRST_TWO.match(text))]
    return sum(a > _MONTHS for a, _ in pairs), sum(b > _MONTHS for _, b in pairs)


def _order_note(form: str, evidence: tuple[int, int], in_table: int, how: str) -> str:
    days, months = evidence
    if not days and not months:
        why = " as in other columns" if in_table else ""
        return (
            f"dates that fit both {form} and {_swapped(form)} were read as {form}{why}. If that is wrong, "
            f"set {how}."
        )
    if not days or not months:
        return ""
    return (
        f"dates of two formats: {counted(days, 'value')} can be day-first only and {months:,} month-first "
        f"only. They were read as {form}, the others as missing; write them in one format."
    )


def _guess(form: str | None, how: str) -> str:
    if form in EPOCH_UNITS or form in _COMPACT:
        return f"numbers were read as times in {describe_format(form)}. If that is wrong, set {how}."
    return "years of two digits were read as 1969 to 2068." if form and form.endswith("%y") else ""


def _beside(column: Column, form: str | None) -> str:
    if form is None or form in (*_COMPACT, _UNPADDED):
        return ""
    iso = int((as_instants(column) != MISSING_TIME).sum())
    return f"read {counted(iso, 'cell')} in ISO 8601 beside those in {describe_format(form)}." if iso else ""


def _swapped(form: str) -> str:
    return form.translate({ord("d"): "m", ord("m"): "d"})


def _reads(text: str, time_format: str | None) -> bool:
    return time_or_missing(text, time_format) != MISSING_TIME
