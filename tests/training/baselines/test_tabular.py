"""Learning, stopping and calibrating of one yes-or-no problem."""

import numpy as np
from scipy.special import expit

from training.baselines.matrix import Sides
from training.baselines.tabular import (
    Learn,
    horizon_probabilities,
    learn_logistic,
    share,
)
from training.fit.boosting import DEFAULT_ROUNDS, Binary, LogitFunction, learn_boosting
from training.question.labels import Labels
from training.split.plan import Folds

N = 5100
ROWS = np.arange(N, dtype=np.int64)
TRAIN, TEST = ROWS[:5000], ROWS[5000:]
UNREAD = np.full(len(TEST), -1)
FOLDS = Folds(TRAIN, TRAIN % 5, np.ones(5000, dtype=bool))


def inputs_and_labels() -> tuple[np.ndarray, Labels]:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(N, 1))
    return x, Labels.of_column(draw.random(N) < expit(x[:, 0]))


def sides(x: np.ndarray) -> Sides[np.ndarray]:
    return Sides(x[TRAIN], x[TEST])


def saying(scale: float, shift: float) -> Learn:
    """A learner whose logits are the first column, scaled and shifted."""
    return lambda _train, _held: lambda side: np.asarray(scale * side[:, 0] + shift)


def test_calibration_undoes_logits_that_are_too_sure_and_too_high() -> None:
    x, labels = inputs_and_labels()
    found = horizon_probabilities(saying(8, 5), sides(x), labels, FOLDS, UNREAD)
    assert np.abs(found[:, 0] - expit(x[TEST, 0])).max() < 0.05


def test_logits_that_are_right_are_not_calibrated_by_folds_that_differ() -> None:
    """The share of positives of a fold is far from that of the others, so they do not calibrate it."""
    x, labels = inputs_and_labels()
    place = np.argsort(np.argsort(x[TRAIN, 0] + np.random.default_rng(1).normal(0, 3, 5000)))
    apart = Folds(TRAIN, place * 5 // 5000, FOLDS.judged)
    shares = [labels.outcomes[TRAIN[apart.fold == fold], 0].mean() for fold in range(5)]
    assert max(shares) - min(shares) > 0.1
    found = horizon_probabilities(saying(1, 0), sides(x), labels, apart, UNREAD)
    np.testing.assert_allclose(found[:, 0], expit(x[TEST, 0]))


def test_each_fold_has_a_model_and_the_mean_of_their_probabilities_answers() -> None:
    x, labels = inputs_and_labels()
    read: list[int] = []

    def learn(train: Binary, held: Binary) -> LogitFunction:
        read.append(len(train.positive))
        assert len(held.positive) == 1000
        assert not set(held.inputs[:, 0]) & set(train.inputs[:, 0])
        noise = len(read)
        return lambda side: np.asarray(side[:, 0] + 0.1 * noise)

    found = horizon_probabilities(learn, sides(x), labels, FOLDS, UNREAD)
    assert read == [4000] * 5
    answers = expit(x[TEST, 0] + 0.1 * np.arange(1, 6)[:, None])
    assert np.abs(found[:, 0] - answers.mean(axis=0)).max() < 0.1


def test_a_training_customer_is_answered_by_the_model_that_never_read_him() -> None:
    x, labels = inputs_and_labels()
    models = iter(range(5))

    def learn(_train: Binary, _held: Binary) -> LogitFunction:
        number = next(models)
        return lambda side: np.asarray(side[:, 0] + 0.1 * number)

    some = np.arange(len(TEST)) % 6 - 1
    found = horizon_probabilities(learn, sides(x), labels, FOLDS, some)[:, 0]
    models = iter(range(5))
    by_all = horizon_probabilities(learn, sides(x), labels, FOLDS, UNREAD)[:, 0]
    assert np.array_equal(found[some < 0], by_all[some < 0])
    spread = [np.mean(found[some == fold] - by_all[some == fold]) for fold in range(5)]
    assert spread == sorted(spread)
    assert spread[0] < 0 < spread[-1]


def test_the_learner_gets_complete_rows_of_its_horizon_only() -> None:
    x, labels = inputs_and_labels()
    both = Labels(*(np.repeat(part, 2, axis=1) for part in vars(labels).values()))
    both.complete[ROWS[:100], 1] = False
    sizes: list[tuple[int, int]] = []

    def counting(train: Binary, held: Binary) -> LogitFunction:
        sizes.append((len(train.positive), len(held.positive)))
        return lambda side: np.zeros(len(side))

    horizon_probabilities(counting, sides(x), both, FOLDS, UNREAD)
    assert sizes == [(4000, 1000)] * 5 + [(3920, 980)] * 5


def test_boosting_stops_on_the_examples_held_back() -> None:
    x, labels = inputs_and_labels()
    train, held = (Binary(x[r], labels.outcomes[r, 0]) for r in (ROWS[:300], ROWS[300:5000]))
    rounds = _rounds(learn_boosting(train, held, n_codes=0, seed=0))
    assert 1 < rounds < DEFAULT_ROUNDS


def test_boosting_that_cannot_stop_learns_from_the_examples_held_back_too() -> None:
    x, labels = inputs_and_labels()
    train = Binary(x[:300], labels.outcomes[:300, 0])
    alone = learn_boosting(train, Binary(x[:0], labels.outcomes[:0, 0]), n_codes=0, seed=0)
    more = learn_boosting(train, Binary(x[300:400], np.ones(100, dtype=bool)), n_codes=0, seed=0)
    assert _rounds(alone) == DEFAULT_ROUNDS
    assert more(x[500:]).mean() > alone(x[500:]).mean() + 0.2


def test_logistic_regression_finds_the_slope_it_was_drawn_with() -> None:
    x, labels = inputs_and_labels()
    answer = learn_logistic(Binary(x, labels.outcomes[:, 0]), Binary(x[:0], labels.outcomes[:0, 0]))
    low, high = answer(np.array([[0.0], [1.0]]))
    assert abs(low) < 0.1
    assert abs(high - low - 1) < 0.15


def test_a_share_is_of_observed_windows() -> None:
    labels = Labels.of_column(np.array([True, False, False, True]))
    labels.complete[3] = False
    assert share(labels, np.arange(4), 0) == 1 / 3
    assert share(labels, np.array([3]), 0) == 0.5


def _rounds(answer: LogitFunction) -> int:
    return int(answer.__self__.n_iter_)  # type: ignore[attr-defined]
