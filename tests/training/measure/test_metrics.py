"""Metrics against code written from their definitions, and against closed forms."""

import json
import math
from dataclasses import asdict
from itertools import pairwise, product
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from training.measure.metrics import Points, base_rate_metrics, curves, measure

Floats = NDArray[np.float64]

# Coarse probabilities make ties common; the ends 0 and 1 and fine ones occur too.
PROBABILITIES = st.one_of(st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]), st.floats(0, 1))
PAIRS = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), PROBABILITIES), min_size=1, max_size=60)


def arrays(pairs: list[tuple[float, float]]) -> tuple[Floats, Floats]:
    labels, probabilities = zip(*pairs, strict=True)
    return np.array(labels), np.array(probabilities)


def naive_auc(y: Floats, p: Floats) -> float:
    pairs = list(product(p[y == 1], p[y == 0]))
    return sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)


def naive_average_precision(y: Floats, p: Floats) -> float:
    total = recall = 0.0
    for threshold in sorted(set(p), reverse=True):
        taken = p >= threshold
        next_recall = y[taken].sum() / y.sum()
        total += (next_recall - recall) * y[taken].mean()
        recall = next_recall
    return total


def naive_log_loss(y: Floats, p: Floats) -> float:
    least = np.finfo(np.float64).eps
    return -sum(
        math.log(min(max(b if a else 1 - b, least), 1 - least)) for a, b in zip(y, p, strict=True)
    ) / len(y)


def naive_calibration_error(y: Floats, p: Floats) -> float:
    total = 0.0
    # Each row's bin, from its rank; equal probabilities share the middle one of their ranks.
    bins = [math.floor(((p < b).sum() + (p == b).sum() / 2) * 10 / len(p)) for b in p]
    for index in set(bins):
        inside = np.array(bins) == index
        total += abs(p[inside].sum() - y[inside].sum())
    return total / len(p)


def naive_gain(y: Floats, p: Floats, slots: float) -> float:
    """Expected positives in the first `slots` places, equal probabilities in random order."""
    found = 0.0
    for value in sorted(set(p), reverse=True):
        group = p == value
        taken = min(slots, group.sum())
        found += taken * y[group].mean()
        slots -= taken
    return found


@given(PAIRS)
def test_every_metric_equals_its_definition(pairs: list[tuple[float, float]]) -> None:
    y, p = arrays(pairs)
    measured = measure(y, p)
    both, some = 0 < y.sum() < len(y), y.any()
    assert (measured.n, measured.positives) == (len(y), y.sum())
    assert measured.base_rate == y.mean()
    assert measured.auc == (pytest.approx(naive_auc(y, p)) if both else None)
    assert measured.average_precision == (pytest.approx(naive_average_precision(y, p)) if both else None)
    assert measured.log_loss == pytest.approx(naive_log_loss(y, p))
    assert measured.brier == pytest.approx(sum((p - y) ** 2) / len(y))
    assert measured.calibration_error == pytest.approx(naive_calibration_error(y, p), abs=1e-12)
    lift = naive_gain(y, p, len(y) / 10) / (len(y) / 10) / y.mean() if some else None
    assert measured.lift_at_10 == (pytest.approx(lift) if some else None)


@given(PAIRS, st.randoms(use_true_random=False))
def test_order_of_rows_is_moot(pairs: list[tuple[float, float]], random: Random) -> None:
    shuffled = random.sample(pairs, len(pairs))
    one, other = asdict(measure(*arrays(pairs))), asdict(measure(*arrays(shuffled)))
    assert one == {name: pytest.approx(value) for name, value in other.items()}


@given(PAIRS)
def test_curves_are_well_formed(pairs: list[tuple[float, float]]) -> None:
    y, p = arrays(pairs)
    drawn = curves(y, p)
    n, positives = len(y), int(y.sum())
    assert sum(b.count for b in drawn.calibration) == n
    assert sum(b.count * b.observed for b in drawn.calibration) == pytest.approx(positives)
    assert sum(b.count * b.probability for b in drawn.calibration) == pytest.approx(p.sum())
    assert sum(drawn.histogram.positives) == positives
    assert sum(drawn.histogram.negatives) == n - positives
    assert len(drawn.histogram.edges) == len(drawn.histogram.positives) + 1
    if positives:
        assert drawn.gain[0] == (0, 0)
        assert drawn.gain[-1] == (1, 1)
        assert all(share == pytest.approx(naive_gain(y, p, x * n) / positives) for x, share in drawn.gain)
    if 0 < positives < n:
        assert area(drawn.roc) == pytest.approx(naive_auc(y, p))
        assert drawn.precision_recall[-1] == pytest.approx((1, y.mean()))
    else:
        assert drawn.roc == drawn.precision_recall == ()


