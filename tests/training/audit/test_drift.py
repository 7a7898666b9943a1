"""A share of positives that changes over time, and dates after the cutoff."""

import numpy as np
import pytest

from model.times import DAY
from model.values.columns import column_of
from model.values.customers import Examples
from training.audit.drift import probe_future_dates, probe_shift


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


def probe(cells: list[str | None], cutoffs: list[int], zone: str = "UTC") -> list[tuple[str, str]]:
    """What is found about a date of so many customers, each asked once at its cutoff, a day number."""
    examples = Examples(np.arange(len(cells)), np.array(cutoffs, dtype=np.int64) * DAY)
    found = probe_future_dates({"seen": column_of(cells)}, {"seen": None}, examples, zone)
    assert all((f.probe, f.column) == ("future_date", "seen") for f in found)
    return [(f.level, f.evidence) for f in found]


def test_a_date_after_the_cutoff_is_a_warning() -> None:
    [(level, evidence)] = probe(["1970-01-03", "1970-01-03", "1970-01-09", None], [1, 5, 5, 5])
    assert level == "warning"
    assert evidence == (
        "'seen' lies after the cutoff in 2 of 3 examples that have it: it was written down later. "
        "Such a date is hidden from the model."
    )


def test_a_date_up_to_the_cutoff_is_none() -> None:
    assert probe(["1970-01-06", "1970-01-01", None, "soon"], [5, 5, 5, 5]) == []
    assert probe([], []) == []


def test_dates_are_those_of_the_zone() -> None:
    assert probe(["1970-01-06"], [5], "Asia/Tokyo") == []
    assert len(probe(["1970-01-06"], [5], "America/New_York")) == 1


def test_the_advice_names_the_column_for_yaml() -> None:
    examples = Examples(np.array([0]), np.array([0]))
    [found] = probe_future_dates({'a "b"': column_of(["1970-01-02"])}, {'a "b"': None}, examples, "UTC")
    assert 'target: {ends: "a \\"b\\""}' in found.advice
    assert 'data.customers.exclude: ["a \\"b\\""]' in found.advice
