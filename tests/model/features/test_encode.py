"""The inputs of an example depend on its own history only, to the last bit."""

from typing import Any

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.features.scaling import scale
from model.features.sequence import AGE, GAP, STEP_NUMBERS
from model.times import days
from model.values.columns import Column, column_of, take
from tests.model.examples import CELLS, EVENTS, FEATURES, LOOKBACK, N_COLUMNS, SCALING, batch_of, bits
from tests.strategies import TYPES, Event, event_lists, instants, log_of, within

# --- nothing but the past


@given(event_lists, event_lists, st.integers(0, 3), instants)
def test_no_tensor_depends_on_later_older_or_other_events(
    listed: list[Event], others: list[Event], customer: int, cutoff: int
) -> None:
    after = cutoff - days(LOOKBACK)
    outside = [e for e in others if e.customer != customer or e.time > cutoff or e.time <= after]
    outside += [Event(customer, cutoff + 1, "buy", 7.0), Event(customer, after, "visit", 9.0)]
    outside += [Event(other, cutoff, "buy", 11.0) for other in range(4) if other != customer]
    history = within(listed, customer, after, cutoff)
    alone = batch_of(log_of(history), [(customer, cutoff)])
    assert int(alone.lengths[0]) == min(len(history), EVENTS.max_events)
    assert torch.isnan(alone.steps[0, :1, GAP]).all()
    for crowd in (history + outside, outside + history, listed):
        assert bits(batch_of(log_of(crowd), [(customer, cutoff)]), 0) == bits(alone, 0)


@given(event_lists, st.lists(st.tuples(st.integers(0, 3), instants), min_size=2, max_size=6))
def test_no_tensor_depends_on_other_examples(listed: list[Event], pairs: list[tuple[int, int]]) -> None:
    log = log_of(listed)
    together = batch_of(log, pairs)
    for row, one in enumerate(pairs):
        assert bits(together, row) == bits(batch_of(log, [one]), 0)


@given(event_lists, st.integers(0, 3), instants)
def test_customers_may_be_encoded_in_shards(listed: list[Event], customer: int, cutoff: int) -> None:
    part = {name: column_of([cells[customer]]) for name, cells in CELLS.items()}
    whole = batch_of(log_of(listed), [(customer, cutoff)])
    shard = batch_of(log_of(listed).part(customer, customer + 1), [(0, cutoff)], columns=part)
    assert bits(shard, 0) == bits(whole, 0)


def test_a_crowd_is_encoded_as_each_of_it_alone() -> None:
    """Long arrays go through other machine instructions than short ones."""
    draw = np.random.default_rng(0)
    listed = [
        Event(int(c), int(t), TYPES[k], float(a))
        for c, t, k, a in zip(
            draw.integers(0, 20, 400),
            draw.integers(0, days(40), 400),
            draw.integers(0, 3, 400),
            draw.normal(0, 100, 400),
            strict=True,
        )
    ]
    log, columns = log_of(listed, 20), {name: column_of([*cells] * 5) for name, cells in CELLS.items()}
    pairs = [
        (int(c), int(t))
        for c, t in zip(draw.integers(0, 20, 60), draw.integers(0, days(40), 60), strict=True)
    ]
    together = batch_of(log, pairs, columns=columns)
    for row, (customer, cutoff) in enumerate(pairs):
        own = {name: take(column, slice(customer, customer + 1)) for name, column in columns.items()}
        alone = batch_of(log.part(customer, customer + 1), [(0, cutoff)], columns=own)
        assert bits(together, row) == bits(alone, 0)


cells = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.floats(), st.sampled_from(["3", "yes"]))
dates = st.sampled_from([None, "1970-01-05", "1970-01-20T06:00", "soon", 19700105])


@given(cells, dates, st.lists(st.tuples(cells, dates), max_size=4))
def test_no_tensor_depends_on_the_cells_of_others(
    own: Any, since: Any, others: list[tuple[Any, Any]]
) -> None:
    def columns(rows: list[tuple[Any, Any]]) -> dict[str, Column]:
        values, times = column_of(r[0] for r in rows), column_of(r[1] for r in rows)
        return {"plan": values, "tenure": values, "senior": values, "since": times}

    alone = batch_of(log_of([], 1), [(0, days(30))], columns=columns([(own, since)]))
    crowd = columns([*others, (own, since)])
    log = log_of([], len(others) + 1)
    assert bits(batch_of(log, [(len(others), days(30))], columns=crowd), 0) == bits(alone, 0)


# --- the history


def test_the_history_ends_with_the_cutoff_and_begins_behind_the_lookback() -> None:
    cutoff = days(30)
    times = (cutoff - days(LOOKBACK), cutoff - days(LOOKBACK) + 1, cutoff, cutoff + 1)
    batch = batch_of(log_of([Event(0, t, "buy", 1.0) for t in times]), [(0, cutoff)])
    ages = batch.steps[0, :, AGE]
    np.testing.assert_allclose(ages, [np.log1p(LOOKBACK), 0], rtol=1e-6)
    assert ages[-1] == 0


def test_of_a_long_history_the_latest_events_are_kept_as_steps() -> None:
    listed = [Event(0, days(day), "buy", float(day)) for day in range(1, 8)]
    batch = batch_of(log_of(listed), [(0, days(8)), (0, days(3))])
    assert batch.lengths.tolist() == [4, 3]
    amounts = torch.from_numpy(scale(np.arange(1.0, 8.0), SCALING))
    value = len(STEP_NUMBERS)
    assert torch.equal(batch.steps[0, :, value], amounts[3:])
    assert torch.equal(batch.steps[1, :3, value], amounts[:3])
    np.testing.assert_allclose(batch.steps[0, :, GAP], [np.nan, *[np.log1p(1)] * 3], rtol=1e-6)
    counted = batch.numeric[:, N_COLUMNS + FEATURES.index("count_20d")]
    assert counted.tolist() == scale(np.array([7.0, 3.0]), SCALING).tolist()


def test_the_last_event_gives_its_codes() -> None:
    listed = [
        Event(0, days(1), "buy", 1.0),
        Event(0, days(2), "visit", 1.0),
        Event(1, days(3), "cancel", 1.0),
    ]
    pairs = [(0, days(1)), (0, days(2)), (1, days(4)), (2, days(4)), (0, days(30))]
    last = batch_of(log_of(listed), pairs).categories[:, 1]
    assert last.tolist() == [3, 2, 1, 0, 0]


def test_a_log_without_any_event() -> None:
    batch = batch_of(log_of([]), [(0, days(3)), (1, days(9))])
    assert batch.steps.shape == (2, 0, len(STEP_NUMBERS) + 1)
    assert batch.lengths.tolist() == [0, 0]
    assert batch.categories[:, 1].tolist() == [0, 0]
