"""Aggregates of a history at a cutoff: counts, sums, recency, regularity, last and largest values.

Training, batch scoring and live requests call the same function. Each sum runs over the events of one
customer in order, so that a feature is the same to the last bit whatever other customers the log has.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.times import DAY, MISSING_TIME, Instants, age_days
from model.values.columns import Numbers
from model.values.history import EventLog, Positions

TENURE: Final = "tenure_days"
_WINDOWS: Final = (7, 30, 90, 180, 365)
_BLOCK: Final = 1 << 18  # examples and events at a time: their arrays fit into the cache


def window_lengths(lookback_days: int | None) -> tuple[int | None, ...]:
    """Return the windows of counts and sums in days: the usual ones below the lookback, and the lookback.

    None is the life of a customer.
    """
    return (*(w for w in _WINDOWS if lookback_days is None or w < lookback_days), lookback_days)


def history_features(
    log: EventLog,
    customers: Positions,
    cutoffs: Instants,
    *,
    lookback_days: int | None,
    type_codes: NDArray[np.int64] | None,
    types: Sequence[str],
) -> dict[str, Numbers]:
    """Aggregates of `(cutoff - window, cutoff]` for N examples, and of all that is in the lookback.

    Args:
        customers: (N,) positions in the log.
        cutoffs: (N,) instants.
        lookback_days: None for every event up to the cutoff.
        type_codes: (E,) codes of the event types (2 + position in `types`), None without types.
        types: the event types with counts and sums of their own.

    Returns:
        (N,) float64 by feature name, such as `count_30d`, `count[buy]_lifetime` or `sum(amount)[buy]_30d`;
        brackets mark names of the study. NaN where a history is too short.
    """
    start, end = log.history(customers, cutoffs, lookback_days)

    def computed(rows: slice) -> dict[str, Numbers]:
        offsets, events = log.histories(start[rows], end[rows])
        values = {field: column[events] for field, column in log.values.items()}
        histories = EventLog(offsets, log.times[events], values, {})
        codes = None if type_codes is None else type_codes[events]
        return dict(_features(histories, cutoffs[rows], lookback_days, codes, types))

    blocks = _blocks(end - start)
    if len(blocks) == 1:
        return computed(blocks[0])
    features: dict[str, Numbers] = {}
    for rows in blocks:
        for name, column in computed(rows).items():
            if name not in features:
                features[name] = np.empty(len(customers))
            features[name][rows] = column
    return features


def segment_reduce(ufunc: np.ufunc, values: Numbers, starts: Positions, ends: Positions) -> Numbers:
    """(N,) float64 `ufunc` over each `values[start:end]`; 0 for an empty segment.

    Args:
        starts, ends: (N,) segments in ascending order, without overlap.
    """
    result = np.zeros(len(starts))
    filled = np.flatnonzero(ends > starts)
    if not len(filled):
        return result
    bounds = np.empty(2 * len(filled), dtype=np.int64)  # `reduceat` also reduces what lies between segments
    bounds[::2], bounds[1::2] = starts[filled], ends[filled]
    if bounds[-1] == len(values):  # not a valid position for `reduceat`, and its implied last end
        bounds = bounds[:-1]
    result[filled] = ufunc.reduceat(values, bounds)[::2]
    return result


def _blocks(lengths: Positions) -> list[slice]:
    """Return slices of examples, at least one, each of about `_BLOCK` examples and events."""
    size = np.cumsum(lengths + 1)
    if not len(size) or size[-1] <= _BLOCK:
        return [slice(0, len(lengths))]
    edges = np.unique(np.searchsorted(size, np.arange(_BLOCK, size[-1], _BLOCK)))
    return [
        slice(a, b) for a, b in zip([0, *edges.tolist()], [*edges.tolist(), len(size)], strict=True) if a < b
    ]


def _features(
    histories: EventLog,
    cutoffs: Instants,
    lookback_days: int | None,
    type_codes: NDArray[np.int64] | None,
    types: Sequence[str],
) -> Iterator[tuple[str, Numbers]]:
    """Yield the features of N examples; the log holds their N histories and nothing else."""
    everyone, end = np.arange(histories.n_customers), histories.offsets[1:]
    starts = {
        w: histories.offsets[:-1] if w == lookback_days else histories.history(everyone, cutoffs, w)[0]
        for w in window_lengths(lookback_days)
    }
    known = {field: ~np.isnan(values) for field, values in histories.values.items()}
    amounts = {field: np.where(known[field], values, 0.0) for field, values in histories.values.items()}
    yield from _recency(histories, cutoffs)
    yield from _calendar(cutoffs)
    for field, values in histories.values.items():
        yield from _values(field, values, known[field], amounts[field], histories.offsets)
    yield from _windows(amounts, {w: end - start for w, start in starts.items()}, starts, end, "")
    for position, name in enumerate(types):
        assert type_codes is not None
        of_type = type_codes == position + 2
        running = _running(of_type)
        counts = {w: running[end] - running[start] for w, start in starts.items()}
        chosen = {field: np.where(of_type, column, 0.0) for field, column in amounts.items()}
        yield from _windows(chosen, counts, starts, end, f"[{name}]")
        last = np.append(histories.times[of_type], MISSING_TIME)[running[end] - 1]
        last = np.where(counts[lookback_days] > 0, last, MISSING_TIME)
        yield f"recency[{name}]_days", age_days(last, cutoffs)


def _windows(
    amounts: Mapping[str, Numbers],
    counts: Mapping[int | None, Positions],
    starts: Mapping[int | None, Positions],
    end: Positions,
    brackets: str,
) -> Iterator[tuple[str, Numbers]]:
    """Yield counts and sums of each window; a window without events of the type has the sum 0."""
    for length, count in counts.items():
        yield f"count{brackets}_{_span(length)}", count.astype(np.float64)
    for field, column in amounts.items():
        for length, start in starts.items():
            begin = np.where(counts[length] > 0, start, end)
            yield f"sum({field}){brackets}_{_span(length)}", segment_reduce(np.add, column, begin, end)


def _span(length: int | None) -> str:
    return "lifetime" if length is None else f"{length}d"


def _recency(histories: EventLog, cutoffs: Instants) -> Iterator[tuple[str, Numbers]]:
    """Yield time since the last and the first event, distinct days, gaps and their regularity."""
    start, end, times = histories.offsets[:-1], histories.offsets[1:], histories.times
    some, several, second = end > start, end > start + 1, np.minimum(start + 1, end)
    last = histories.times_at(end - 1, some, MISSING_TIME)
    first = histories.times_at(start, some, MISSING_TIME)
    before_last = histories.times_at(end - 2, several, MISSING_TIME)
    recency, tenure = age_days(last, cutoffs), age_days(first, cutoffs)
    running = _running(np.diff(times // DAY, prepend=0) != 0)
    active = np.where(some, running[end] - running[second] + 1, 0).astype(np.float64)
    span = tenure - recency
    gap = np.where(active > 1, span / np.maximum(active - 1, 1), np.nan)
    gaps = np.diff(times, prepend=0) / DAY  # the first gap of a history is not used
    squares = segment_reduce(np.add, gaps**2, second, end)
    n_gaps = np.maximum(end - start - 1, 1)
    spread = np.sqrt(np.maximum(squares / n_gaps - (span / n_gaps) ** 2, 0))
    yield "recency_days", recency
    yield TENURE, tenure
    yield "active_days", active
    yield "active_rate", active / np.maximum(tenure, 1.0)
    yield "recency_share", np.where(tenure > 0, recency / np.where(tenure > 0, tenure, 1.0), np.nan)
    yield "mean_gap_days", gap
    yield "gap_spread_days", np.where(several, spread, np.nan)
    yield "last_gap_days", np.where(several, (last - before_last) / DAY, np.nan)
    yield "overdue", recency / np.maximum(gap, 1.0)


def _values(
    field: str, values: Numbers, known: NDArray[np.bool_], amounts: Numbers, offsets: Positions
) -> Iterator[tuple[str, Numbers]]:
    """Yield the last, largest and mean value of a numeric field."""
    start, end = offsets[:-1], offsets[1:]
    running = _running(known)
    count = running[end] - running[start]
    some = np.where(count > 0, start, end)
    total = segment_reduce(np.add, amounts, some, end)
    largest = segment_reduce(np.maximum, np.where(known, values, -np.inf), some, end)
    yield f"last({field})", np.append(values, np.nan)[np.where(end > start, end - 1, len(values))]
    yield f"largest({field})", np.where(count > 0, largest, np.nan)
    yield f"mean({field})", np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _calendar(cutoffs: Instants) -> Iterator[tuple[str, Numbers]]:
    """Yield season and weekday of the cutoff as sines and cosines."""
    for name, period_days, shift_days in (("year", 365.2425, 0.0), ("week", 7.0, 3.0)):
        angle = 2 * np.pi * ((cutoffs / DAY + shift_days) % period_days) / period_days
        yield f"cutoff_{name}_sin", np.sin(angle)
        yield f"cutoff_{name}_cos", np.cos(angle)


def _running(chosen: NDArray[np.bool_]) -> Positions:
    """(E + 1,) number of chosen ones before each position."""
    running = np.zeros(len(chosen) + 1, dtype=np.int64)
    np.cumsum(chosen, out=running[1:])
    return running
