"""Learning, stopping and calibrating of one yes-or-no problem."""

import numpy as np
from scipy.special import expit

from training.baselines.matrix import Sides
from training.baselines.tabular import (
    DEFAULT_ROUNDS,
    Binary,
    LogitFunction,
    horizon_probabilities,
    learn_boosting,
    learn_logistic,
    share,
)
from training.question.labels import Labels

N = 5100
ROWS = np.arange(N, dtype=np.int64)
SIDES = Sides(train=ROWS[:300], held=ROWS[300:5000], test=ROWS[5000:])


def inputs_and_labels() -> tuple[np.ndarray, Labels]:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(N, 1))
    return x, Labels.of_column(draw.random(N) < expit(x[:, 0]))


def on_all_sides(x: np.ndarray) -> Sides[np.ndarray]:
    return SIDES.map(lambda rows: x[rows])


def test_calibration_undoes_logits_that_are_too_sure_and_too_high() -> None:
    x, labels = inputs_and_labels()

    def far_too_sure(_train: Binary, _held: Binary) -> LogitFunction:
        return lambda side: np.asarray(8 * side[:, 0] + 5)

    found = horizon_probabilities(far_too_sure, on_all_sides(x), labels, SIDES)
    assert np.abs(found[:, 0] - expit(x[5000:, 0])).max() < 0.05


def test_the_learner_gets_complete_rows_of_its_horizon_only() -> None:
    x, labels = inputs_and_labels()
    both = Labels(*(np.repeat(part, 2, axis=1) for part in vars(labels).values()))
    both.complete[ROWS[:100], 1] = False
    sizes: list[tuple[int, int]] = []

    def counting(train: Binary, held: Binary) -> LogitFunction:
        sizes.append((len(train.positive), len(held.positive)))
        assert np.array_equal(train.positive, labels.outcomes[300 - len(train.positive) : 300, 0])
        return lambda side: np.zeros(len(side))

    horizon_probabilities(counting, on_all_sides(x), both, SIDES)
    assert sizes == [(300, 4_700), (200, 4_700)]


def test_boosting_stops_on_the_examples_held_back() -> None:
    x, labels = inputs_and_labels()
    train, held = (Binary(x[r], labels.outcomes[r, 0]) for r in (SIDES.train, SIDES.held))
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
