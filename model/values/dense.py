"""Where dates are dense: a few of them, far after all others, do not set the end of the data."""

from typing import Final

import numpy as np

from model.times import DAY, Instants

QUIET_DAYS: Final = 7  # a shorter gap separates nothing
USUAL: Final = 3  # a gap must be this many times the usual longest one
USUAL_SHARE: Final = 0.99  # of the gaps are no longer than the usual longest one
FEW: Final = 3  # so many dates may always be strays
STRAY_SHARE: Final = 0.05  # more of them never are
THIN: Final = 0.5  # of the dates on a usual day; the days of more than FEW strays have fewer
MIN_DAYS: Final = 10  # fewer days with dates have no usual gap


def dense_end(times: Instants) -> int:
    """Return the last of these instants that is no stray.

    Days with dates are compared with the gaps between them. The dates after a long gap are strays if they are
    at most 3, or if they are at most 5 % of all and their days have less than half the dates of a usual
    (median) day. A gap is long if it has more than 7 days and more than 3 times the usual longest gap: the
    99 % quantile of the gaps in all but the last 5 % of the dates (or the last 3). With fewer than 10 days
    the last date is the end.

    Args:
        times: (N,) at least one, in any order, none missing.
    """
    busy, counts = np.unique(times // DAY, return_counts=True)
    after = np.cumsum(counts[::-1])[::-1]  # dates on a day and later
    first = int(np.searchsorted(-after, -max(FEW, int(STRAY_SHARE * len(times)))))
    if first < MIN_DAYS:
        return int(times.max())
    long = max(QUIET_DAYS, USUAL * usual_gap(busy[:first]))
    after_gap = np.flatnonzero(np.diff(busy)[first - 1 :] > long) + first
    thin = after[after_gap] / np.arange(len(busy), 0, -1)[after_gap] < THIN * np.median(counts[:first])
    stray = after_gap[(after[after_gap] <= FEW) | thin]
    return int(times.max() if not len(stray) else times[times < busy[stray[0]] * DAY].max())


def dense_start(times: Instants) -> int:
    """Return the first of these instants that is no stray, by the rule of `dense_end`."""
    return -dense_end(-times)


def usual_gap(busy: Instants) -> float:
    """Return the usual longest gap between days with dates, in days.

    Args:
        busy: (D,) distinct days, ascending, two or more.
    """
    return float(np.quantile(np.diff(busy), USUAL_SHARE, method="higher"))
