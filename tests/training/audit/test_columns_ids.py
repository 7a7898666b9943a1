"""Columns that name rows; measurements and counts, however rarely equal, are none."""

import numpy as np
import pytest

from model.values.columns import Column, Texts
from training.audit.columns import near_unique
from training.schema.kinds import Kind

rng = np.random.default_rng(0)
N = 1_000
ROWS = np.arange(N)


def is_near_unique(column: Column, kind: Kind = "numeric") -> bool:
    return near_unique("x", column, kind, ROWS) is not None


@pytest.mark.parametrize(
    "column",
    [
        rng.permutation(N) + 5_000.0,
        rng.permutation(20 * N)[:N] + 0.0,
        rng.integers(10_000_000, 99_999_999, N) + 0.0,
        np.where(ROWS % 10 == 0, np.nan, rng.permutation(N)),
    ],
    ids=["numbered", "a sample of numbered rows", "eight digits", "with gaps"],
)
def test_whole_numbers_that_were_given_out(column: Column) -> None:
    assert is_near_unique(column)


@pytest.mark.parametrize(
    "column",
    [
        rng.normal(size=N),
        rng.integers(0, 1_000_000, N) + 0.0,
        np.floor(rng.lognormal(10, 1, N)),
        rng.integers(0, 2_000, N) + 0.0,
        rng.permutation(N)[:40] + 0.0,
        np.full(N, np.nan),
    ],
    ids=["decimals", "amounts", "incomes", "counts", "few", "nothing"],
)
def test_whole_numbers_that_were_measured(column: Column) -> None:
    found = near_unique("x", column, "numeric", np.arange(len(column)))
    assert found is None


def test_texts_of_their_own() -> None:
    texts = Texts(ROWS.astype(np.int32), tuple(f"name {i}" for i in ROWS))
    found = near_unique("surname", texts, "categorical", ROWS)
    assert found is not None
    assert (found.probe, found.level, found.column) == ("near_unique", "warning", "surname")
    assert found.evidence == ("'surname' identifies rows: it has 1,000 distinct texts in 1,000 rows.")
    assert found.advice == "Exclude what only identifies rows (under data.customers, exclude: [surname])."
    assert not is_near_unique(texts.take(ROWS // 2), "categorical")
    assert not is_near_unique(texts, "date")


def test_a_customer_counts_once() -> None:
    groups = ROWS // 4
    numbers = (rng.permutation(N)[groups]).astype(np.float64)
    assert near_unique("x", numbers, "numeric", groups) is not None
    assert near_unique("x", numbers, "numeric", ROWS) is None
