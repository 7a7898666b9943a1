"""Aggregates of a history at a cutoff: counts, sums, recency, regularity, last and largest values.

Training, batch scoring and live requests call the same function. Each sum runs over the events of one
customer in order, so that a feature is the same to the last bit whatever other customers the log has.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.times import DAY, MISSING_TIME, Instants, age_days, days
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
    windows, owners, N = window_lengths(lookback_days), histories.owners, len(cutoffs)
    edges = [days(length) for length in windows[:-1] if length is not None]
    shortest = np.searchsorted(edges, cutoffs[owners] - histories.times, side="right")
    known = {field: ~np.isnan(values) for field, values in histories.values.items()}
    amounts = {field: np.where(known[field], values, 0.0) for field, values in histories.values.items()}

    def summed(kinds: int | NDArray[np.int64], n_kinds: int, weights: Numbers | None = None) -> Numbers:
        """(W, n_kinds, N) sums of each window, or counts, over the events of each kind."""
        cells = (shortest * n_kinds + kinds) * N + owners
        sums = np.bincount(cells, weights, len(windows) * n_kinds * N).reshape(len(windows), n_kinds, N)
        return np.cumsum(sums, axis=0, dtype=np.float64)

    yield from _recency(histories, owners, cutoffs)
    yield from _calendar(cutoffs)
    counts = summed(0, 1)
    sums = {field: summed(0, 1, column) for field, column in amounts.items()}
    for field, values in histories.values.items():
        yield from _values(field, values, known[field], sums[field][-1, 0], histories.offsets, owners)
    yield from _windows(windows, counts[:, 0], {field: s[:, 0] for field, s in sums.items()}, "")
    if type_codes is None:
        return
    n_kinds = len(types) + 2
    counts = summed(type_codes, n_kinds)
    sums = {field: summed(type_codes, n_kinds, column) for field, column in amounts.items()}
    last = np.full(n_kinds * N, MISSING_TIME)
    np.maximum.at(last, type_codes * N + owners, histories.times)
    recency = age_days(last.reshape(n_kinds, N), cutoffs)
    for code, name in enumerate(types, start=2):
        of_type = {field: s[:, code] for field, s in sums.items()}
        yield from _windows(windows, counts[:, code], of_type, f"[{name}]")
        yield f"recency[{name}]_days", recency[code]


def _windows(
    windows: Sequence[int | None], counts: Numbers, sums: Mapping[str, Numbers], brackets: str
) -> Iterator[tuple[str, Numbers]]:
    """Yield the (W, N) counts and sums of each window."""
    spans = ["lifetime" if length is None else f"{length}d" for length in windows]
    for span, count in zip(spans, counts, strict=True):
        yield f"count{brackets}_{span}", count
    for field, columns in sums.items():
        for span, column in zip(spans, columns, strict=True):
            yield f"sum({field}){brackets}_{span}", column


def _recency(histories: EventLog, owners: Positions, cutoffs: Instants) -> Iterator[tuple[str, Numbers]]:
    """Yield time since the last and the first event, distinct days, gaps and their regularity."""
    start, end, times = histories.offsets[:-1], histories.offsets[1:], histories.times
    some, several = end > start, end > start + 1
    last = histories.times_at(end - 1, some, MISSING_TIME)
    first = histories.times_at(start, some, MISSING_TIME)
    before_last = histories.times_at(end - 2, several, MISSING_TIME)
    recency, tenure = age_days(last, cutoffs), age_days(first, cutoffs)
    new_day, gaps = np.diff(times // DAY, prepend=0) != 0, np.diff(times, prepend=0) / DAY
    new_day[start[some]], gaps[start[some]] = True, 0.0  # there is no event before the first
    active = np.bincount(owners[new_day], minlength=len(cutoffs)).astype(np.float64)
    span = tenure - recency
    gap = np.where(active > 1, span / np.maximum(active - 1, 1), np.nan)
    squares = np.bincount(owners, gaps**2, len(cutoffs))
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
    field: str,
    values: Numbers,
    known: NDArray[np.bool_],
    total: Numbers,
    offsets: Positions,
    owners: Positions,
) -> Iterator[tuple[str, Numbers]]:
    """Yield the last, largest and mean value of a numeric field."""
    start, end = offsets[:-1], offsets[1:]
    count = np.bincount(owners[known], minlength=len(start))
    largest = np.full(len(start), -np.inf)
    np.maximum.at(largest, owners[known], values[known])
    yield f"last({field})", np.append(values, np.nan)[np.where(end > start, end - 1, len(values))]
    yield f"largest({field})", np.where(count > 0, largest, np.nan)
    yield f"mean({field})", np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _calendar(cutoffs: Instants) -> Iterator[tuple[str, Numbers]]:
    """Yield season and weekday of the cutoff as sines and cosines."""
    for name, period_days, shift_days in (("year", 365.2425, 0.0), ("week", 7.0, 3.0)):
        angle = 2 * np.pi * ((cutoffs / DAY + shift_days) % period_days) / period_days
        yield f"cutoff_{name}_sin", np.sin(angle)
        yield f"cutoff_{name}_cos", np.cos(angle)
