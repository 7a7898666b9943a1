"""From examples to calibrated networks: a fold's network never reads its labels, and a seed repeats."""

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from model.errors import DeviceError
from model.features.encode import encode
from model.network.inference import TorchNetwork
from model.probability import Calibration
from model.store.manifest import NetworkSpec
from model.task import ColumnTask
from model.values.columns import Column, column_of
from model.values.customers import Examples
from tests.training.fit.small_fits import same, weights_of
from training.fit import loop, model_fit
from training.fit.calibrate import bagged, fit_calibration, logit_of_mean
from training.fit.loop import Fit, Schedule
from training.fit.model_fit import (
    BATCH_SIZES,
    EPOCHS,
    STEPS,
    Fitted,
    ModelPlan,
    fit_model,
    n_drawn,
    schedule_of,
)
from training.question.labels import LabelledExamples, Labels
from training.schema.fit_schema import ModelFields
from training.split.plan import Asked, Folds
from training.study.sections import FitOptions

N: Final = 400
ROWS: Final = np.arange(N, dtype=np.int64)
F: Final = 3
FOLDS: Final = Folds(rows=ROWS[:360], fold=ROWS[:360] * 7 % F, judged=ROWS[:360] % 4 > 0)  # the rest: test
SPEC: Final = NetworkSpec(
    head="mlp", width=8, layers=1, dropout=0.2, embedding=2, folds=F, members=2, piecewise=True
)
MODEL: Final = ModelPlan(
    ColumnTask(column="left", positive="1"), ModelFields(None, {"a": "numeric", "b": "numeric"}), SPEC
)
OPTIONS: Final = FitOptions(
    device="cpu", epochs=3, patience=3, batch_size=32, learning_rate=0.02, weight_decay=0.0, seed=0
)


def labelled(
    *, flip: np.ndarray[Any, Any] | None = None, unread: np.ndarray[Any, Any] | None = None
) -> LabelledExamples:
    """Who leaves has a positive `a`; flipped rows have the other label, unread ones odd values."""
    draw = np.random.default_rng(0)
    a, b = draw.normal(size=N), draw.normal(size=N)
    left = a + draw.normal(size=N) > 0
    if flip is not None:
        left[flip] = ~left[flip]
    if unread is not None:
        a[unread], b[unread] = 1e6, np.nan
    columns: dict[str, Column] = {"a": column_of(a.tolist()), "b": column_of(b.tolist())}
    return LabelledExamples(
        columns, None, Examples(ROWS, np.zeros(N, dtype=np.int64)), Labels.of_column(left)
    )


def fitted(
    about: LabelledExamples | None = None,
    *,
    folds: Folds = FOLDS,
    asked: Asked | None = None,
    **changes: Any,
) -> Fitted:
    options = OPTIONS.model_copy(update=changes)
    return fit_model(about or labelled(), folds, MODEL, options, on_epoch=lambda _: None, asked=asked)


def same_weights(one: Fitted, other: Fitted) -> bool:
    """Whether two networks agree to the bit."""
    return same(one.scorer.weights, other.scorer.weights)


def said_by_folds(fit: Fitted, about: LabelledExamples) -> np.ndarray[Any, Any]:
    """(F, n, 1) logits of each fold's network for the examples of the fit."""
    inputs = encode(
        fit.scorer.schema,
        about.columns,
        None,
        about.examples.take(FOLDS.rows),
        lookback_days=1,
        with_steps=False,
    )
    return bag_of(fit).fold_logits(inputs)


def bag_of(fit: Fitted) -> TorchNetwork:
    assert fit.answers
    return fit.answers.bag


def test_what_was_learnt_ranks_unseen_drawn() -> None:
    about = labelled()
    fit = fitted(about, epochs=10)
    probabilities = fit.scorer.score(about.columns, None, about.examples)[360:, 0]
    left = about.labels.events[360:, 0]
    assert probabilities[left].mean() > probabilities[~left].mean() + 0.2
    assert not bag_of(fit).network.training
    assert fit.seconds > 0


def test_a_seed_repeats_to_the_bit_and_another_does_not() -> None:
    one, again, other = fitted(), fitted(), fitted(seed=1)
    assert same_weights(one, again)
    assert one.scorer.calibration == again.scorer.calibration
    assert one.history == again.history
    assert not same_weights(one, other)


