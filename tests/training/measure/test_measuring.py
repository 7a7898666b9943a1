"""Figures of the test examples, where their window is complete: of the network, the others, the base rate."""

import numpy as np
import pytest

from training.measure import measuring
from training.measure.bootstrap import MEASURED, intervals
from training.measure.measuring import base_rates, measure_horizons, measured
from training.measure.metrics import measure
from training.question.labels import Labels


def labels(outcomes: list[list[int]], complete: list[list[int]]) -> Labels:
    """Labels whose hazard half is of no interest here."""
    happened, observed = np.array(outcomes, dtype=bool), np.array(complete, dtype=bool)
    return Labels(events=happened, at_risk=observed, outcomes=happened, complete=observed)


PARTLY = labels([[0, 1], [1, 1], [0, 0], [1, 0]], [[1, 1], [1, 1], [1, 0], [1, 0]])
NETWORK = np.array([[0.1, 0.5], [0.7, 0.8], [0.2, 0.9], [0.6, 0.9]])
RECENCY = np.array([[0.9, 0.5], [0.3, 0.8], [0.8, 0.9], [0.4, 0.9]])
ANSWERS = {"model": NETWORK, "recency": RECENCY}
STRANGERS = np.arange(4)


def test_each_horizon_is_measured_where_it_is_complete() -> None:
    metrics, curves = measure_horizons(("30", "90"), PARTLY, ANSWERS, [0.5, 0.75], STRANGERS)
    assert list(metrics) == list(curves) == ["30", "90"]
    assert (metrics["30"]["model"]["n"], metrics["30"]["model"]["positives"]) == (4, 2)
    assert (metrics["90"]["model"]["n"], metrics["90"]["model"]["positives"]) == (2, 2)
    assert metrics["90"]["model"]["log_loss"] == measure(np.ones(2), NETWORK[:2, 1]).log_loss


def test_everyone_is_measured_on_the_same_labels_the_network_first_the_base_rate_last() -> None:
    metrics, curves = measure_horizons(("30", "90"), PARTLY, ANSWERS, [0.5, 0.75], STRANGERS)
    assert list(metrics["30"]) == ["model", "recency", "base_rate"]
    y = np.array([0.0, 1.0, 0.0, 1.0])
    for who, p in ANSWERS.items():
        assert metrics["30"][who]["log_loss"] == measure(y, p[:, 0]).log_loss
    assert (metrics["30"]["model"]["auc"], metrics["30"]["recency"]["auc"]) == (1.0, 0.0)
    assert curves["30"]["roc"][1] == (0.0, 0.5)  # the network's, which finds a positive first


def test_the_base_rate_s_figures_are_those_of_the_rate_given() -> None:
    metrics, _ = measure_horizons(("30", "90"), PARTLY, ANSWERS, [0.25, 0.75], STRANGERS)
    assert metrics["30"]["base_rate"]["brier"] == pytest.approx((2 * 0.25**2 + 2 * 0.75**2) / 4)
    assert metrics["90"]["base_rate"]["brier"] == pytest.approx(0.25**2)
    assert metrics["90"]["base_rate"]["auc"] is None
    assert metrics["30"]["base_rate"]["intervals"] == {}


def test_a_horizon_that_is_complete_for_nobody_is_left_out() -> None:
    nobody = labels([[0, 1], [1, 1]], [[1, 0], [1, 0]])
    metrics, curves = measure_horizons(
        ("30", "90"), nobody, {"model": NETWORK[:2]}, [0.5, 0.5], STRANGERS[:2]
    )
    assert list(metrics) == list(curves) == ["30"]


def test_the_output_of_a_column_task_is_called_label() -> None:
    column = Labels.of_column(np.array([True, False]))
    metrics, curves = measure_horizons((), column, {"model": NETWORK[:2, :1]}, [0.5], STRANGERS[:2])
    assert list(metrics) == list(curves) == ["label"]
    assert metrics["label"]["model"]["auc"] == 0.0


def test_base_rates_are_shares_of_the_complete_windows() -> None:
    assert base_rates(PARTLY) == [0.5, 1.0]
    assert base_rates(labels([[1, 1]], [[1, 0]])) == [1.0, 0.5]  # one half where nothing is known


def drawn(n: int, *, levels: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from their probabilities, which are of so many values, sorted by label."""
    rng = np.random.default_rng(n)
    p = rng.integers(1, levels, n) / levels if levels else rng.random(n)
    y = (rng.random(n) < p).astype(np.float64)
    order = np.argsort(y, kind="stable")
    return y[order], p[order]


def test_every_measure_but_counts_has_an_interval_around_it() -> None:
    y, p = drawn(300)
    told = measured(y, p, np.arange(300))
    assert tuple(told["intervals"]) == MEASURED
    for name, (low, high) in told["intervals"].items():
        assert low <= told[name] <= high
        assert low < high
    assert told["intervals"]["auc"] == list(intervals(y, p, np.arange(300))["auc"] or ())


def test_intervals_are_over_customers_not_rows() -> None:
    y, p = drawn(200)
    again = np.tile(y, 5), np.tile(p, 5)
    rows, customers = (measured(*again, groups) for groups in (np.arange(1000), np.tile(np.arange(200), 5)))
    (low, high), (first, last) = (told["intervals"]["log_loss"] for told in (rows, customers))
    assert last - first > 1.8 * (high - low)  # five times the rows are no more evidence: sqrt(5) = 2.2


def test_one_class_has_no_interval_where_it_has_no_measure() -> None:
    told = measured(np.zeros(50), np.linspace(0.1, 0.4, 50), np.arange(50))
    assert (told["auc"], told["intervals"]["auc"], told["intervals"]["lift_at_10"]) == (None, None, None)
    assert told["intervals"]["log_loss"][0] < told["log_loss"] < told["intervals"]["log_loss"][1]


def test_a_single_customer_shows_no_spread() -> None:
    assert set(measured(*drawn(20), np.zeros(20, dtype=np.int64))["intervals"].values()) == {None}


@pytest.mark.parametrize("levels", [0, 5], ids=["distinct", "tied"])
def test_intervals_of_many_rows_are_those_of_all_their_probabilities(
    levels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    y, p = drawn(3000, levels=levels)
    exact = intervals(y, p, np.arange(3000))
    monkeypatch.setattr(measuring, "MANY", 1000)
    monkeypatch.setattr(measuring, "LEVELS", 500)
    for name, told in measured(y, p, np.arange(3000))["intervals"].items():
        assert told == pytest.approx(exact[name], abs=1e-12 if levels else 1e-3 * (1 + told[1])), name


def test_an_interval_of_many_rows_still_holds_the_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the means that stand for the probabilities tell nobody apart."""
    y = np.repeat([0.0, 1.0], 20)
    monkeypatch.setattr(measuring, "MANY", 10)
    monkeypatch.setattr(measuring, "LEVELS", 1)
    told = measured(y, 0.01 + 0.98 * y, np.arange(40))
    assert told["intervals"]["log_loss"][0] == told["log_loss"] < 0.02 < told["intervals"]["log_loss"][1]
    assert told["intervals"]["auc"] == [0.5, told["auc"]] == [0.5, 1.0]
