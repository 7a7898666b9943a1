"""Weighted measures against `measure` of repeated rows; intervals against what statistics says of them."""

import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from training.measure import bootstrap
from training.measure.bootstrap import (
    MEASURED,
    Difference,
    intervals,
    paired_differences,
    resample_counts,
    weighted_measures,
)
from training.measure.metrics import measure
from training.report.report import MEASURES

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Coarse probabilities make ties common; the ends 0 and 1 and fine ones occur too.
PROBABILITIES = st.one_of(st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]), st.floats(0, 1))
ROWS = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), PROBABILITIES), min_size=1, max_size=40)


def arrays(rows: list[tuple[float, float]]) -> tuple[Floats, Floats]:
    labels, probabilities = zip(*rows, strict=True)
    return np.array(labels), np.array(probabilities)


def expected(labels: Floats, probabilities: Floats) -> dict[str, object]:
    values = asdict(measure(labels, probabilities))
    return {
        name: pytest.approx(math.nan if values[name] is None else values[name], abs=1e-9, nan_ok=True)
        for name in MEASURED
    }


def world(n: int, seed: int = 0) -> tuple[Floats, Floats, Integers]:
    """Right probabilities of n customers with one row each."""
    rng = np.random.default_rng(seed)
    probabilities = rng.beta(1, 4, n)
    labels = (rng.random(n) < probabilities).astype(np.float64)
    return labels, probabilities, np.arange(n)


def widths(labels: Floats, probabilities: Floats, groups: Integers) -> dict[str, float]:
    found = intervals(labels, probabilities, groups)
    return {name: ends[1] - ends[0] for name, ends in found.items() if ends}


def test_every_measure_of_the_report_is_measured() -> None:
    assert set(MEASURED) == {name for name, *_ in MEASURES}


@given(ROWS)
def test_weights_of_one_measure_the_rows_themselves(rows: list[tuple[float, float]]) -> None:
    labels, probabilities = arrays(rows)
    found = weighted_measures(labels, probabilities, np.ones((2, len(rows))))
    for resample in range(2):
        assert {name: found[name][resample] for name in found} == expected(labels, probabilities)


@given(ROWS, st.data())
def test_a_weight_is_as_many_equal_rows(rows: list[tuple[float, float]], data: st.DataObject) -> None:
    labels, probabilities = arrays(rows)
    weighting = st.lists(st.integers(0, 4), min_size=len(rows), max_size=len(rows)).filter(any)
    weights = np.array(data.draw(st.lists(weighting, min_size=1, max_size=4)))
    found = weighted_measures(labels, probabilities, weights.astype(np.float64))
    for resample, times in enumerate(weights):
        repeated = expected(np.repeat(labels, times), np.repeat(probabilities, times))
        assert {name: found[name][resample] for name in found} == repeated


