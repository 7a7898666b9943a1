"""Target statistics: smoothed, out of fold in training, of everybody when scoring, no help to a leak."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from model.features.encode import encode
from model.features.scaling import scale
from model.network.network import Network
from model.store.manifest import NetworkSpec
from model.task import ColumnTask
from model.values.columns import column_of
from model.values.customers import Examples
from training.fit import model_fit
from training.fit.loop import Fit, FitData, fit
from training.fit.model_fit import ModelPlan, fit_model
from training.question.labels import LabelledExamples, Labels
from training.schema.fit_schema import ModelFields, fit_schema
from training.schema.rates import (
    MANY,
    WEIGHT,
    category_rates,
    out_of_fold_rates,
    rates_of_asked,
    with_rates,
)
from training.split.plan import Asked, Folds
from training.study.sections import FitOptions

N = 6000


def postcodes(n_codes: int = 120) -> tuple[LabelledExamples, Folds]:
    """Customers of many postcodes, each with a probability of its own."""
    rng = np.random.default_rng(0)
    codes = rng.integers(n_codes, size=N)
    happened = rng.random(N) < rng.uniform(0.05, 0.95, n_codes)[codes]
    examples = Examples(np.arange(N), np.zeros(N, dtype=np.int64))
    labelled = LabelledExamples(
        {"postcode": column_of(f"P{c}" for c in codes)}, None, examples, Labels.of_column(happened)
    )
    return labelled, Folds(np.arange(N), rng.integers(5, size=N), np.ones(N, dtype=bool))


def test_a_rate_is_the_share_drawn_towards_that_of_everybody() -> None:
    codes, happened = np.array([0, 0, 0, 1]), np.array([1.0, 1.0, 0.0, 0.0])
    share = 3 / 6
    expected = np.array([(2 + WEIGHT * share) / (3 + WEIGHT), WEIGHT * share / (1 + WEIGHT), share])
    rates = category_rates(codes, happened, 3)
    assert 1 / (1 + np.exp(-rates)) == pytest.approx(expected)


def test_an_example_reads_the_rate_of_the_other_folds_only() -> None:
    rng = np.random.default_rng(1)
    codes, happened, fold = (
        rng.integers(7, size=300),
        rng.integers(2, size=300).astype(np.float64),
        rng.integers(3, size=300),
    )
    read = out_of_fold_rates(codes, happened, fold, 7)
    for f in range(3):
        others = category_rates(codes[fold != f], happened[fold != f], 7)
        assert read[fold == f] == pytest.approx(others[codes[fold == f]])
    changed = np.where(fold == 1, 1 - happened, happened)
    again = out_of_fold_rates(codes, changed, fold, 7)
    assert again[fold == 1] == pytest.approx(read[fold == 1])
    assert not np.allclose(again[fold != 1], read[fold != 1])


@pytest.mark.parametrize("fold", range(5))
def test_asked_examples_read_the_rates_of_the_other_folds_only(fold: int) -> None:
    labelled, folds = postcodes()
    shown = folds.among(np.arange(N // 2))
    asked = Asked(np.arange(N // 2, N), folds.fold[N // 2 :])
    fields = ModelFields(None, {"postcode": "categorical"})
    schema = fit_schema(fields, labelled.columns, None, labelled.examples, lookback_days=1)
    schema, _ = with_rates(schema, labelled, shown.rows, shown.fold)
    read = (shown.rows, shown.fold, asked.rows, asked.fold)
    (before,) = rates_of_asked(schema, labelled, *read)
    happened = labelled.labels.events[:, 0].copy()
    happened[shown.rows[shown.fold == fold]] ^= True
    changed = replace(labelled, labels=Labels.of_column(happened))
    (after,) = rates_of_asked(schema, changed, *read)
    for f in range(5):
        assert np.array_equal(before[asked.fold == f], after[asked.fold == f]) == (f == fold)
    assert np.corrcoef(before, happened[asked.rows])[0, 1] > 0.3


def test_a_category_of_one_row_tells_nothing_of_its_own_label() -> None:
    rng = np.random.default_rng(2)
    happened = rng.integers(2, size=400).astype(np.float64)
    read = out_of_fold_rates(np.arange(400), happened, np.arange(400) % 5, 400)
    share_of_others = [happened[np.arange(400) % 5 != f].mean() for f in range(5)]
    assert np.ptp(read) < 4 * np.ptp(share_of_others) + 0.05


@pytest.mark.parametrize(("n_codes", "rated"), [(MANY - 1, 0), (MANY, 1), (120, 1)])
def test_columns_of_many_categories_get_rates(n_codes: int, rated: int) -> None:
    labelled, folds = postcodes(n_codes)
    schema = fit_schema(
        ModelFields(None, {"postcode": "categorical"}),
        labelled.columns,
        None,
        labelled.examples,
        lookback_days=1,
    )
    told, read = with_rates(schema, labelled, folds.rows, folds.fold)
    assert len(told.rated) == len(read) == rated
    assert schema.rated == ()
    if rated:
        assert len(told.rated[0].log_odds) == n_codes + 2
        assert read[0].dtype == np.float32
        assert abs(float(read[0].mean())) < 0.1


def test_a_fit_reads_the_rates_of_the_other_folds_and_answers_with_those_of_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    labelled, folds = postcodes()
    shown = folds.among(np.arange(900))
    seen: list[FitData] = []

    def listening(network: Network, data: FitData, *rest: Any, **options: Any) -> Fit:
        seen.append(data)
        return fit(network, data, *rest, **options)

    monkeypatch.setattr(model_fit, "fit", listening)
    spec = NetworkSpec(
        head="mlp", width=8, layers=1, dropout=0.0, embedding=2, folds=5, members=2, piecewise=True
    )
    task = ColumnTask(column="left", positive="1")
    model = ModelPlan(task, ModelFields(None, {"postcode": "categorical"}), spec)
    options = FitOptions(device="cpu", epochs=1, patience=1, batch_size=64)
    schema = fit_model(labelled, shown, model, options, on_epoch=lambda _: None).scorer.schema
    (rates,) = schema.rated
    codes = seen[0].inputs.categories[:, 0]
    happened = labelled.labels.events[shown.rows, 0].astype(np.float64)
    unseen = out_of_fold_rates(codes, happened, shown.fold, len(rates.log_odds))
    assert seen[0].inputs.numeric[:, -1] == pytest.approx(scale(unseen, rates.scaling))
    answered = encode(schema, labelled.columns, None, labelled.examples, lookback_days=1, with_steps=False)
    of_all = np.array(rates.log_odds)[answered.categories[:, 0]]
    assert answered.numeric[:, -1] == pytest.approx(scale(of_all, rates.scaling))
    assert rates.log_odds == pytest.approx(category_rates(codes, happened, len(rates.log_odds)).tolist())
