"""One network in place of a bag: it answers alike, no label is shown to it, and a seed repeats."""

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pytest
import torch

from model.store.manifest import NetworkSpec
from model.task import ColumnTask
from model.values.columns import Column, column_of
from model.values.customers import Examples
from tests.training.fit.small_fits import same
from training.fit import distill
from training.fit.distill import MAX_EXCESS, distillation_sentence, distilled, synthetic_inputs
from training.fit.model_fit import Fitted, ModelPlan, fit_model
from training.question.labels import LabelledExamples, Labels
from training.schema.fit_schema import ModelFields
from training.split.plan import Folds
from training.study.sections import FitOptions

N: Final = 3300
TRAIN: Final = np.arange(3000, dtype=np.int64)
TEST: Final = np.arange(3000, N, dtype=np.int64)
FOLDS: Final = Folds(rows=TRAIN, fold=TRAIN * 7 % 3, judged=TRAIN % 4 > 0)
SPEC: Final = NetworkSpec(
    head="mlp", width=16, layers=2, dropout=0.0, embedding=4, folds=3, members=2, piecewise=True
)
FIELDS: Final = ModelFields(
    None, {"age": "numeric", "spent": "numeric", "plan": "categorical", "postcode": "categorical"}
)
TASK: Final = ColumnTask(column="left", positive="1")
OPTIONS: Final = FitOptions(
    device="cpu", epochs=6, patience=6, batch_size=64, learning_rate=0.02, weight_decay=0.0, seed=0
)


def labelled() -> LabelledExamples:
    """Whole ages, of which few differ; money; a plan; and a postcode of many."""
    draw = np.random.default_rng(0)
    age, spent = draw.integers(20, 75, N), draw.lognormal(size=N)
    plan, postcode = draw.integers(3, size=N), draw.integers(70, size=N)
    left = draw.random(N) < 1 / (1 + np.exp(-(age - 45) / 8 - np.log(spent) - (plan == 1) + postcode / 50))
    columns: dict[str, Column] = {
        "age": column_of(age.tolist()),
        "spent": column_of([None if n % 9 == 0 else value for n, value in enumerate(spent.tolist())]),
        "plan": column_of([f"plan {n}" for n in plan]),
        "postcode": column_of([f"code {n}" for n in postcode]),
    }
    return LabelledExamples(
        columns, None, Examples(np.arange(N), np.zeros(N, dtype=np.int64)), Labels.of_column(left)
    )


@pytest.fixture(autouse=True)
def _real_steps(real_steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distill, "STEPS", real_steps)


@pytest.fixture(scope="module")
def bag() -> Fitted:
    model = ModelPlan(TASK, FIELDS, SPEC)
    return fit_model(labelled(), FOLDS, model, OPTIONS, on_epoch=lambda _: None)


def student_of(bag: Fitted, **changes: Any) -> Fitted:
    return distilled(bag, OPTIONS.model_copy(update=changes))


def test_one_network_answers_as_the_bag_does(bag: Fitted) -> None:
    about, student = labelled(), student_of(bag)
    told, said = (
        fit.scorer.score(about.columns, None, about.examples.take(TEST))[:, 0] for fit in (bag, student)
    )
    assert np.abs(told - said).mean() < 0.02 < told.std() / 5
    assert student.excess is not None
    assert 0 <= student.excess < MAX_EXCESS
    assert (student.scorer.spec.folds, student.scorer.spec.members) == (1, 1)
    assert student.scorer.schema == bag.scorer.schema
    assert student.seconds > bag.seconds
    assert student.unseen is bag.unseen
    assert bag.excess is None
    assert distillation_sentence(bag) == ""
    assert distillation_sentence(student) == (
        f"One network replaces the bag and adds {student.excess:.4f} to its log loss."
    )


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough to see whether two students are the same."""
    monkeypatch.setattr(distill, "STEPS", 20)
    monkeypatch.setattr(distill, "MAX_EXCESS", np.inf)


@pytest.mark.usefixtures("few_steps")
def test_a_seed_repeats_to_the_bit_and_leaves_the_callers_random_state_alone(bag: Fitted) -> None:
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    one, again, other = student_of(bag), student_of(bag), student_of(bag, seed=1)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert one.excess == again.excess != other.excess
    assert same(one.scorer.weights, again.scorer.weights)
    assert not same(one.scorer.weights, other.scorer.weights)


@pytest.mark.usefixtures("few_steps")
def test_it_learns_of_an_example_from_the_network_that_never_read_it(
    bag: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers of the other networks about training examples do not reach it."""
    monkeypatch.setattr(distill, "MAX_EXCESS", np.inf)
    answers = bag.answers
    assert answers is not None
    read = np.arange(SPEC.folds)[:, None] != answers.fold
    other = replace(answers, by_fold=np.where(read[:, :, None], 9.0, answers.by_fold))
    one, changed = student_of(bag), student_of(replace(bag, answers=other))
    assert same(one.scorer.weights, changed.scorer.weights)


