"""Random studies of 20,000 rows with few positives: the published network on rows that no fit has read."""

from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from model.task import ColumnTask
from model.values.columns import Column, column_of
from model.values.customers import Examples
from training.fit.distill import distilled
from training.fit.model_fit import ModelPlan, fit_model
from training.question.labels import LabelledExamples, Labels
from training.schema.fit_schema import ModelFields
from training.split.deal import deal_folds
from training.split.plan import Folds
from training.study.sections import FitOptions, NetworkOptions

N: Final = 20_000
NEW: Final = 40_000
STUDIES: Final = list(enumerate([5, 10, 30, 100, 400] * 4))


def drawn(seed: int, positives: int) -> tuple[LabelledExamples, NDArray[np.float64], ModelFields]:
    """Numbers and categories, some of them informative; `positives` among the first N; the true shares."""
    draw, n = np.random.default_rng(seed), N + NEW
    numbers = draw.normal(size=(n, draw.integers(2, 8)))
    codes = [draw.integers(draw.choice([3, 12, 200]), size=n) for _ in range(draw.integers(0, 4))]
    signal = numbers @ draw.normal(size=numbers.shape[1]) * draw.choice([0, 0.3, 0.8])
    for code in codes:
        signal += draw.normal(size=code.max() + 1)[code] * draw.choice([0, 0.5])
    shift = np.log(positives / N) - np.log(np.exp(signal).mean())
    happened = draw.random(n) < expit(signal + shift)
    first = np.argsort(-signal[:N] - draw.gumbel(size=N))[:positives]
    happened[:N] = np.isin(np.arange(N), first)
    columns: dict[str, Column] = {f"x{i}": x for i, x in enumerate(numbers.T)}
    columns |= {f"c{i}": column_of([f"v{v}" for v in code]) for i, code in enumerate(codes)}
    fields = ModelFields(None, {c: "numeric" if c[0] == "x" else "categorical" for c in columns})
    about = Examples(np.arange(n), np.zeros(n, dtype=np.int64))
    return LabelledExamples(columns, None, about, Labels.of_column(happened)), expit(signal + shift), fields


@pytest.mark.heavy
@pytest.mark.parametrize(("seed", "positives"), STUDIES)
def test_the_probabilities_of_new_rows_are_right_on_average_and_no_worse_than_the_base_rate(
    seed: int, positives: int
) -> None:
    about, truth, fields = drawn(seed, positives)
    rows, happened = np.arange(N), about.labels.events[:N, 0]
    fold = deal_folds(rows, happened.astype(np.int64), 5, np.random.default_rng(seed).random(N))
    folds, options = Folds(rows, fold, np.ones(N, dtype=bool)), FitOptions(device="cpu")
    model = ModelPlan(ColumnTask(column="y", positive="1"), fields, NetworkOptions().spec)
    published = distilled(fit_model(about, folds, model, options, on_epoch=lambda _: None), options)
    p = published.scorer.score(about.columns, None, about.examples)[:, 0]
    rate, noise = positives / N, 2 / np.sqrt(positives)
    assert p[:N].mean() == pytest.approx(rate, rel=0.1)
    assert p[N:].mean() == pytest.approx(rate, rel=0.1)
    assert p[N:].mean() == pytest.approx(truth[N:].mean(), rel=0.1 + noise)
    assert _loss(p[N:], truth[N:]) <= _loss(np.full(NEW, rate), truth[N:]) + 0.002


def _loss(p: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """The expected log loss in nats."""
    return float(-(truth * np.log(p) + (1 - truth) * np.log1p(-p)).mean())
