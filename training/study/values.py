"""The kinds of single values in a study.

Numbers are strict: `true` is no 1, and "3" is no 3.
"""

from datetime import date
from difflib import get_close_matches
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from model import task
from model.store.registry import NAME_PATTERN
from model.times import time_zones
from model.values.columns import as_texts, column_of
from training.study.faults import show

Ordered = TypeVar("Ordered", int, date)


def _study_name(text: str) -> str:
    if not NAME_PATTERN.fullmatch(text):
        raise ValueError(
            "must be a lower-case letter, then at most 62 lower-case letters, digits or hyphens,"
            f" got {show(text)}"
        )
    return text


def _spelling(value: object) -> str:
    """A label as `model.values.columns` spells it: true -> "true", 1 -> "1"."""
    if not isinstance(value, str | bool | int | float):
        raise ValueError(f"must be text, a number, true or false, got {show(value)}")
    spelt = as_texts(column_of([value])).values
    if not spelt:
        raise ValueError(f"{show(value)} marks a missing value in a table, so it cannot be a label")
    return spelt[0]


def _iso_date(value: object) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"must be a date such as 2011-09-10, got {show(value)}") from None


def increasing(values: tuple[Ordered, ...]) -> tuple[Ordered, ...]:
    """The values as they are.

    Raises:
        ValueError: one is not greater than the one before it.
    """
    if list(values) != sorted(set(values)):
        raise ValueError(f"must increase, got {[v if isinstance(v, int) else str(v) for v in values]}")
    return values


def _time_zone(name: str) -> str:
    known = time_zones()
    if name in known:
        return name
    spellings = {spelling: zone for zone in sorted(known) for spelling in _spellings(zone)}
    near = [spellings[match] for match in get_close_matches(name.lower(), spellings, n=3, cutoff=0.7)]
    hint = f"; did you mean {' or '.join(show(zone) for zone in dict.fromkeys(near))}?" if near else ""
    raise ValueError(f"must be an IANA time zone such as Europe/Berlin, got {show(name)}{hint}")


def _spellings(zone: str) -> tuple[str, str]:
    """A zone's name, and its last part alone: many know a city and not its region."""
    lower = zone.lower()
    return lower, lower.rpartition("/")[2]


Text = Annotated[str, Field(min_length=1)]
Names = tuple[Text, ...]
Count = Annotated[int, Strict(), Field(gt=0, le=1_000_000)]
Seed = Annotated[int, Strict(), Field(ge=0, lt=2**32)]
Number = Annotated[float, Strict()]
Days = Annotated[task.Days, Strict()]
PositiveDays = Annotated[task.PositiveDays, Strict()]
Horizons = Annotated[tuple[PositiveDays, ...], Field(min_length=1, max_length=52), AfterValidator(increasing)]
IsoDate = Annotated[date, BeforeValidator(_iso_date)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
StudyName = Annotated[str, AfterValidator(_study_name)]
Label = Annotated[str, BeforeValidator(_spelling)]
