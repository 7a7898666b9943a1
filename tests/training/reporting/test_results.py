"""Figures of the test examples, where their window is complete, beside the base rate's."""

import numpy as np
import pytest

from training.labels import Labels
from training.reporting.metrics import measure
from training.reporting.results import base_rates, measure_horizons


def labels(outcomes: list[list[int]], complete: list[list[int]]) -> Labels:
    """Labels whose hazard half is of no interest here."""
    happened, observed = np.array(outcomes, dtype=bool), np.array(complete, dtype=bool)
    return Labels(events=happened, at_risk=observed, outcomes=happened, complete=observed)


PARTLY = labels([[0, 1], [1, 1], [0, 0], [1, 0]], [[1, 1], [1, 1], [1, 0], [1, 0]])
PROBABILITIES = np.array([[0.1, 0.5], [0.7, 0.8], [0.2, 0.9], [0.6, 0.9]])


def test_each_horizon_is_measured_where_it_is_complete() -> None:
    metrics, curves = measure_horizons(("30", "90"), PARTLY, PROBABILITIES, [0.5, 0.75])
    assert list(metrics) == list(curves) == ["30", "90"]
    assert (metrics["30"]["model"]["n"], metrics["30"]["model"]["positives"]) == (4, 2)
    assert (metrics["90"]["model"]["n"], metrics["90"]["model"]["positives"]) == (2, 2)
    wanted = measure(np.array([0.0, 1.0, 0.0, 1.0]), PROBABILITIES[:, 0])
    assert metrics["30"]["model"]["log_loss"] == wanted.log_loss
    assert metrics["30"]["model"]["auc"] == 1.0


def test_the_base_rate_s_figures_are_those_of_the_rate_given() -> None:
    metrics, _ = measure_horizons(("30", "90"), PARTLY, PROBABILITIES, [0.25, 0.75])
    assert metrics["30"]["base_rate"]["brier"] == pytest.approx((2 * 0.25**2 + 2 * 0.75**2) / 4)
    assert metrics["90"]["base_rate"]["brier"] == pytest.approx(0.25**2)
    assert metrics["90"]["base_rate"]["auc"] is None


def test_a_horizon_that_is_complete_for_nobody_is_left_out() -> None:
    nobody = labels([[0, 1], [1, 1]], [[1, 0], [1, 0]])
    metrics, curves = measure_horizons(("30", "90"), nobody, PROBABILITIES[:2], [0.5, 0.5])
    assert list(metrics) == list(curves) == ["30"]


def test_the_output_of_a_column_task_is_called_label() -> None:
    metrics, curves = measure_horizons(
        (), Labels.of_column(np.array([True, False])), PROBABILITIES[:2, :1], [0.5]
    )
    assert list(metrics) == list(curves) == ["label"]
    assert metrics["label"]["model"]["auc"] == 0.0


def test_base_rates_are_shares_of_the_complete_windows() -> None:
    assert base_rates(PARTLY) == [0.5, 1.0]
    assert base_rates(labels([[1, 1]], [[1, 0]])) == [1.0, 0.5]  # one half where nothing is known
