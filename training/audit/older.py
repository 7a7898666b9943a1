"""Customers who are older than the log: their tenure and totals count from its first day on."""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from model.times import DAY, MISSING_TIME, Instants, days, format_instant, midnight
from model.values.columns import Numbers
from model.values.dense import dense_start
from model.values.history import EventLog
from training.audit.findings import Finding

FEWEST: Final = 0.05  # of the customers; fewer change no model
JOINED: Final = 0.95  # of the customers have no event before the day they joined
RECENT: Final = days(365)  # before the log; dates that are all older, such as birthdays, are other dates
SPANS: Final = (30, 90, 365)  # days in which customers from before the log are seen again
FALL: Final = 1.5  # first events in the span over those in the next
FALL_HALF: Final = 1.2  # in the first half of the span over those in the second,
FALL_QUARTER: Final = 1.1  # and in the first quarter: those of a cohort stop, and do not fall from the start


def probe_older(log: EventLog, dates: Mapping[str, Instants], zone: str) -> list[Finding]:
    """Find customers who are older than the log, by the day they joined, else by how first events thin out.

    Args:
        dates: (C,) instants of each column of dates; those of joining are found among them.
    """
    start = midnight(dense_start(log.times), zone)
    first = log.times_at(log.offsets[:-1], np.diff(log.offsets) > 0, MISSING_TIME)
    joined = {name: times for name, times in dates.items() if _is_joining(times, first, start)}
    since, column, remedy = format_instant(start, zone), None, "Give an earlier log if there is one"
    if joined:
        column = min(joined, key=lambda name: -_n_before(joined[name], start))
        evidence = _by_date(column, joined[column], start, since)
        remedy += f"; the model also reads the age of {column!r}."
    else:
        seen = (first[first != MISSING_TIME] - start) / DAY
        evidence = _by_first_events(seen, (int(log.times.max()) - start) / DAY, since)
        remedy += ", or a column with the day they joined (data.customers)."
    if evidence is None:
        return []
    meaning = f"Their tenure, totals and gaps count from {since} on: at early cutoffs they look new. "
    return [Finding("older_than_the_log", "note", column, evidence, meaning + remedy)]


def _is_joining(times: Instants, first: Instants, start: int) -> bool:
    """Whether customers joined on these dates: not after their first events, and some of them recently."""
    known = times != MISSING_TIME
    both = known & (first != MISSING_TIME)
    if not both.any() or times[known].max() < start - RECENT:
        return False
    return bool((times[both] < first[both] + DAY).mean() >= JOINED)


def _n_before(times: Instants, start: int) -> int:
    return int(((times != MISSING_TIME) & (times < start)).sum())


def _by_date(column: str, times: Instants, start: int, since: str) -> str | None:
    older, known = _n_before(times, start), int((times != MISSING_TIME).sum())
    if older < FEWEST * known:
        return None
    return f"{older:,} of {known:,} customers have a {column!r} before the log begins on {since}."


def _by_first_events(seen: Numbers, length: float, since: str) -> str | None:
    """Compare the first events in the first days of the log with those in as many days after them.

    Args:
        seen: days from the start of the log to each customer's first event.
        length: of the log in days.
    """
    for span in SPANS:
        first, second, rest, after = np.histogram(seen, np.array([0, 0.25, 0.5, 1, 2]) * span)[0].tolist()
        n = first + second + rest
        fall = _falls(n, after, FALL) and _falls(first + second, rest, FALL_HALF)
        if 2 * span <= length and n >= FEWEST * len(seen) and fall and _falls(first, second, FALL_QUARTER):
            return (
                f"{n:,} of {len(seen):,} customers are first seen in the first {span} days of the log, which "
                f"begins on {since}, and {after:,} in the next {span}: many of them may be older than it."
            )
    return None


def _falls(before: int, after: int, times: float) -> bool:
    """Whether the first number is so many times the second, by more than noise."""
    return before >= times * after + math.sqrt(before + after) / 2
