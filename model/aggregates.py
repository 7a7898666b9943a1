"""What a history amounts to at a cutoff: counts, sums, recency, regularity, last and largest values.

One function serves training, batch scoring and live requests. Every sum runs over one customer's own
events in order, so a feature does not depend, to the last bit, on who else is in the log.
"""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from model.columns import Numbers
from model.history import EventLog, Positions
from model.times import DAY, MISSING_TIME, Instants, days

T = TypeVar("T", np.float64, np.int64)

_WINDOWS: Final = (7, 30, 90, 180, 365)


def window_lengths(lookback_days: int) -> tuple[int, ...]:
    """The windows of counts and sums, in days: the usual ones below the lookback, and the lookback."""
    return (*(w for w in _WINDOWS if w < lookback_days), lookback_days)


def history_features(
    log: EventLog,
    customers: Positions,
    cutoffs: Instants,
    *,
    lookback_days: int,
    type_codes: NDArray[np.int64] | None,
    types: Sequence[str],
) -> dict[str, Numbers]:
    """Aggregates of `(cutoff - window, cutoff]` for N examples.

    Args:
        customers: (N,) positions in the log.
        cutoffs: (N,) instants.
        type_codes: (E,) codes of the events' types (2 + position in `types`), None without types.
        types: the types that get counts and sums of their own.

    Returns:
        (N,) float64 by feature name, such as `count_30d`, `count[buy]_30d` or `sum(amount)[buy]_30d`: the
        brackets keep a study's own names apart from ours. NaN where a history is too short to say.
    """
    end = log.until(customers, cutoffs)
    starts = {w: log.until(customers, cutoffs - days(w)) for w in window_lengths(lookback_days)}
    features = dict(_recency(log, cutoffs, starts[lookback_days], end))
    features.update(_calendar(cutoffs))
    features.update(_values(log, starts[lookback_days], end))
    features.update(_windows(log, starts, end, None, ""))
    for position, name in enumerate(types):
        assert type_codes is not None
        of_type = type_codes == position + 2
        features.update(_windows(log, starts, end, of_type, f"[{name}]"))
        last = segment_reduce(
            np.maximum, np.where(of_type, log.times, MISSING_TIME), starts[lookback_days], end
        )
        features[f"recency[{name}]_days"] = _age_days(last, cutoffs)
    return features


def segment_reduce(ufunc: np.ufunc, values: NDArray[T], starts: Positions, ends: Positions) -> NDArray[T]:
    """(N,) `ufunc` over `values[start:end]`; empty segments give 0, or MISSING_TIME for integers.

    Segments are visited in order of their start, since `reduceat` also walks what lies between them.
    """
    empty = MISSING_TIME if np.issubdtype(values.dtype, np.integer) else 0.0
    result = np.full(len(starts), empty, dtype=values.dtype)
    filled = np.flatnonzero(ends > starts)
    if not len(filled):
        return result
    filled = filled[np.argsort(starts[filled], kind="stable")]
    bounds = np.stack([starts[filled], ends[filled]], axis=1).ravel()
    padded = np.append(values, values[-1:])  # so that an end at the very end is a valid index
    result[filled] = ufunc.reduceat(padded, bounds)[::2]
    return result


def _windows(
    log: EventLog, starts: dict[int, Positions], end: Positions, chosen: NDArray[np.bool_] | None, which: str
) -> Iterator[tuple[str, Numbers]]:
    """Counts and sums of the chosen events in each window."""
    if chosen is not None:
        running = np.concatenate([[0], np.cumsum(chosen)])
    for length, start in starts.items():
        count = end - start if chosen is None else running[end] - running[start]
        yield f"count{which}_{length}d", count.astype(np.float64)
    for field, values in log.values.items():
        amounts = np.nan_to_num(values) if chosen is None else np.where(chosen, np.nan_to_num(values), 0.0)
        for length, start in starts.items():
            yield f"sum({field}){which}_{length}d", segment_reduce(np.add, amounts, start, end)


def _recency(
    log: EventLog, cutoffs: Instants, start: Positions, end: Positions
) -> Iterator[tuple[str, Numbers]]:
    """Time since the last and the first event, distinct days, gaps between them and their regularity."""
    some, several = end > start, end > start + 1
    last, first = _time_at(log, end - 1, some), _time_at(log, start, some)
    recency, tenure = _age_days(last, cutoffs), _age_days(first, cutoffs)
    new_day = np.diff(log.times // DAY, prepend=0) != 0
    running = np.concatenate([[0], np.cumsum(new_day)])
    active = np.where(some, running[end] - running[np.minimum(start + 1, end)] + 1, 0).astype(np.float64)
    span = tenure - recency
    gap = np.where(active > 1, span / np.maximum(active - 1, 1), np.nan)
    gaps = np.diff(log.times, prepend=0) / DAY  # the first gap of a window is not looked at
    squares = segment_reduce(np.add, gaps**2, np.minimum(start + 1, end), end)
    spread = np.sqrt(
        np.maximum(squares / np.maximum(end - start - 1, 1) - (span / np.maximum(end - start - 1, 1)) ** 2, 0)
    )
    yield "recency_days", recency
    yield "tenure_days", tenure
    yield "active_days", active
    yield "active_rate", active / np.maximum(tenure, 1.0)
    yield "recency_share", np.where(tenure > 0, recency / np.where(tenure > 0, tenure, 1.0), np.nan)
    yield "mean_gap_days", gap
    yield "gap_spread_days", np.where(several, spread, np.nan)
    yield "last_gap_days", np.where(several, (last - _time_at(log, end - 2, several)) / DAY, np.nan)
    yield "overdue", recency / np.maximum(gap, 1.0)


def _values(log: EventLog, start: Positions, end: Positions) -> Iterator[tuple[str, Numbers]]:
    """Last, largest and mean value of each numeric field."""
    some = end > start
    for field, values in log.values.items():
        known = ~np.isnan(values)
        count = segment_reduce(np.add, known.astype(np.float64), start, end)
        total = segment_reduce(np.add, np.nan_to_num(values), start, end)
        largest = segment_reduce(np.maximum, np.where(known, values, -np.inf), start, end)
        last = values[np.where(some, end - 1, 0)] if len(values) else np.zeros(len(start))
        yield f"last({field})", np.where(some, last, np.nan)
        yield f"largest({field})", np.where(count > 0, largest, np.nan)
        yield f"mean({field})", np.where(count > 0, total / np.maximum(count, 1.0), np.nan)


def _calendar(cutoffs: Instants) -> Iterator[tuple[str, Numbers]]:
    """Season and weekday of the cutoff, on circles."""
    for name, period_days, shift_days in (("year", 365.2425, 0.0), ("week", 7.0, 3.0)):
        angle = 2 * np.pi * ((cutoffs / DAY + shift_days) % period_days) / period_days
        yield f"cutoff_{name}_sin", np.sin(angle)
        yield f"cutoff_{name}_cos", np.cos(angle)


def _time_at(log: EventLog, position: Positions, valid: NDArray[np.bool_]) -> Instants:
    if not len(log.times):
        return np.full(len(position), MISSING_TIME)
    return np.where(valid, log.times[np.where(valid, position, 0)], MISSING_TIME)


def _age_days(times: Instants, cutoffs: Instants) -> Numbers:
    """Days from each time to the cutoff; NaN for a missing time."""
    present = times != MISSING_TIME
    return np.where(present, (cutoffs - np.where(present, times, 0)) / DAY, np.nan)
