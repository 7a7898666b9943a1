"""The purchase model: what it reads against a naive count, its parameters, and its probabilities."""

import csv
import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.times import DAY
from model.values.customers import Examples
from tests.strategies import Event, event_lists, log_of
from tests.training.baselines.worlds import needs_lifetimes, purchase_log
from training.baselines.pareto_nbd import (
    BtydError,
    ParetoNbd,
    Purchases,
    buys_within,
    fit_pareto_nbd,
    purchases,
)

CDNOW = ParetoNbd(r=0.553, alpha=10.578, s=0.606, beta=11.669)  # per week; Fader, Hardie and Lee 2005


def naive(listed: Sequence[Event], customer: int, cutoff: int) -> tuple[int, int, int]:
    """Frequency, recency and age of one customer, by the words of their definitions."""
    bought = sorted({e.time // DAY for e in listed if e.customer == customer and e.time <= cutoff})
    if not bought:
        return -1, 0, 0
    return len(bought) - 1, bought[-1] - bought[0], cutoff // DAY - bought[0]


def of(*rows: tuple[int, int, int]) -> Purchases:
    return Purchases(*np.array(rows, dtype=np.int64).T)


@given(event_lists, st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 42 * DAY)), min_size=1, max_size=9))
def test_frequency_recency_and_age_agree_with_a_naive_count(
    listed: list[Event], questions: list[tuple[int, int]]
) -> None:
    about = Examples(np.array([c for c, _ in questions]), np.array([t for _, t in questions], dtype=np.int64))
    found = purchases(log_of(listed), about)
    rows = np.stack([found.frequency, found.recency, found.age], axis=1).tolist()
    assert [tuple(row) for row in rows] == [naive(listed, *question) for question in questions]


@needs_lifetimes
def test_the_parameters_of_cdnow_are_the_published_ones() -> None:
    spec = importlib.util.find_spec("lifetimes")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "datasets" / "cdnow_customers_summary.csv"
    with path.open(encoding="utf-8") as file:
        weeks = [(int(r["frequency"]), float(r["recency"]), float(r["T"])) for r in csv.DictReader(file)]
    found = fit_pareto_nbd(of(*((x, round(7 * last), round(7 * age)) for x, last, age in weeks)), seed=0)
    assert found.r == pytest.approx(CDNOW.r, rel=0.01)
    assert found.alpha / 7 == pytest.approx(CDNOW.alpha, rel=0.01)
    assert found.s == pytest.approx(CDNOW.s, rel=0.01)
    assert found.beta / 7 == pytest.approx(CDNOW.beta, rel=0.01)


@needs_lifetimes
def test_parameters_that_a_log_was_drawn_with_are_found() -> None:
    log = purchase_log(3000, seed=0)
    found = fit_pareto_nbd(purchases(log, Examples(np.arange(3000), np.full(3000, 350 * DAY))), seed=0)
    assert found.r == pytest.approx(1, rel=0.25)
    assert found.alpha == pytest.approx(20, rel=0.25)
    assert found.s == pytest.approx(1, rel=0.4)
    assert found.beta == pytest.approx(100, rel=0.5)


@needs_lifetimes
def test_a_probability_is_the_share_of_drawn_customers_with_that_history_who_buy() -> None:
    draw, n = np.random.default_rng(0), 2_000_000
    model = ParetoNbd(r=1.0, alpha=20.0, s=1.0, beta=60.0)
    rate, life = (
        draw.gamma(model.r, 1 / model.alpha, n),
        draw.exponential(1 / draw.gamma(1, 1 / model.beta, n)),
    )
    first = draw.exponential(1 / rate)
    second = first + draw.exponential(1 / rate)
    again = second < life
    once = (np.abs(first - 20) < 2) & (first < life) & ~(again & (second <= 50))
    buys = once & again & (second <= 80)
    expected = buys.sum() / once.sum()
    (found,) = buys_within(model, of((1, 20, 50)), [30])[:, 0]
    assert once.sum() > 20_000
    assert found == pytest.approx(expected, abs=0.01)


@needs_lifetimes
def test_who_bought_lately_and_often_buys_again() -> None:
    lately, once, long_ago = buys_within(CDNOW, of((6, 36, 38), (0, 0, 38), (20, 12, 38)), [4, 12])
    assert (lately > once).all()
    assert (once > long_ago).all()
    assert lately[0] < lately[1]
    assert once[0] < once[1]


@needs_lifetimes
def test_customers_beyond_the_formula_are_refused() -> None:
    with pytest.raises(BtydError, match=r"its likelihood overflows for 1 of 2 customers"):
        buys_within(ParetoNbd(1.0, 0.001, 1.0, 1000.0), of((0, 0, 9), (5000, 20, 21)), [30])


@needs_lifetimes
def test_a_log_in_which_nobody_buys_twice_is_refused() -> None:
    text = (
        r"^BTYD \(Pareto/NBD\) is left out: it needs customers with purchases on two days, got none of 2\.$"
    )
    with pytest.raises(BtydError, match=text):
        fit_pareto_nbd(of((0, 0, 9), (0, 0, 21)), seed=0)
