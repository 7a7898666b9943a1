"""A schema's statistics come from the training examples alone, and are finite whatever those hold."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.features.scaling import scale
from model.schema import NumericColumn, Schema
from model.times import DAY
from model.values.columns import Column, column_of
from model.values.customers import Examples
from model.values.history import EventLog
from tests.strategies import Event, log_of
from training.schema.fit_schema import (
    BINS,
    MAX_TYPES,
    MIN_CUSTOMERS,
    MIN_ROWS,
    ModelFields,
    fit_scaling,
    fit_schema,
)
from training.schema.kinds import Kind
from training.study.sections import EventsSource

EVENTS = EventsSource(path="-", id="id", time="at", type="type", values=("amount",))
KINDS: dict[str, Kind] = {"spent": "numeric", "senior": "boolean", "since": "date", "plan": "categorical"}


def asked(customers: Sequence[int], cutoffs: Sequence[int]) -> Examples:
    return Examples(np.array(customers, dtype=np.int64), np.array(cutoffs, dtype=np.int64))


def of_table(
    columns: Mapping[str, Column],
    examples: Examples,
    kinds: Mapping[str, Kind] = KINDS,
    **series: Sequence[str],
) -> Schema:
    fields = ModelFields(id=None, kinds=kinds, date_formats=dict.fromkeys(kinds), series=series)
    return fit_schema(fields, columns, None, examples, lookback_days=30)


def of_log(log: EventLog, examples: Examples, **changes: Any) -> Schema:
    fields = ModelFields(None, {}, events=EVENTS.model_copy(update=changes), max_events=9)
    return fit_schema(fields, {}, log, examples, lookback_days=30)


def table(n: int = 60) -> dict[str, list[Any]]:
    draw = np.random.default_rng(0)
    return {
        "spent": draw.normal(50, 9, n).tolist(),
        "senior": (draw.random(n) < 0.3).tolist(),
        "since": [f"2020-01-{1 + n % 28:02}" for n in range(n)],
        "plan": [f"plan {n % 3}" for n in range(n)],
    }


def columns_of(values: Mapping[str, list[Any]]) -> dict[str, Column]:
    return {name: column_of(column) for name, column in values.items()}


@pytest.mark.parametrize(
    "change",
    [{"spent": 1e9}, {"spent": None}, {"senior": True}, {"since": "1950-01-01"}, {"plan": "other"}],
    ids=str,
)
def test_what_a_test_row_holds_changes_nothing(change: dict[str, Any]) -> None:
    values = table()
    training, everyone = asked(range(40), [18_500 * DAY] * 40), asked(range(60), [18_500 * DAY] * 60)
    before, before_all = of_table(columns_of(values), training), of_table(columns_of(values), everyone)
    (name, value) = next(iter(change.items()))
    values[name][40:] = [value] * 20
    assert of_table(columns_of(values), training) == before
    assert of_table(columns_of(values), everyone) != before_all


def test_events_of_others_and_events_after_the_last_cutoff_change_nothing() -> None:
    events = [Event(c, day * DAY, "buy", day + c) for c in range(6) for day in range(0, 40, 3)]
    unseen = [Event(5, 2 * DAY, "cancel", 1e9), Event(0, 31 * DAY, "visit", -1e9)]
    training = asked([*range(5), 0], [20 * DAY] * 5 + [30 * DAY])
    assert of_log(log_of([*events, *unseen], 6), training) == of_log(log_of(events, 6), training)
    seen = [Event(0, 30 * DAY, "buy", 1e9)]
    assert of_log(log_of([*events, *seen], 6), training) != of_log(log_of(events, 6), training)


def test_categories_of_few_customers_are_unknown_and_the_widespread_come_first() -> None:
    plans = ["rare"] * (MIN_CUSTOMERS - 1) + ["some"] * MIN_CUSTOMERS + ["most"] * 20 + [None] * 9
    schema = of_table(
        {"plan": column_of(plans)}, asked(range(len(plans)), [0] * len(plans)), {"plan": "categorical"}
    )
    assert schema.categorical[0].vocabulary == ("most", "some")


def test_a_customer_asked_about_often_does_not_make_its_category_known() -> None:
    plans = ["mine alone", *["gold"] * 9]
    examples = asked([*[0] * 50, *range(1, 10)], range(59))
    schema = of_table({"plan": column_of(plans)}, examples, {"plan": "categorical"})
    assert schema.categorical[0].vocabulary == ("gold",)


def test_an_event_type_of_few_customers_is_unknown_however_often_it_comes() -> None:
    events = [Event(c, c * DAY, "buy", 1.0) for c in range(9)]
    events += [Event(0, day * DAY, "cancel", 1.0) for day in range(30)]
    schema = of_log(log_of(events, 9), asked(range(9), [40 * DAY] * 9))
    assert schema.events
    assert schema.events.type
    assert schema.events.type.vocabulary == ("buy",)


def test_at_most_so_many_types_get_aggregates_of_their_own() -> None:
    kinds = [f"kind {n}" for n in range(MAX_TYPES + 3)]
    n = len(kinds) * MIN_CUSTOMERS
    log = EventLog.build(
        np.arange(n),
        np.arange(n) % 7 * DAY,
        n_customers=n,
        values={},
        categories={"type": column_of([kinds[i % len(kinds)] for i in range(n)])},  # type: ignore[dict-item]
    )
    schema = of_log(log, asked(range(n), [9 * DAY] * n), values=[])
    assert schema.events
    assert schema.events.type
    assert len(schema.events.type.vocabulary) == MAX_TYPES


def features(cutoffs: Sequence[int]) -> set[str]:
    """Names of the aggregates that are kept, of customers who buy daily and are asked at these days."""
    events = [Event(c, day * DAY + c, "buy", day * 0.5) for c in range(6) for day in range(0, 800, 1 + c)]
    customers = [c for _ in cutoffs for c in range(6)]
    schema = of_log(log_of(events, 6), asked(customers, [day * DAY for day in cutoffs for _ in range(6)]))
    assert schema.events
    return {feature.name for feature in schema.events.features}


def test_the_season_is_read_only_if_two_years_of_cutoffs_were_seen() -> None:
    within, over = features(range(30, 759, 27)), features(range(30, 761, 73))
    season = {f"cutoff_{circle}_{part}" for circle in ("year", "week") for part in ("sin", "cos")}
    assert not season & within
    assert season <= over


def test_aggregates_are_read_linearly_and_columns_piece_by_piece() -> None:
    events = [Event(c, day * DAY, "buy", 0.5 + day) for c in range(30) for day in range(0, 90, 1 + c)]
    schema = of_log(log_of(events, 30), asked(range(30), [90 * DAY] * 30))
    assert schema.events
    assert {feature.scaling.edges for feature in schema.events.features} == {()}
    assert all(value.scaling.edges for value in schema.events.values)


def test_aggregates_that_never_vary_are_dropped() -> None:
    kept = features([100, 200])
    assert {"count_30d", "recency_days", "sum(amount)_7d"} <= kept
    assert {f for f in kept if "visit" in f or "cancel" in f} == set()
    constant = of_log(log_of([Event(c, 0, "buy", 1.0) for c in range(6)], 6), asked(range(6), [DAY] * 6))
    assert constant.events
    assert constant.events.features == ()


@given(st.lists(st.floats(), max_size=40))
def test_a_scaling_is_finite_whatever_the_numbers_are(numbers: list[float]) -> None:
    values = np.array(numbers, dtype=np.float64)
    scaling = fit_scaling(values)  # a number that is not finite would be refused by the schema
    known = values[np.isfinite(values)]
    assert np.isfinite(scale(known, scaling)).all()
    assert np.isnan(scale(np.array([np.nan]), scaling)).all()
    assert (np.diff(scaling.edges) > 0).all()
    if len(known):
        assert (scaling.low, scaling.high) == (known.min(), known.max())
        assert scaling.low <= scaling.median <= scaling.high


@pytest.mark.parametrize(
    "numbers",
    [[], [np.nan] * 5, [3.0] * 5, [0.0] * 99 + [1e6], [1e300, -1e300, 0.0], [5e-324, 0.0]],
    ids=["none", "all missing", "constant", "mostly one value", "huge", "tiny"],
)
def test_odd_columns_have_inputs_of_a_usual_size(numbers: list[float]) -> None:
    values = np.array(numbers)
    scaled = scale(values, fit_scaling(values))
    assert np.abs(scaled[~np.isnan(scaled)]).max(initial=0.0) < 15


def test_heavy_tails_neither_dominate_nor_saturate() -> None:
    values = np.random.default_rng(0).lognormal(0, 3, 10_000)
    scaling = fit_scaling(values)
    scaled = scale(values, scaling)
    assert (scaled.mean(), scaled.std()) == pytest.approx((0.0, 1.0), abs=0.01)
    assert np.abs(scaled).max() < 8
    assert (np.diff(np.sort(scaled)) >= 0).all()
    assert len(np.unique(scaled)) > 9_900
    assert len(scaling.edges) == BINS + 1
    assert np.histogram(scaled, scaling.edges)[0] == pytest.approx([10_000 / BINS] * BINS, abs=3)


def test_a_series_is_scaled_alike_in_all_its_steps() -> None:
    values = {"bill_1": column_of([0.0, 1.0, -9.0]), "bill_2": column_of([2.0, 3.0, 99.0])}
    kinds: dict[str, Kind] = {"bill_1": "numeric", "bill_2": "numeric"}
    schema = of_table(values, asked([0, 1], [0, 0]), kinds, bill=["bill_1", "bill_2"])
    (series,) = schema.series
    assert series.columns == ("bill_1", "bill_2")
    assert (series.scaling.low, series.scaling.median, series.scaling.high) == (0.0, 1.5, 3.0)
    assert [column.scaling.high for column in schema.numeric] == [1.0, 3.0]


def test_a_date_is_read_as_its_age_and_one_to_come_as_missing() -> None:
    dates = column_of(["1970-01-11", "1970-01-21", "1970-02-10"])
    schema = of_table({"since": dates}, asked([0, 1, 2], [30 * DAY] * 3), {"since": "date"})
    scaling = schema.numeric[0].scaling
    assert (scaling.low, scaling.high) == (10.0, 20.0)


def values_of(numbers: Sequence[float | None], examples: Examples | None = None) -> tuple[float, ...]:
    """The numbers of a column that are known by themselves."""
    everybody = asked(range(len(numbers)), [0] * len(numbers))
    schema = of_table({"price": column_of(list(numbers))}, examples or everybody, {"price": "numeric"})
    [column] = schema.columns
    assert isinstance(column, NumericColumn)
    return column.values


def tariff(n_prices: int, n_each: int) -> list[float]:
    """So many customers for each price; the prices are scattered."""
    prices = np.random.default_rng(0).permutation(np.repeat(np.arange(n_prices) ** 1.5, n_each))
    return [float(price) for price in prices]


def test_numbers_that_many_share_are_known_by_themselves_in_order() -> None:
    found = values_of(tariff(2 * BINS + 1, MIN_ROWS))
    assert found == tuple((np.arange(2 * BINS + 1) ** 1.5).tolist())


@pytest.mark.parametrize(("n_prices", "n_each"), [(2 * BINS, MIN_ROWS + 9), (2 * BINS + 30, MIN_ROWS - 1)])
def test_numbers_that_bins_tell_apart_or_that_few_share_are_not(n_prices: int, n_each: int) -> None:
    assert values_of(tariff(n_prices, n_each)) == ()


@pytest.mark.parametrize("rest", ["their own", "missing", "infinite"])
def test_where_most_rows_have_another_number_or_none_there_are_no_such_numbers(rest: str) -> None:
    shared = tariff(60, MIN_ROWS)
    others: dict[str, list[float | None]] = {
        "their own": (0.5 + np.arange(len(shared) + 1)).tolist(),
        "missing": [None] * (len(shared) + 1),
        "infinite": [math.inf] * (len(shared) + 1),
    }
    assert values_of([*shared, *others[rest][:-1]]) == tuple((np.arange(60) ** 1.5).tolist())
    assert values_of([*shared, *others[rest]]) == ()


def test_only_training_customers_share_numbers() -> None:
    prices = tariff(60, MIN_ROWS)
    late = [*prices, *([99.5] * 500)]
    known = asked(range(len(prices)), [0] * len(prices))
    assert values_of(late, known) == values_of(prices)
    assert 99.5 in values_of(late)


def test_a_number_of_one_customer_is_not_shared_however_often_it_is_asked_about() -> None:
    customers = np.repeat(np.arange(200), MIN_ROWS)
    assert values_of(np.arange(200.0).tolist(), asked(customers.tolist(), [0] * len(customers))) == ()
