"""Whether a model beats the baselines, on made-up probabilities whose answer is known."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from training.measure.bootstrap import paired_differences
from training.measure.measuring import measured
from training.measure.verdict import Verdict, judge

Floats = NDArray[np.float64]
N = 600


def customers(n: int = N) -> tuple[Floats, Floats]:
    """Labels, and the probabilities that they were drawn from."""
    rng = np.random.default_rng(1)
    truth = rng.random(n) * 0.9 + 0.05
    return (rng.random(n) < truth).astype(np.float64), truth


def judged(y: Floats, answers: Mapping[str, Floats], groups: NDArray[np.int64] | None = None) -> Verdict:
    groups = np.arange(len(y)) if groups is None else groups
    return judge(y, answers, {who: measured(y, p, groups) for who, p in answers.items()}, groups)


Y, TRUTH = customers()
RATE = np.full(N, Y.mean())
TIMID = (TRUTH + RATE) / 2  # between the truth and the base rate: right order, too cautious
WRONG = 1 - TRUTH


def test_a_model_that_knows_the_truth_beats_the_best_of_the_others() -> None:
    told = judged(Y, {"model": TRUTH, "recency": WRONG, "gradient_boosting": TIMID, "base_rate": RATE})
    assert (told.outcome, told.against) == ("beats", "gradient_boosting")
    assert told.log_loss == paired_differences(Y, TIMID, TRUTH, np.arange(N))["log_loss"]
    assert told.log_loss.high is not None
    assert told.log_loss.high < 0
    assert told.auc.value == 0  # the order is the same


def test_a_model_that_is_worse_than_a_baseline_trails_it() -> None:
    told = judged(Y, {"model": TIMID, "gradient_boosting": TRUTH, "base_rate": RATE})
    assert (told.outcome, told.against) == ("trails", "gradient_boosting")
    assert told.log_loss.low is not None
    assert told.log_loss.low > 0


def test_a_model_that_differs_by_chance_equals() -> None:
    noise = np.random.default_rng(2).normal(0, 0.02, (2, N))
    model, other = np.clip(TRUTH + noise, 0.01, 0.99)
    told = judged(Y, {"model": model, "gradient_boosting": other, "base_rate": RATE})
    assert (told.outcome, told.against) == ("equals", "gradient_boosting")
    assert told.log_loss.low is not None
    assert told.log_loss.high is not None
    assert told.log_loss.low < 0 < told.log_loss.high


def test_a_model_that_answers_like_a_baseline_does_not_beat_it() -> None:
    told = judged(Y, {"model": TIMID, "recency": TIMID, "base_rate": RATE})
    assert (told.outcome, told.against) == ("equals", "recency")
    assert (told.log_loss.low, told.log_loss.value, told.log_loss.high) == (0, 0, 0)


def test_the_model_itself_is_no_baseline() -> None:
    assert judged(Y, {"model": TRUTH, "base_rate": RATE}).against == "base_rate"


def test_many_rows_of_few_customers_are_little_evidence() -> None:
    """One customer in four, with a quarter of the rows, speaks against the model."""
    y = np.tile([0.0, 1.0], 200)
    network, other = 0.2 + 0.6 * y, 0.4 + 0.2 * y
    network[:100] = 1 - network[:100]
    answers = {"model": network, "recency": other, "base_rate": np.full(400, 0.5)}
    assert judged(y, answers).outcome == "trails"
    few = judged(y, answers, np.repeat([0, 1, 2, 3], 100))
    assert few.outcome == "equals"
    assert few.log_loss.low is not None
    assert few.log_loss.low < 0


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_a_test_of_one_class_tells_nothing_whoever_has_the_lower_loss(outcome: float) -> None:
    low, high = np.linspace(0.01, 0.1, 100), np.full(100, 0.3)
    told = judged(np.full(100, outcome), {"model": low, "base_rate": high})
    assert told.log_loss.value is not None
    assert (told.log_loss.value < 0) == (outcome == 0)
    assert (told.outcome, told.against) == ("equals", "base_rate")
    assert (told.auc.value, told.auc.low, told.auc.high) == (None, None, None)
    kind = "positive" if outcome else "negative"
    assert (
        told.sentences
        == told.fault
        == (
            f"All of 100 test examples are {kind}: such a test measures nothing. Of the training examples "
            "30.0% are positive, so the labels of the test are likely wrong. Check the label and the split."
        )
    )


def test_a_test_of_one_class_that_chance_explains_is_too_small() -> None:
    told = judged(np.zeros(50), {"model": np.full(50, 0.01), "base_rate": np.full(50, 0.02)})
    assert told.fault == (
        "All of 50 test examples are negative: such a test measures nothing. Only 1.0 of the other outcome "
        "were to be expected: lengthen the horizon, or raise split.test_fraction."
    )


def test_a_model_worse_than_the_base_rate_beyond_chance_has_a_fault_that_comes_first() -> None:
    told = judged(Y, {"model": WRONG, "recency": TIMID, "base_rate": RATE})
    assert told.outcome == "trails"
    assert told.fault.startswith("The model is worse than the base rate beyond chance (log loss +")
    share = f"{Y.mean():.1%}"
    assert told.fault.endswith(
        f"{share} of the test examples are positive, {share} of the training examples. Check the label and "
        "the split."
    )
    assert told.sentences.startswith(
        f"{told.fault} On 600 test examples the model is worse than recency alone"
    )


def test_a_model_as_good_as_the_base_rate_or_worse_by_chance_has_none() -> None:
    noise = np.random.default_rng(2).normal(0, 0.01, N)
    assert judged(Y, {"model": np.clip(RATE + noise, 0, 1), "base_rate": RATE}).fault == ""


def test_a_gap_in_log_loss_at_equal_rank_is_explained_by_the_mean_probabilities() -> None:
    high = TRUTH**0.3
    told = judged(Y, {"model": TRUTH, "gradient_boosting": high, "base_rate": np.full(N, 0.01)})
    assert told.outcome == "beats"
    auc = f"{measured(Y, TRUTH, np.arange(N))['auc']:.4f}"
    assert told.sentences.endswith(
        f" Both rank customers alike (AUC {auc} against {auc}), so their probabilities differ in level or "
        f"spread: on average they are {TRUTH.mean():.1%} and {high.mean():.1%}, and {Y.mean():.1%} happened."
    )
    assert (
        "rank customers alike"
        not in judged(Y, {"model": TRUTH, "recency": WRONG, "base_rate": RATE}).sentences
    )


def sentences(model: Floats, other: Floats, name: str) -> str:
    """Of 4 customers with these probabilities."""
    y = np.array([1.0, 1.0, 0.0, 0.0])
    answers = {"model": model, "base_rate": np.full(4, 0.5), name: other}
    return judged(y, answers, np.zeros(4, dtype=np.int64)).sentences


def test_one_customer_says_nothing_and_the_sentence_says_so() -> None:
    good, bad = np.array([0.8, 0.8, 0.2, 0.2]), np.array([0.6, 0.6, 0.4, 0.4])
    assert sentences(good, bad, "gradient_boosting") == (
        "On 4 test examples the model is no better than gradient boosting beyond chance (log loss 0.2231 "
        "against 0.5108; too few customers for an interval)."
    )


def test_where_the_base_rate_is_best_nobody_is_told_to_act() -> None:
    even = np.full(4, 0.5)
    assert sentences(even, even, "base_rate") == (
        "On 4 test examples the model is no better than the base rate beyond chance (log loss 0.6931 against "
        "0.6931; too few customers for an interval). No model distinguishes these customers: do not act on "
        "the probabilities."
    )


@pytest.mark.parametrize(
    ("answers", "first", "last"),
    [
        (
            {"model": TRUTH, "gradient_boosting": TIMID, "base_rate": RATE},
            "On 600 test examples the model is better than the best baseline, gradient boosting (log loss ",
            "",
        ),
        (
            {"model": TIMID, "recency": TRUTH, "base_rate": RATE},
            "On 600 test examples the model is worse than recency alone (log loss ",
            "",
        ),
        (
            {"model": WRONG, "base_rate": RATE},
            "On 600 test examples the model is worse than the base rate (log loss ",
            " No model distinguishes these customers: do not act on the probabilities.",
        ),
        (
            {"model": TRUTH, "base_rate": RATE},
            "On 600 test examples the model is better than the best baseline, the base rate (log loss ",
            "",
        ),
    ],
    ids=["beats", "trails", "useless", "only the base rate"],
)
def test_the_verdict_in_words(answers: Mapping[str, Floats], first: str, last: str) -> None:
    told = judged(Y, answers)
    loss = told.log_loss
    difference = f"difference {loss.value:+.4f}, 95 % interval {loss.low:+.4f} to {loss.high:+.4f}"
    assert first in told.sentences
    assert f"; {difference}).{last}" in told.sentences


def test_a_sentence_about_the_published_head_comes_first_but_after_a_fault() -> None:
    answers = {"model": TRUTH, "base_rate": RATE}
    metrics = {name: measured(Y, p, np.arange(N)) for name, p in answers.items()}
    told = judge(Y, answers, metrics, np.arange(N), published="The published model is it.")
    assert told.sentences.startswith("The published model is it. On 600 test examples the model is better")
    told = judge(np.zeros(N), answers, metrics, np.arange(N), published="The published model is it.")
    assert told.sentences == f"{told.fault} The published model is it."
