"""Duplicate rows, rows in order of time or of the label, and a changed share of positives."""

import numpy as np
import pytest

from model.values.columns import Column
from tests.training.audit.tables import clean
from training.audit.rows import probe_duplicates, probe_order, probe_shift


def with_duplicates(n_copies: int) -> tuple[dict[str, Column], np.ndarray]:
    """1,000 rows, and so many of them again, every fourth with the other outcome."""
    examples = clean(1_000, 0.3, 0, n_columns=8)
    rows = np.concatenate([np.arange(1_000), np.arange(n_copies)])
    columns = {
        name: column[rows] if isinstance(column, np.ndarray) else column.take(rows)
        for name, column in examples.columns.items()
    }
    positive = examples.positive[rows]
    positive[1_000::4] ^= True
    return columns, positive


def test_many_duplicates_are_a_warning() -> None:
    [found] = probe_duplicates(*with_duplicates(100))
    assert (found.probe, found.level, found.column) == ("duplicates", "warning", None)
    assert found.evidence == (
        "100 of 1,100 rows (9.1%) repeat an earlier row in every column, 75 of them in the label too; "
        "of the 100 groups of equal rows, 25 have both outcomes."
    )
    assert found.advice.startswith("The split keeps them on one side. If they belong to one customer")


def test_few_duplicates_are_a_note() -> None:
    [found] = probe_duplicates(*with_duplicates(8))
    assert found.level == "note"


def test_rows_that_are_common_are_counted_apart() -> None:
    """They are more than a twentieth of all, so that the split does not keep them on one side."""
    x = np.concatenate([np.repeat(np.arange(10.0), 2), np.full(200, 500.0), np.arange(1_000.0, 1_780.0)])
    [found] = probe_duplicates({"x": x}, np.arange(1_000) % 4 == 0)
    assert found.evidence == (
        "10 of 1,000 rows (1.0%) repeat an earlier row in every column, 5 of them in the label too; of the "
        "10 groups of equal rows, 5 have both outcomes. 200 rows that equal more than 5 % of all rows are "
        "not counted: the columns are coarse."
    )


def test_rows_of_their_own_and_coarse_rows_are_none() -> None:
    assert probe_duplicates(*with_duplicates(0)) == []
    assert probe_duplicates({"sex": np.arange(1_000.0) % 2}, np.arange(1_000) % 3 == 0) == []


def test_rows_in_order_of_time_are_a_warning() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(2_000) < np.linspace(0.02, 0.4, 2_000)
    shuffled = rng.permutation(2_000)
    [found] = probe_order(shuffled, positive[shuffled])
    assert [found] == probe_order(np.arange(2_000), positive)
    assert (found.probe, found.level, found.column) == ("row_order", "warning", None)
    fifths = ", ".join(f"{100 * part.mean():.1f}" for part in np.split(positive, 5))
    assert found.evidence.startswith(
        "The rows seem to be in order of time: the row number alone has an AUC of 0.7"
    )
    assert f"in five consecutive fifths {fifths} % are positive." in found.evidence
    assert "split: {time: column}" in found.advice


def test_rows_sorted_by_the_label_are_told_as_such() -> None:
    [found] = probe_order(np.arange(500), np.arange(500) < 100)
    assert found.evidence == (
        "The rows are sorted by the label: the row number alone has an AUC of 1.000; "
        "in five consecutive fifths 100.0, 0.0, 0.0, 0.0, 0.0 % are positive."
    )
    assert "data.customers.exclude" in found.advice


def test_rows_in_no_order_or_too_few_are_none() -> None:
    for seed in range(30):
        positive = np.random.default_rng(seed).random(300) < 0.1
        assert probe_order(np.arange(300), positive) == []
    assert probe_order(None, np.arange(500) < 100) == []
    assert probe_order(np.arange(500), np.zeros(500, dtype=bool)) == []
    assert probe_order(np.arange(3), np.arange(3) < 1) == []


def some(n: int, share: float) -> np.ndarray:
    return np.arange(n) < share * n


def test_a_share_that_grows_is_a_warning() -> None:
    [found] = probe_shift(some(5_000, 0.1), some(1_000, 0.2))
    assert (found.probe, found.level, found.column) == ("target_shift", "warning", None)
    assert found.evidence == (
        "10.0% of the 5,000 training examples whose outcome is known are positive, and 20.0% of the 1,000 "
        "test examples."
    )
    assert "propense retrain" in found.advice


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (some(5_000, 0.1), some(1_000, 0.1)),
        (some(50, 0.1), some(20, 0.2)),  # chance may do it
        (some(500_000, 0.1), some(100_000, 0.115)),  # sure, but little
        (some(0, 0), some(100, 0.5)),
        (some(100, 0.5), some(0, 0)),
        (some(100, 0), some(100, 0)),
        (some(100, 1), some(100, 1)),
    ],
)
def test_shares_that_are_alike_or_too_few_are_none(train: np.ndarray, test: np.ndarray) -> None:
    assert probe_shift(train, test) == []


@pytest.mark.parametrize("after", [0.04, 0.07, 0.09, 0.11, 0.13, 0.2])
def test_leaving_and_staying_are_one_question(after: float) -> None:
    left, stayed = (
        probe_shift(some(20_000, share), some(20_000, later))
        for share, later in ((0.1, after), (0.9, 1 - after))
    )
    assert bool(left) == bool(stayed) == (abs(after - 0.1) > 0.02)
