"""Repeated numbers of a column: exact codes, and embeddings beside their value."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.features.encode import encode
from model.network.batch import gather
from model.network.network import Network, build_network
from model.schema import CategoricalColumn, NumericColumn, Schema
from model.store.manifest import HeadName
from model.values.columns import Column, column_of, texts_of
from model.values.customers import Examples
from tests.model.build import tiny_scaling
from tests.model.networks import HEADS, LOG, REPEATED, random_network, some_batch, spec

RATES = (-3.0, 0.1, 0.3, 5.0, 1e300)
SCHEMA = Schema(
    id=None,
    columns=(
        NumericColumn(name="rate", scaling=tiny_scaling(), values=RATES),
        CategoricalColumn(name="plan", vocabulary=("a", "b")),
        NumericColumn(name="plain", scaling=tiny_scaling()),
        NumericColumn(name="days", scaling=tiny_scaling(), values=(0.0, 7.0)),
    ),
)
CLOSE = (2.0, 2.001, 2.002)  # of one bin; the last is not repeated
ONE = Schema(id=None, columns=(NumericColumn(name="x", scaling=tiny_scaling(), values=CLOSE[:2]),))


def codes(rates: Column, days: Column | None = None) -> list[list[int]]:
    """The plan's code, then those of rate and days, for each row."""
    n = len(rates)
    nothing = column_of([None] * n)
    columns = {"rate": rates, "plan": column_of(["b"] * n), "plain": rates, "days": nothing}
    columns |= {} if days is None else {"days": days}
    examples = Examples(np.arange(n), np.zeros(n, dtype=np.int64))
    rows: list[list[int]] = encode(
        SCHEMA, columns, None, examples, lookback_days=9, with_steps=False
    ).categories.tolist()
    return rows


def rate_codes(rates: Column) -> list[int]:
    return [rate for _, rate, _ in codes(rates)]


def logits_of(network: Network, numbers: list[float]) -> torch.Tensor:
    """(B,) logits of customers with these numbers."""
    examples = Examples(np.arange(len(numbers)), np.zeros(len(numbers), dtype=np.int64))
    columns = {"x": column_of(numbers)}
    inputs = encode(ONE, columns, None, examples, lookback_days=9, with_steps=False)
    with torch.no_grad():
        logits: torch.Tensor = network(gather(inputs, torch.arange(len(numbers))))[:, 0]
    return logits


# --- codes


def test_codes_of_repeated_numbers_come_last_in_the_order_of_the_columns() -> None:
    assert codes(column_of([0.3, 5, 1]), column_of([7, 1, 0])) == [[3, 3, 2], [3, 4, 0], [3, 0, 1]]


@pytest.mark.parametrize(("rate", "code"), [(rate, code) for code, rate in enumerate(RATES, start=1)])
def test_a_repeated_number_has_a_code_of_its_own(rate: float, code: int) -> None:
    around = [np.nextafter(rate, -np.inf), rate, np.nextafter(rate, np.inf)]
    assert rate_codes(column_of(around)) == [0, code, 0]


@pytest.mark.parametrize("other", [-1e308, -3.5, 0.0, 0.2, 6, 1e301, 0.1 + 0.2])
def test_any_other_number_has_none(other: float) -> None:
    assert rate_codes(column_of([other])) == [0]


@pytest.mark.parametrize("missing", [None, float("nan"), float("inf"), "", "n/a", "soon", True])
def test_neither_has_what_is_missing_or_no_number(missing: object) -> None:
    assert rate_codes(column_of([missing])) == [0]
    assert rate_codes(column_of([missing, "0.3"])) == [0, 3]


def test_zero_is_zero_whatever_its_sign() -> None:
    assert [row[2] for row in codes(column_of([1, 1]), column_of([-0.0, 0]))] == [1, 1]


@pytest.mark.parametrize(
    ("cell", "number"),
    [("0.1", 0.1), (" 0.10 ", 0.1), ("1e-1", 0.1), ("5", 5), ("5.0", 5.0), ("1e300", 1e300)],
)
def test_the_cell_of_a_file_is_the_number_of_a_request(cell: str, number: float) -> None:
    """Files with a word in the column keep texts, others and requests have numbers."""
    of_file = texts_of(np.array([0, 1]), [cell, "unknown"])
    assert rate_codes(of_file)[0] == rate_codes(column_of([number]))[0] > 0


numbers = st.one_of(st.sampled_from(RATES), st.floats(), st.none())


@given(st.lists(numbers, max_size=8))
def test_a_code_says_which_number_it_is(cells: list[float | None]) -> None:
    for cell, code in zip(cells, rate_codes(column_of(cells)), strict=True):
        assert code == (RATES.index(cell) + 1 if cell in RATES else 0)


def test_they_follow_the_codes_of_the_last_event() -> None:
    batch = some_batch("log", 40)
    assert batch.categories.shape[1] == len(LOG.categorical) + 2 + 1  # the last type and shop, the tenure
    assert set(batch.categories[:, -1].tolist()) == set(range(len(REPEATED) + 1))


# --- what the network makes of them


@pytest.mark.parametrize("head", HEADS)
def test_repeated_neighbours_are_one_at_first_and_may_become_different(head: HeadName) -> None:
    torch.manual_seed(0)
    network = build_network(spec(head), ONE, n_outputs=1).eval()
    fresh = logits_of(network, list(CLOSE))
    assert fresh.max() - fresh.min() < 1e-3
    with torch.no_grad():
        network.tokens.categories.weight[:, 1] = 9.0  # code 1, of the first
        network.tokens.categories.weight[:, 2] = -9.0
    first, second, other = logits_of(network, list(CLOSE))
    assert torch.equal(other, fresh[2])
    assert min(abs(first - second), abs(first - other), abs(second - other)) > 1e-2


@pytest.mark.parametrize("head", HEADS)
def test_without_the_piecewise_code_repeated_numbers_are_not_read(head: HeadName) -> None:
    plain = random_network(head, "log", piecewise=False)
    coded, batch = random_network(head, "log"), some_batch("log")
    other = replace(batch, categories=batch.categories.clone())
    other.categories[:, -1] = (batch.categories[:, -1] + 1) % len(REPEATED)
    assert torch.equal(plain(other), plain(batch))
    assert ((coded(other) - coded(batch)).abs() > 1e-6).all()
    assert plain.tokens.numeric.weight.shape[2] == 1  # the number itself
    assert plain.tokens.categories.weight.shape[1] == (2 + 2) + (2 + 2) + (1 + 2)