def area(points: Points) -> float:
    return sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points))


def uniform_world() -> tuple[Floats, Floats]:
    """Probabilities spread evenly over [0, 1], all of them right."""
    rng = np.random.default_rng(5)
    p = rng.random(200_000)
    return (rng.random(len(p)) < p).astype(np.float64), p


def test_closed_forms_of_evenly_spread_right_probabilities() -> None:
    measured = measure(*uniform_world())
    assert measured.base_rate == pytest.approx(1 / 2, abs=0.005)
    assert measured.auc == pytest.approx(5 / 6, abs=0.005)
    assert measured.log_loss == pytest.approx(1 / 2, abs=0.005)
    assert measured.brier == pytest.approx(1 / 6, abs=0.005)
    assert measured.lift_at_10 == pytest.approx(1.9, abs=0.01)
    assert measured.calibration_error < 0.005


def test_calibration_error_sees_probabilities_that_are_too_high() -> None:
    y, p = uniform_world()
    measured = measure(y, np.sqrt(p))
    assert measured.calibration_error == pytest.approx(2 / 3 - 1 / 2, abs=0.005)
    assert measured.auc == measure(y, p).auc


def test_long_curves_are_thinned_and_keep_their_area_and_ends() -> None:
    y, p = uniform_world()
    drawn = curves(y, p)
    for points in (drawn.roc, drawn.precision_recall, drawn.gain):
        assert 100 < len(points) <= 200
        assert all(a[0] <= b[0] for a, b in pairwise(points))
    assert (drawn.roc[0], drawn.roc[-1]) == ((0, 0), (1, 1))
    assert area(drawn.roc) == pytest.approx(5 / 6, abs=0.005)
    assert [b.count for b in drawn.calibration] == [20_000] * 10


def test_base_rate_is_the_same_for_everybody() -> None:
    y = np.array([1.0, 0.0, 0.0, 0.0] * 25)
    entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    measured = base_rate_metrics(y, 0.25)
    assert measured == measure(y, np.full(100, 0.25))
    assert (measured.auc, measured.average_precision, measured.calibration_error) == (0.5, 0.25, 0.0)
    assert (measured.log_loss, measured.brier) == pytest.approx((entropy, 0.1875))
    assert measured.lift_at_10 == pytest.approx(1.0)


@pytest.mark.parametrize(("label", "lift"), [(0.0, None), (1.0, 1.0)])
def test_one_class_has_no_ranking(label: float, lift: float | None) -> None:
    y, p = np.full(20, label), np.linspace(0, 1, 20)
    measured = measure(y, p)
    assert (measured.auc, measured.average_precision, measured.lift_at_10) == (None, None, lift)
    assert measured.brier > 0
    assert curves(y, p).roc == ()


def test_all_is_fit_for_json() -> None:
    y, p = np.array([0.0, 1.0, 1.0]), np.array([0.25, 0.5, 0.75])
    written = json.loads(json.dumps({"metrics": asdict(measure(y, p)), "curves": asdict(curves(y, p))}))
    assert written["metrics"]["auc"] == 1.0
    assert written["curves"]["calibration"][0] == {"probability": 0.25, "observed": 0.0, "count": 1}
    assert written["curves"]["roc"] == [[0, 0], [0, 0.5], [0, 1], [1, 1]]


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([0, 1], [0.2, 1.2], r"probabilities must be in \[0, 1\], got 1\.2\. Do not pass logits"),
        ([0, 1], [0.2, -0.1], r"probabilities must be in \[0, 1\], got -0\.1"),
        ([0, 1], [0.2, math.nan], r"probabilities must be in \[0, 1\], got nan"),
        ([0, math.nan], [0.2, 0.3], r"labels must be 0 or 1, got nan\. Leave out rows without a label"),
        ([0, 0.5], [0.2, 0.3], r"labels must be 0 or 1, got 0\.5"),
        ([0], [0.2, 0.3], r"must be of one shape \(N,\) with N > 0, got \(1,\) and \(2,\)"),
        ([], [], r"got \(0,\) and \(0,\)"),
        ([[0]], [[0.2]], r"got \(1, 1\) and \(1, 1\)"),
    ],
)
def test_refuses_what_is_no_probability(
    labels: list[float], probabilities: list[float], message: str
) -> None:
    for function in (measure, curves):
        with pytest.raises(ValueError, match=message):
            function(np.array(labels), np.array(probabilities))
