"""Who goes into service, by hand-made probabilities whose rank is known."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from training.publish.comparison import Comparison
from training.publish.decision import COMPARED, decide, decide_first, promote_uncompared

N = 600
TRUTH = np.random.default_rng(0).uniform(0.05, 0.95, N)
LABELS = (np.random.default_rng(1).random(N) < TRUTH).astype(np.float64)
FLAT = np.full(N, LABELS.mean())


def comparison(champion: NDArray[np.float64], labels: NDArray[np.float64] = LABELS) -> Comparison:
    n = len(labels)
    return Comparison(
        version=4,
        rows=np.arange(n),
        labels=labels,
        groups=np.arange(n) // 2,
        champion=champion,
        horizon="30",
        test_dates=("2024-01-31",),
        sentence="Compared.",
    )


def shifted(probabilities: NDArray[np.float64], by: float) -> NDArray[np.float64]:
    """The same ranks, said with more or less confidence in an outcome."""
    odds = probabilities / (1 - probabilities) * np.exp(by)
    changed: NDArray[np.float64] = odds / (1 + odds)
    return changed


def test_a_better_challenger_is_promoted() -> None:
    decision = decide(comparison(FLAT), TRUTH, force=False)
    assert (decision.promoted, decision.forced, decision.champion_was) == (True, False, 4)
    loss = decision.contrasts["log_loss"]
    assert loss.outcome == "better"
    assert loss.low is not None
    assert loss.high is not None
    assert loss.low < loss.difference < loss.high < 0
    assert loss.difference == pytest.approx(loss.challenger - loss.champion)
    assert decision.contrasts["auc"].champion == 0.5
    assert decision.contrasts["auc"].difference > 0.2
    assert decision.reason.startswith(
        f"Promoted: its log loss on 600 examples unseen by both models is lower ({loss.challenger:.4f} "
        f"against {loss.champion:.4f}, difference {loss.difference:+.4f}, 95 % interval "
    )


def test_an_equal_challenger_is_promoted() -> None:
    same = decide(comparison(TRUTH), TRUTH, force=False)
    assert (same.promoted, same.contrasts["log_loss"].outcome) == (True, "equal")
    noise = np.clip(TRUTH + np.random.default_rng(2).normal(0, 0.01, N), 0.01, 0.99)
    near = decide(comparison(TRUTH), noise, force=False)
    assert (near.promoted, near.contrasts["log_loss"].outcome) == (True, "equal")
    assert "is equal within chance" in near.reason
    assert "and its calibration error is not worse" in near.reason


def test_a_difference_of_rounding_is_none() -> None:
    assert decide(comparison(TRUTH), shifted(TRUTH, 1e-7), force=False).promoted


def test_a_worse_challenger_is_not_promoted_but_by_force() -> None:
    stays = decide(comparison(TRUTH), FLAT, force=False)
    assert (stays.promoted, stays.forced) == (False, False)
    assert stays.reason.startswith("Version 4 stays in service: its log loss on 600 examples unseen by both")
    assert "is higher" in stays.reason
    forced = decide(comparison(TRUTH), FLAT, force=True)
    assert (forced.promoted, forced.forced) == (True, True)
    assert forced.reason == stays.reason.replace("Version 4 stays in service", "Promoted by force")
    assert forced.contrasts == stays.contrasts


def test_force_that_was_not_needed_is_not_told() -> None:
    decision = decide(comparison(FLAT), TRUTH, force=True)
    assert (decision.promoted, decision.forced) == (True, False)
    assert decision.reason.startswith("Promoted: ")


def test_a_better_log_loss_does_not_excuse_a_calibration_that_is_surely_worse() -> None:
    """The champion says the base rate to all, which is calibrated; the challenger ranks, and exaggerates."""
    loud = np.where(TRUTH > 0.5, 0.93, 0.07)
    labels = (np.random.default_rng(3).random(N) < np.where(TRUTH > 0.5, 0.8, 0.2)).astype(np.float64)
    flat = np.full(N, labels.mean())
    decision = decide(comparison(flat, labels), loud, force=False)
    assert decision.contrasts["log_loss"].outcome == "better"
    assert decision.contrasts["calibration_error"].outcome == "worse"
    assert not decision.promoted
    assert "is lower" in decision.reason
    assert "but its calibration error is worse" in decision.reason


def few(n: int, by: float) -> Any:
    """Too few examples for an interval to say anything, of a challenger that is off by so much."""
    return decide(comparison(TRUTH[:n], LABELS[:n]), shifted(TRUTH[:n], by), force=False)


def test_a_calibration_that_is_much_worse_is_believed_without_an_interval() -> None:
    decision = few(100, -0.8)
    loss, calibration = decision.contrasts["log_loss"], decision.contrasts["calibration_error"]
    assert (loss.outcome, calibration.outcome) == ("equal", "equal")
    assert calibration.difference > 0.02
    assert not decision.promoted
    assert "but its calibration error is worse" in decision.reason


def test_what_luck_explains_is_no_bad_calibration() -> None:
    """Of a perfect challenger, against a champion whose error is 0 as it says the base rate to all."""
    decision = decide(comparison(FLAT), TRUTH, force=False)
    error = decision.contrasts["calibration_error"]
    assert error.champion == pytest.approx(0, abs=1e-12)
    assert error.outcome == "worse"
    assert decision.by_chance is not None
    assert 0 < error.challenger < decision.by_chance < 0.1
    assert decision.promoted
    assert decision.reason.endswith(
        f", and its calibration error is within chance ({error.challenger:.4f} against 0.0000, of which "
        f"chance explains {decision.by_chance:.4f})."
    )
    near = few(60, -0.5)
    assert near.contrasts["calibration_error"].difference > 0.02
    assert near.promoted


def test_luck_explains_about_one_calibration_error_in_twenty() -> None:
    draws = (np.random.default_rng(5).random((30, N)) < TRUTH).astype(np.float64)
    decided = [decide(comparison(FLAT, labels), TRUTH, force=False) for labels in draws]
    within = [one.contrasts["calibration_error"].challenger <= (one.by_chance or 0) for one in decided]
    assert 0.85 <= np.mean(within) < 1


def test_plain_values_of_a_decision() -> None:
    decision = decide(comparison(FLAT), TRUTH, force=False)
    told = decision.facts(5)
    assert list(told) == [
        "promoted",
        "reason",
        "champion",
        "champion_was",
        "compared",
        *COMPARED,
        "calibration_by_chance",
        "forced",
    ]
    assert (told["champion"], told["champion_was"]) == (5, 4)
    assert told["compared"] == {
        "examples": N,
        "positives": int(LABELS.sum()),
        "horizon": "30",
        "test_dates": ["2024-01-31"],
        "sentence": "Compared.",
    }
    assert told["auc"].keys() == {"champion", "challenger", "difference", "low", "high"}


def test_decisions_without_a_comparison() -> None:
    first = decide_first("churn", "", force=False).facts(1)
    assert (first["promoted"], first["reason"]) == (True, "Promoted: churn had no champion.")
    assert first["champion_was"] is first["compared"] is first["log_loss"] is None
    forced = promote_uncompared(3, "the target changed").facts(4)
    assert (forced["promoted"], forced["forced"], forced["champion_was"]) == (True, True, 3)
    assert forced["reason"] == "Promoted by force, uncompared: the target changed."


@pytest.mark.parametrize("force", [False, True])
def test_a_fault_keeps_the_first_version_out_of_service_unless_forced(force: bool) -> None:
    told = decide_first("churn", "All of 9 test examples are positive.", force=force)
    assert (told.promoted, told.forced) == (force, force)
    head = "Promoted by force" if force else "Not promoted, and churn has no champion"
    assert told.reason == f"{head}: All of 9 test examples are positive."


def test_a_fault_keeps_a_better_challenger_out_of_service() -> None:
    fault = "The network is worse than the base rate beyond chance."
    told = decide(comparison(FLAT), TRUTH, fault=fault, force=False)
    assert not told.promoted
    assert told.reason == f"Version 4 stays in service: {fault}"
    assert decide(comparison(FLAT), TRUTH, fault=fault, force=True).forced


def test_swapped_outcomes_are_a_fault() -> None:
    decision = decide(comparison(TRUTH, 1 - LABELS), 1 - TRUTH, force=False)
    assert decision.contrasts["log_loss"].outcome == "better"
    assert not decision.promoted
    assert "ranks the outcomes of these files the wrong way round (AUC 0.1" in decision.reason
    assert decide(comparison(1 - TRUTH), TRUTH, force=True).forced
