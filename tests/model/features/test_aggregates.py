"""History features agree with a naive computation and depend on the history only."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.features.aggregates import history_features, window_lengths
from model.times import DAY, days
from model.values.columns import as_codes
from tests.strategies import TYPES, Event, event_lists, instants, log_of, within

LONG_AGO = -(10**18)
lookbacks = st.sampled_from([20, None])


def history(listed: list[Event], customer: int, cutoff: int, lookback: int | None) -> list[Event]:
    return within(listed, customer, LONG_AGO if lookback is None else cutoff - days(lookback), cutoff)


def features_of(listed: list[Event], customer: int, cutoff: int, lookback: int | None) -> dict[str, float]:
    log = log_of(listed)
    raw = history_features(
        log,
        np.array([customer]),
        np.array([cutoff]),
        lookback_days=lookback,
        type_codes=as_codes(log.categories["type"], TYPES),
        types=TYPES,
    )
    return {name: float(column[0]) for name, column in raw.items()}


@given(event_lists, st.integers(0, 3), instants, lookbacks)
def test_counts_sums_and_recency_are_those_of_a_naive_count(
    listed: list[Event], customer: int, cutoff: int, lookback: int | None
) -> None:
    got = features_of(listed, customer, cutoff, lookback)
    for length in window_lengths(lookback):
        inside, span = history(listed, customer, cutoff, length), f"{length}d" if length else "lifetime"
        assert got[f"count_{span}"] == len(inside)
        assert got[f"sum(amount)_{span}"] == pytest.approx(_total(inside))
        for kind in TYPES:
            of_kind = [e for e in inside if e.type == kind]
            assert got[f"count[{kind}]_{span}"] == len(of_kind)
            assert got[f"sum(amount)[{kind}]_{span}"] == pytest.approx(_total(of_kind))
    read = history(listed, customer, cutoff, lookback)
    assert got["active_days"] == len({e.time // DAY for e in read})
    for kind in TYPES:
        ages = [(cutoff - e.time) / DAY for e in read if e.type == kind]
        assert got[f"recency[{kind}]_days"] == pytest.approx(min(ages, default=math.nan), nan_ok=True)


@given(event_lists, st.integers(0, 3), instants, lookbacks)
def test_order_and_value_features_are_those_of_a_naive_computation(
    listed: list[Event], customer: int, cutoff: int, lookback: int | None
) -> None:
    got = features_of(listed, customer, cutoff, lookback)
    read = history(listed, customer, cutoff, lookback)
    amounts = [e.amount for e in read if not math.isnan(e.amount)]
    times = [e.time / DAY for e in read]
    gaps = np.diff(times)
    wanted = {
        "recency_days": cutoff / DAY - times[-1] if times else math.nan,
        "tenure_days": cutoff / DAY - times[0] if times else math.nan,
        "last(amount)": read[-1].amount if read else math.nan,
        "largest(amount)": max(amounts, default=math.nan),
        "mean(amount)": float(np.mean(amounts)) if amounts else math.nan,
        "last_gap_days": float(gaps[-1]) if len(gaps) else math.nan,
        "gap_spread_days": float(gaps.std()) if len(gaps) else math.nan,
    }
    for name, value in wanted.items():
        assert got[name] == pytest.approx(value, nan_ok=True, abs=1e-5), name


@given(event_lists, event_lists, st.integers(0, 3), instants, lookbacks)
def test_no_feature_depends_on_later_older_or_other_events(
    listed: list[Event], others: list[Event], customer: int, cutoff: int, lookback: int | None
) -> None:
    read = history(listed, customer, cutoff, lookback)
    outside = [e for e in others if e not in history(others, customer, cutoff, lookback)]
    alone, crowded = (features_of(one, customer, cutoff, lookback) for one in (read, read + outside))
    assert all(np.array_equal(alone[n], crowded[n], equal_nan=True) for n in alone)


def test_an_empty_history_counts_nothing_and_knows_no_times() -> None:
    got = features_of([], 0, 5 * DAY, None)
    assert got["count_lifetime"] == got["active_days"] == 0
    assert math.isnan(got["recency_days"])
    assert math.isnan(got["last(amount)"])


@given(event_lists, st.lists(st.tuples(st.integers(0, 3), instants), max_size=12), lookbacks)
def test_examples_may_be_computed_in_blocks(
    listed: list[Event], pairs: list[tuple[int, int]], lookback: int | None
) -> None:
    """The same to the last bit, in any order, and where a customer comes several times."""
    log = log_of(listed)

    def computed() -> dict[str, np.ndarray]:
        customers, cutoffs = (np.array([a[i] for a in pairs], dtype=np.int64) for i in range(2))
        codes = as_codes(log.categories["type"], TYPES)
        return history_features(
            log, customers, cutoffs, lookback_days=lookback, type_codes=codes, types=TYPES
        )

    with pytest.MonkeyPatch.context() as patch:
        whole = computed()
        patch.setattr("model.features.aggregates._BLOCK", 5)
        blocks = computed()
    assert list(whole) == list(blocks)
    assert all(np.array_equal(whole[name], blocks[name], equal_nan=True) for name in whole)


def test_windows_end_with_the_lookback() -> None:
    assert window_lengths(365) == (7, 30, 90, 180, 365)
    assert window_lengths(30) == (7, 30)
    assert window_lengths(3) == (3,)
    assert window_lengths(None) == (7, 30, 90, 180, 365, None)


def _total(listed: list[Event]) -> float:
    return sum(e.amount for e in listed if not math.isnan(e.amount))