@given(ROWS, st.floats(0.01, 100))
def test_only_shares_of_the_weight_matter(rows: list[tuple[float, float]], factor: float) -> None:
    labels, probabilities = arrays(rows)
    weights = np.random.default_rng(1).integers(1, 4, (3, len(rows))).astype(np.float64)
    one, other = (weighted_measures(labels, probabilities, weights * f) for f in (1.0, factor))
    for name in set(MEASURED) - {"calibration_error"}:  # rounding may move a rank to the next bin
        np.testing.assert_allclose(one[name], other[name], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones((2, 3)), r"weights must be \(B, N\) for labels \(N,\), got \(2, 3\) and \(2,\)"),
        (np.ones(2), r"got \(2,\) and \(2,\)"),
    ],
)
def test_refuses_weights_that_fit_no_rows(weights: Floats, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        weighted_measures(np.array([0.0, 1.0]), np.array([0.2, 0.8]), weights)


def test_a_weighting_without_a_row_has_no_measure() -> None:
    found = weighted_measures(np.array([0.0, 1.0]), np.array([0.2, 0.8]), np.array([[0.0, 0.0], [1.0, 1.0]]))
    assert all(np.isnan(values[0]) for values in found.values())
    assert found["auc"][1] == 1


def test_customers_are_drawn_with_all_their_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_CELLS", 7 * 120)  # several parts
    groups = np.random.default_rng(0).permutation(np.repeat(np.arange(40) * 11 - 5, 3))
    parts = list(resample_counts(groups, seed=1, n=400))
    assert [len(part) for part in parts] == [7] * 57 + [1]
    counts = np.concatenate(parts)
    by_customer = np.stack([counts[:, groups == customer] for customer in np.unique(groups)])
    assert (by_customer == by_customer[..., :1]).all()
    assert (by_customer[..., 0].sum(axis=0) == 40).all()
    # Binomial(40, 1 / 40): with replacement, each customer alike.
    assert by_customer[..., 0].mean(axis=1) == pytest.approx(np.ones(40), abs=0.25)
    assert by_customer[..., 0].var() == pytest.approx(39 / 40, abs=0.05)


def test_the_seed_decides_which_customers_are_drawn() -> None:
    draws = [np.concatenate(list(resample_counts(np.arange(30), seed=seed, n=5))) for seed in (0, 0, 1)]
    assert (draws[0] == draws[1]).all()
    assert (draws[0] != draws[2]).any()
    labels, probabilities, groups = world(200)
    one = intervals(labels, probabilities, groups)
    assert one == intervals(labels, probabilities, groups, seed=0)
    assert one != intervals(labels, probabilities, groups, seed=1)


def test_parts_do_not_change_the_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, probabilities, groups = world(200)
    whole = intervals(labels, probabilities, groups)
    monkeypatch.setattr(bootstrap, "_CELLS", 1)
    alone = intervals(labels, probabilities, groups)
    assert set(alone) == set(whole)
    for name in MEASURED:
        assert alone[name] == pytest.approx(whole[name])


@pytest.mark.parametrize("seed", range(4))
def test_intervals_hold_the_measure_of_the_full_sample(seed: int) -> None:
    labels, probabilities, groups = world(600, seed)
    values = asdict(measure(labels, probabilities))
    found = intervals(labels, probabilities, groups)
    assert list(found) == list(MEASURED)
    for name, ends in found.items():
        assert ends is not None
        assert ends[0] <= values[name] <= ends[1]
        assert ends[0] < ends[1]


def test_intervals_of_means_agree_with_their_standard_error() -> None:
    labels, probabilities, groups = world(2000)
    squares = (labels - probabilities) ** 2
    losses = -np.log(np.where(labels == 1, probabilities, 1 - probabilities))
    found = widths(labels, probabilities, groups)
    for name, terms in (("brier", squares), ("log_loss", losses)):
        assert found[name] == pytest.approx(2 * 1.96 * terms.std() / math.sqrt(2000), rel=0.15)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    # Of right probabilities p, the Brier score's expectation is the mean of p (1 - p): here 2 / 15.
    held = 0
    for seed in range(60):
        ends = intervals(*world(200, seed), seed=seed)["brier"]
        assert ends is not None
        held += ends[0] <= 2 / 15 <= ends[1]
    assert 51 <= held <= 60


def test_four_times_the_customers_make_half_the_width() -> None:
    few, many = widths(*world(1000)), widths(*world(4000))
    for name in ("auc", "average_precision", "log_loss", "brier", "lift_at_10"):
        assert many[name] == pytest.approx(few[name] / 2, rel=0.35)


def test_a_customers_repeated_rows_are_no_new_evidence() -> None:
    labels, probabilities, groups = world(300)
    once = intervals(labels, probabilities, groups)
    again = intervals(np.tile(labels, 4), np.tile(probabilities, 4), np.tile(groups, 4))
    taken_for_new = widths(np.tile(labels, 4), np.tile(probabilities, 4), np.arange(1200))
    for name in MEASURED:
        ends = once[name]
        assert ends is not None
        assert again[name] == pytest.approx(ends)
        assert taken_for_new[name] < 0.75 * (ends[1] - ends[0])


def test_one_class_leaves_what_needs_no_second() -> None:
    _, probabilities, groups = world(50)
    none_positive = intervals(np.zeros(50), probabilities, groups)
    undefined = {name for name, ends in none_positive.items() if ends is None}
    assert undefined == {"auc", "average_precision", "lift_at_10"}
    all_positive = intervals(np.ones(50), probabilities, groups)
    assert all_positive["auc"] is None
    assert all_positive["lift_at_10"] == pytest.approx((1.0, 1.0))


@pytest.mark.parametrize(("positives", "told"), [(1, False), (2, False), (9, True), (15, True)])
def test_an_interval_needs_more_than_a_few_positive_customers(positives: int, told: bool) -> None:
    # A resample misses all m of 200 customers with probability (1 - m / 200)^200, about e^-m.
    _, probabilities, groups = world(200)
    found = intervals((groups < positives).astype(np.float64), probabilities, groups)
    for name in ("auc", "average_precision", "lift_at_10"):
        assert (found[name] is not None) is told
    assert found["log_loss"] is not None


def test_a_single_customer_shows_no_spread() -> None:
    labels, probabilities, _ = world(30)
    one = np.zeros(30, np.int64)
    assert intervals(labels, probabilities, one) == dict.fromkeys(MEASURED)
    difference = paired_differences(labels, probabilities, probabilities**2, one)["log_loss"]
    assert difference.value is not None
    assert (difference.low, difference.high) == (None, None)


def test_identical_models_do_not_differ_at_all() -> None:
    labels, probabilities, groups = world(400)
    found = paired_differences(labels, probabilities, probabilities.copy(), groups)
    assert found == dict.fromkeys(MEASURED, Difference(0.0, 0.0, 0.0))


def test_a_clearly_better_model_is_told_apart() -> None:
    labels, probabilities, groups = world(1000)
    noise = np.random.default_rng(9).normal(0, 1.5, 1000)
    odds = probabilities / (1 - probabilities) * np.exp(noise)
    found = paired_differences(labels, odds / (1 + odds), probabilities, groups)
    for name, _, better in MEASURES:
        difference = found[name]
        assert difference.value is not None
        assert difference.low is not None
        assert difference.high is not None
        assert difference.low < difference.value < difference.high
        assert difference.high < 0 if better == "lower" else difference.low > 0


def test_swapped_models_differ_by_the_opposite() -> None:
    labels, probabilities, groups = world(300)
    there = paired_differences(labels, probabilities, np.sqrt(probabilities), groups)
    back = paired_differences(labels, np.sqrt(probabilities), probabilities, groups)
    for name in MEASURED:
        one, other = asdict(there[name]), asdict(back[name])
        assert [-one["high"], -one["value"], -one["low"]] == pytest.approx(
            [other["low"], other["value"], other["high"]]
        )


def test_pairing_cancels_what_both_models_find_hard() -> None:
    labels, probabilities, groups = world(1000)
    difference = paired_differences(labels, probabilities, probabilities * 0.95, groups)["log_loss"]
    assert difference.low is not None
    assert difference.high is not None
    assert difference.high - difference.low < widths(labels, probabilities, groups)["log_loss"] / 5


def test_a_difference_without_two_classes_is_none() -> None:
    _, probabilities, groups = world(50)
    found = paired_differences(np.zeros(50), probabilities, probabilities**2, groups)
    assert found["auc"] == Difference(None, None, None)
    assert found["log_loss"].high is not None


def test_refuses_groups_of_other_rows_and_what_measure_refuses() -> None:
    labels, probabilities, groups = world(10)
    with pytest.raises(ValueError, match=r"groups must have one customer for each label, got \(9,\) and"):
        intervals(labels, probabilities, groups[1:])
    with pytest.raises(ValueError, match="Do not pass logits"):
        paired_differences(labels, probabilities, probabilities + 2, groups)
