"""Gradient boosting as a second teacher: only where it helps on examples that no teacher had read."""

from dataclasses import replace
from typing import Final

import numpy as np
import pytest
from scipy.special import logit

from model.task import LogTask
from model.values.columns import Column, column_of
from model.values.customers import Examples
from tests.training.fit.small_fits import same
from tests.training.fit.test_distill import SPEC, TASK
from training.fit import distill
from training.fit.calibrate import log_loss_of
from training.fit.distill import distillation_sentence, distilled
from training.fit.model_fit import Fitted, ModelPlan, fit_model
from training.fit.teachers import WEIGHTS, second_teacher
from training.question.labels import LabelledExamples, Labels
from training.schema.fit_schema import ModelFields
from training.split.plan import Folds
from training.study.sections import FitOptions

N: Final = 3000
ROWS: Final = np.arange(N, dtype=np.int64)
FOLDS: Final = Folds(ROWS[:2400], ROWS[:2400] % 3, np.ones(2400, dtype=bool))
TEST: Final = ROWS[2400:]
OPTIONS: Final = FitOptions(device="cpu", epochs=2, batch_size=256, learning_rate=0.002)


def labelled(positives: int | None = None) -> LabelledExamples:
    """The outcome is a chessboard of two numbers, which trees find and a short fit of a network does not."""
    draw = np.random.default_rng(0)
    a, b = draw.random(N), draw.random(N)
    left = draw.random(N) < np.where((a > 0.5) ^ (b > 0.5), 0.9, 0.1)
    if positives is not None:
        left = positives > ROWS
    columns: dict[str, Column] = {"a": column_of(a.tolist()), "b": column_of(b.tolist())}
    return LabelledExamples(
        columns, None, Examples(ROWS, np.zeros(N, dtype=np.int64)), Labels.of_column(left)
    )


def bag_of(about: LabelledExamples) -> Fitted:
    fields = ModelFields(None, {"a": "numeric", "b": "numeric"})
    return fit_model(about, FOLDS, ModelPlan(TASK, fields, SPEC), OPTIONS, on_epoch=lambda _: None)


@pytest.fixture(scope="module")
def bag(real_steps: int) -> Fitted:  # noqa: ARG001
    return bag_of(labelled())


def test_the_network_learns_what_the_trees_know(
    bag: Fitted, real_steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distill, "STEPS", real_steps)
    about, boosting, student = labelled(), second_teacher(bag, 0), distilled(bag, OPTIONS)
    assert boosting is not None
    assert student.boosting == boosting.weight == max(WEIGHTS)
    y = about.labels.outcomes[TEST, 0]
    known = [fit.scorer.score(about.columns, None, about.examples.take(TEST))[:, 0] for fit in (bag, student)]
    of_bag, of_student = (log_loss_of(logit(p), y) for p in known)
    assert of_student < of_bag
    assert f"blended with gradient boosting (weight {max(WEIGHTS):g})" in distillation_sentence(student)


def test_an_example_is_answered_by_the_trees_that_never_read_it(bag: Fitted) -> None:
    """Other labels in one fold leave the order of its own answers as it is."""
    answers = bag.answers
    assert answers is not None
    own = answers.fold == 0
    flipped = np.where(own[:, None], ~answers.events, answers.events)
    one, other = (
        second_teacher(replace(bag, answers=replace(answers, events=events)), 0)
        for events in (answers.events, flipped)
    )
    assert one is not None
    assert other is not None
    assert np.corrcoef(one.unseen[own, 0], other.unseen[own, 0])[0, 1] > 0.5


def test_a_blend_is_the_weighted_mean_of_logits(bag: Fitted) -> None:
    boosting = second_teacher(bag, 0)
    assert boosting is not None
    half = replace(boosting, weight=0.5)
    assert half.blend(np.array([[1.0]]), np.array([[3.0]])) == pytest.approx(np.array([[2.0]]))


def test_trees_that_do_not_help_are_left_out() -> None:
    noise = labelled()
    noise = replace(noise, labels=Labels.of_column(np.random.default_rng(1).random(N) < 0.5))
    bag = bag_of(noise)
    assert second_teacher(bag, 0) is None
    student = distilled(bag, OPTIONS)
    assert student.boosting == 0
    assert "boosting" not in distillation_sentence(student)


def test_a_fold_without_both_outcomes_or_a_study_with_windows_has_one_teacher(bag: Fitted) -> None:
    assert second_teacher(bag_of(labelled(positives=2)), 0) is None
    windows = replace(bag.scorer, task=LogTask(outcome="occurs", horizons_days=(30,)))
    assert second_teacher(replace(bag, scorer=windows), 0) is None


def test_a_seed_repeats(bag: Fitted) -> None:
    one, again = distilled(bag, OPTIONS), distilled(bag, OPTIONS)
    assert same(one.scorer.weights, again.scorer.weights)
