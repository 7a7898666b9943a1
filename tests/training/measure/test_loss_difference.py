"""The difference of two log losses, with the noise of customers and of fits."""

import numpy as np
import pytest
from numpy.typing import NDArray

from training.measure.bootstrap import Difference, paired_differences
from training.measure.loss_difference import loss_difference

Floats = NDArray[np.float64]
N = 4000
ALONE = np.arange(N)
FOLDS = ALONE % 5


def two_models(worse_by_fold: tuple[float, ...] = (0.0,) * 5) -> tuple[Floats, Floats, Floats]:
    """Labels, their true probabilities, and ones with an error of the logit."""
    draw = np.random.default_rng(0)
    logits = draw.normal(0, 1, N)
    errors = draw.normal(0, 0.3, N) + np.asarray(worse_by_fold)[FOLDS]
    truth, wrong = (1 / (1 + np.exp(-z)) for z in (logits, logits + errors))
    return (draw.random(N) < truth).astype(np.float64), truth, wrong


def width(difference: Difference) -> float:
    assert difference.low is not None
    assert difference.high is not None
    return difference.high - difference.low


def test_fits_that_differ_by_no_more_than_their_customers_have_the_interval_of_the_customers() -> None:
    labels, truth, wrong = two_models()
    found = loss_difference(labels, truth, wrong, ALONE, FOLDS)
    wanted = paired_differences(labels, truth, wrong, ALONE)["log_loss"]
    assert found.value == pytest.approx(wanted.value)
    assert width(wanted) * 0.999 <= width(found) <= width(wanted) * 1.6
    assert found.low is not None
    assert found.low > 0


def test_fits_that_differ_by_more_have_a_wider_interval() -> None:
    labels, truth, wrong = two_models((0.0, 0.0, 0.0, 0.0, 1.5))
    found = loss_difference(labels, truth, wrong, ALONE, FOLDS)
    assert width(found) > 3 * width(paired_differences(labels, truth, wrong, ALONE)["log_loss"])
    assert found.low is not None
    assert found.low < 0 < (found.value or 0)


def test_rows_of_one_customer_are_drawn_together() -> None:
    labels, truth, wrong = (np.tile(one, 4) for one in two_models())
    groups, folds = np.tile(ALONE, 4), np.tile(FOLDS, 4)
    once = loss_difference(*two_models(), ALONE, FOLDS)
    assert width(loss_difference(labels, truth, wrong, groups, folds)) == pytest.approx(width(once))


def test_equal_models_do_not_differ() -> None:
    labels, truth, _ = two_models()
    assert loss_difference(labels, truth, truth, ALONE, FOLDS) == Difference(0.0, 0.0, 0.0)


def test_without_examples_or_with_one_customer_there_is_no_interval() -> None:
    labels, truth, wrong = two_models()
    none = np.zeros(0)
    assert loss_difference(none, none, none, ALONE[:0], FOLDS[:0]) == Difference(None, None, None)
    one = loss_difference(labels, truth, wrong, np.zeros(N, dtype=np.int64), FOLDS)
    assert one.value is not None
    assert (one.low, one.high) == (None, None)