def test_the_caller_s_random_state_is_neither_read_nor_touched() -> None:
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    one = fitted()
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(8)
    assert same_weights(one, fitted())


def test_test_rows_change_nothing() -> None:
    one, other = fitted(), fitted(labelled(flip=ROWS[360:], unread=ROWS[360:]))
    assert same_weights(one, other)
    assert one.scorer == other.scorer
    assert one.history == other.history


@pytest.mark.parametrize("fold", range(F))
def test_labels_of_a_fold_change_the_networks_of_the_others_and_the_calibration(fold: int) -> None:
    """After one epoch: which of several is kept, all judged examples decide."""
    one, other = fitted(epochs=1), fitted(labelled(flip=FOLDS.rows[FOLDS.fold == fold]), epochs=1)
    mine, theirs = bag_of(one).network, bag_of(other).network
    for f in range(F):
        assert same(weights_of(mine, f), weights_of(theirs, f)) == (f == fold)
    assert one.scorer.calibration != other.scorer.calibration
    assert one.history[0].validation_loss < other.history[0].validation_loss


@pytest.mark.parametrize("fold", range(F))
def test_no_asked_example_is_answered_by_a_network_that_read_the_labels_of_its_fold(
    fold: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After one epoch and uncalibrated: the choice of the epoch and two numbers are from all folds."""
    asked = Asked(ROWS[360:], ROWS[360:] % F)
    plain = Calibration(slopes=(1.0,), intercepts=(0.0,))
    monkeypatch.setattr(model_fit, "fit_calibration", lambda *_: plain)
    flipped = labelled(flip=FOLDS.rows[FOLDS.fold == fold])
    one, other = (fitted(about, epochs=1, asked=asked).asked for about in (labelled(), flipped))
    assert one is not None
    assert other is not None
    for f in range(F):
        assert np.array_equal(one[asked.fold == f], other[asked.fold == f]) == (f == fold)


def test_an_asked_example_is_answered_as_a_judged_one_is() -> None:
    """The examples of the fit, asked once more, get their out-of-fold logits."""
    fit = fitted(asked=Asked(FOLDS.rows, FOLDS.fold))
    assert fit.asked is not None
    assert fit.asked[FOLDS.judged] == pytest.approx(expit(fit.unseen), abs=1e-5)


def test_calibration_is_fitted_on_what_networks_say_that_never_read_the_example() -> None:
    about = labelled()
    fit = fitted(about, epochs=4)
    spread = said_by_folds(fit, about)
    judged = FOLDS.judged
    unseen = spread[FOLDS.fold, np.arange(len(FOLDS.rows))][judged]
    labels = about.labels.take(FOLDS.rows[judged])
    single = fit_calibration(unseen, labels.events, labels.at_risk)
    wanted = bagged(single, spread, logit_of_mean(spread))
    assert fit.scorer.calibration.slopes == pytest.approx(wanted.slopes, abs=1e-4)
    assert fit.scorer.calibration.intercepts == pytest.approx(wanted.intercepts, abs=1e-4)
    assert fit.unseen == pytest.approx(single.apply(unseen), abs=1e-4)


def test_the_validation_loss_is_that_of_the_calibrated_unseen_logits() -> None:
    about = labelled()
    fit = fitted(about, epochs=8)
    events = about.labels.events[FOLDS.rows[FOLDS.judged]]
    losses = np.logaddexp(0.0, fit.unseen) - events * fit.unseen
    assert fit.validation_loss == pytest.approx(losses.mean())


def test_every_fold_answers_so_many_examples_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    everyone = fitted(epochs=1).answers
    monkeypatch.setattr(model_fit, "MAX_ANSWERED", 50)
    some = fitted(epochs=1).answers
    assert everyone
    assert some
    assert len(everyone.inputs) == len(FOLDS.rows)
    assert len(some.inputs) == some.by_fold.shape[1] == 50
    np.testing.assert_array_equal(some.inputs.numeric[[0, -1]], everyone.inputs.numeric[[0, -1]])


def test_statistics_come_from_the_examples_of_the_fit() -> None:
    assert fitted(labelled(unread=ROWS[360:]), epochs=1).scorer.schema == fitted(epochs=1).scorer.schema
    assert fitted(labelled(unread=ROWS[:1]), epochs=1).scorer.schema != fitted(epochs=1).scorer.schema


def test_a_device_that_is_not_here_is_refused() -> None:
    absent = next(
        name for name in ("mps", "cuda:99") if name != "mps" or not torch.backends.mps.is_available()
    )
    with pytest.raises(DeviceError, match=f"got '{absent}'"):
        fitted(device=absent)


AUTOMATIC: Final = FitOptions()


@given(st.integers(0, 2_000_000), st.integers(0, 2_000_000))
def test_an_automatic_batch_size_is_a_power_of_two_that_grows_with_the_data(some: int, more: int) -> None:
    few, many = (schedule_of(AUTOMATIC, n).batch_size for n in sorted((some, more)))
    assert few <= many
    assert BATCH_SIZES[0] <= few
    assert many <= BATCH_SIZES[1]
    assert few & (few - 1) == 0


@given(st.integers(0, 2_000_000))
def test_automatic_epochs_are_about_so_many_steps(n: int) -> None:
    schedule = schedule_of(AUTOMATIC, n)
    epochs, steps = schedule.epochs, schedule.steps
    assert EPOCHS[0] <= epochs <= EPOCHS[1]
    if EPOCHS[0] < epochs < EPOCHS[1]:
        assert STEPS - steps < epochs * steps <= STEPS
    elif epochs == EPOCHS[1]:
        assert epochs * steps <= STEPS
    else:
        assert (epochs + 1) * steps > STEPS


def test_few_examples_are_read_often_and_many_seldom() -> None:
    assert schedule_of(AUTOMATIC, 0).epochs == schedule_of(AUTOMATIC, 100).epochs == EPOCHS[1]
    assert schedule_of(AUTOMATIC, 1_000_000).epochs == EPOCHS[0]


@given(st.integers(0, 2_000_000))
def test_an_automatic_patience_is_a_quarter_of_the_epochs_but_three_at_least(n: int) -> None:
    schedule = schedule_of(AUTOMATIC, n)
    assert schedule.patience == max(schedule.epochs // 4, 3)
    assert schedule_of(FitOptions(epochs=100), n).patience == 25
    assert schedule_of(FitOptions(epochs=2), n).patience == 3


def test_what_the_study_sets_is_kept() -> None:
    assert schedule_of(FitOptions(batch_size=7, epochs=9, patience=8), N) == Schedule(7, round(N / 7), 9, 8)


def test_an_epoch_draws_as_many_examples_as_there_are_customers() -> None:
    about = labelled()
    about = replace(about, examples=Examples(ROWS // 4, about.examples.cutoffs))
    read = FOLDS.rows[FOLDS.fold != 0]
    assert n_drawn(about, FOLDS) == n_drawn(about, FOLDS.first) == len(np.unique(read // 4))


def test_one_network_alone_is_fitted_for_as_many_steps_as_in_the_bag(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the shuffled split has it."""
    schedules: list[Schedule] = []

    def recorded(*args: Any, **kwargs: Any) -> Fit:
        schedules.append(args[3])
        return loop.fit(*args, **kwargs)

    monkeypatch.setattr(model_fit, "fit", recorded)
    alone = replace(MODEL, spec=SPEC.model_copy(update={"folds": 1}))
    options = FitOptions(device="cpu", epochs=1)
    fit_model(labelled(), FOLDS, MODEL, options, on_epoch=lambda _: None)
    fit = fit_model(labelled(), FOLDS.first, alone, options, on_epoch=lambda _: None)
    assert schedules[0] == schedules[1]
    assert schedules[0].steps == round(240 / 64)
    assert len(fit.unseen) == int(FOLDS.first.judged.sum())


def test_so_many_epochs_are_planned() -> None:
    """360 examples, 32 in a batch: 11 steps an epoch, so that as many epochs as may be are planned."""
    history = fitted(epochs=None, patience=2).history
    assert {epoch.planned for epoch in history} == {EPOCHS[1]}
    assert len(history) <= EPOCHS[1]