def test_its_mean_probability_is_that_of_the_judged_examples(bag: Fitted) -> None:
    student, answers = student_of(bag).scorer, bag.answers
    assert answers is not None
    judged = answers.judged[:, 0]
    said = student.probabilities(student.logits(answers.inputs))[judged, 0]
    assert said.mean() == pytest.approx(labelled().labels.events[TRAIN[FOLDS.judged]].mean(), rel=1e-3)


def test_a_bag_that_cannot_be_matched_is_published_itself(
    bag: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distill, "STEPS", 1)
    monkeypatch.setattr(distill, "MAX_EXCESS", 1e-4)
    kept = student_of(bag)
    assert kept.scorer is bag.scorer
    assert kept.excess is not None
    assert kept.excess > 1e-4
    assert (
        distillation_sentence(kept)
        == f"The bag is used: one network in its place would add {kept.excess:.4f} to the log loss, "
        "measured against its teachers."
    )


def test_a_head_that_reads_sequences_stays_a_bag() -> None:
    model = ModelPlan(TASK, FIELDS, SPEC.model_copy(update={"head": "cnn"}))
    sequences = fit_model(
        labelled(), FOLDS, model, OPTIONS.model_copy(update={"epochs": 1}), on_epoch=lambda _: None
    )
    assert student_of(sequences) is sequences


def test_a_synthetic_example_mixes_columns_and_keeps_together_what_one_column_says(bag: Fitted) -> None:
    about, schema = labelled(), bag.scorer.schema
    known = bag.scorer.inputs(about.columns, None, about.examples.take(TRAIN))
    assert [c.name for _, c in schema.valued] == ["age"]
    assert len(schema.rated) == 1
    made, _ = synthetic_inputs(known, schema, 5000)
    for got, whole in ((made.numeric, known.numeric), (made.categories, known.categories)):
        for column in range(whole.shape[1]):
            assert set(np.nan_to_num(got[:, column], nan=99)) <= set(np.nan_to_num(whole[:, column], nan=99))
    numbers, codes = np.nan_to_num(made.numeric, nan=99).tolist(), made.categories.tolist()
    before = list(zip(known.numeric.tolist(), known.categories.tolist(), strict=True))
    age_codes = {(number[0], code[2]) for number, code in before}
    rates = {(number[2], code[1]) for number, code in before}
    drawn = list(zip(numbers, codes, strict=True))
    assert {(number[0], code[2]) for number, code in drawn} <= age_codes
    assert {(number[2], code[1]) for number, code in drawn} <= rates
    together = {(number[0], code[1]) for number, code in drawn} - {(n[0], c[1]) for n, c in before}
    assert together  # an age with a postcode that no example has


def test_the_mean_probability_is_the_base_rate_with_the_rates_that_a_prediction_reads() -> None:
    """A few positives among 70 codes move the rates of all rows with their codes."""
    about = labelled()
    happened = np.zeros(N, dtype=bool)
    happened[TRAIN[1::250]] = True
    about = replace(about, labels=Labels.of_column(happened))
    bag = fit_model(about, FOLDS, ModelPlan(TASK, FIELDS, SPEC), OPTIONS, on_epoch=lambda _: None)
    judged = TRAIN[FOLDS.judged]
    for fit in (bag, student_of(bag)):
        p = fit.scorer.score(about.columns, None, about.examples.take(judged))
        assert p.mean() == pytest.approx(happened[judged].mean(), rel=0.02)
