"""What a log looks like: its ends, events that come twice, days on which nothing was written."""

from typing import Any, Final

import numpy as np

from model.times import DAY, add_days, format_instant, midnight
from model.values.history import EventLog

SHOWN: Final = 5
QUIET_DAYS: Final = 3  # a gap of more days than these, and than so many usual ones, is told
UNUSUAL: Final = 5


def log_facts(log: EventLog, zone: str) -> dict[str, Any]:
    """Events, their first and last time, exact duplicates, and the longest gaps."""
    return {
        "events": len(log.times),
        "first_event": format_instant(int(log.times.min()), zone),
        "last_event": format_instant(int(log.times.max()), zone),
        "duplicate_events": duplicate_events(log),
        "gaps": quiet_times(log, zone),
    }


def duplicate_events(log: EventLog) -> int:
    """Events that are equal to an earlier one in customer, time and every field."""
    owners = log.owners
    same = (np.diff(log.times) == 0) & (np.diff(owners) == 0)
    twin = np.append(same, False) | np.append(False, same)  # equal in customer and time to a neighbour
    if not twin.any():
        return 0
    fields = [owners[twin], log.times[twin]]
    fields += [np.unique(v[twin], return_inverse=True, equal_nan=True)[1] for v in log.values.values()]
    fields += [texts.codes[twin] for texts in log.categories.values()]
    order = np.lexsort(fields)
    differ = np.zeros(len(order) - 1, dtype=bool)
    for field in fields:
        differ |= np.diff(field[order]) != 0
    return int((~differ).sum())


def quiet_times(log: EventLog, zone: str) -> list[dict[str, Any]]:
    """The longest spans of days without an event of anybody: a shop was closed, or events were lost.

    Args:
        zone: whose days they are.
    """
    first, last = midnight(int(log.times.min()), zone), int(log.times.max())
    mornings = add_days(first, np.arange((last - first) // DAY + 2), zone)
    busy = np.flatnonzero(np.bincount(np.searchsorted(mornings, log.times, side="right") - 1))
    spans = np.diff(busy)
    if not len(spans):
        return []
    unusual = np.flatnonzero(spans - 1 > max(QUIET_DAYS, UNUSUAL * float(np.median(spans))))
    longest = unusual[np.argsort(-spans[unusual], kind="stable")][:SHOWN]
    return [
        {
            "after": format_instant(int(mornings[busy[i]]), zone),
            "before": format_instant(int(mornings[busy[i + 1]]), zone),
            "days": int(spans[i]) - 1,
        }
        for i in sorted(longest.tolist())
    ]
