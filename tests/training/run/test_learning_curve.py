"""A learning curve: more and more of the same customers, always labelled the same test."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from model.probability import Probabilities
from model.scorer import Scorer
from model.values.customers import Examples
from tests.training.shops import LOG, TABLE, log_shop, table_shop
from training.fit.loop import Epoch
from training.fit.model_fit import Fitted
from training.measure.bootstrap import Difference, paired_differences
from training.measure.measuring import measured
from training.prepare import Prepared, prepare
from training.question.labels import LabelledExamples, Labels
from training.run.learning_curve import SHARES, LearningPoint, conclusion, learning_curve
from training.split.deal import Rows
from training.split.plan import Folds, Plan
from training.study.study import read_study


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(log_shop(tmp_path_factory.mktemp("log")).study(LOG))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(table_shop(tmp_path_factory.mktemp("table")).study(TABLE))


@dataclass
class Oracle:
    """Answers that are the bolder the more it was fitted on; remembers what it was labelled."""

    share: float
    labelled: list[Examples] = field(default_factory=list)

    def score(self, _columns: Any, _log: Any, examples: Examples) -> Probabilities:
        self.labelled.append(examples)
        return 0.5 + self.share * (np.random.default_rng(0).random((len(examples), 1)) - 0.5)


@dataclass
class Fits:
    """Stands for `fit_model`, and remembers the folds that it was given."""

    plan: Plan
    folds: list[Folds] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)

    def __call__(self, _asked: LabelledExamples, folds: Folds, *, on_epoch: Any) -> Fitted:
        on_epoch(Epoch(1, 1, 0.1, 0.5, 0.5))
        self.folds.append(folds)
        share = len(folds.rows) / len(self.plan.measured.rows)
        return Fitted(self.oracle(share), (), np.empty((0, 1)), 0.0)

    def oracle(self, share: float) -> Scorer:
        return cast(Scorer, Oracle(share))


def asked_of(prepared: Prepared, labels: Labels | None = None) -> LabelledExamples:
    plan, data = prepared.plan, prepared.dataset
    return LabelledExamples(data.columns, data.log, plan.examples, labels or plan.measured_labels)


def curve(prepared: Prepared, labels: Labels | None = None) -> tuple[tuple[LearningPoint, ...], Fits]:
    fits = Fits(prepared.plan)
    points = learning_curve(
        asked_of(prepared, labels), prepared.plan, fits, fits.oracle(1.0), on_epoch=fits.epochs.append
    )
    return points, fits


@pytest.mark.parametrize("name", ["log", "table"])
def test_shares_of_the_customers_grow_and_smaller_ones_are_within_larger_ones(
    name: str, request: pytest.FixtureRequest
) -> None:
    prepared: Prepared = request.getfixturevalue(name)
    points, fits = curve(prepared)
    plan = prepared.plan
    assert tuple(point.share for point in points) == SHARES
    parts = [folds.rows for folds in (*fits.folds, plan.measured)]
    assert [point.examples for point in points] == [len(rows) for rows in parts]
    everybody = len(np.unique(plan.groups[plan.measured.rows]))
    for share, rows, larger in zip(SHARES[:-1], parts[:-1], parts[1:], strict=True):
        assert set(rows.tolist()) < set(larger.tolist())
        assert len(np.unique(plan.groups[rows])) == int(share * everybody)


def test_a_customer_comes_with_all_examples(log: Prepared) -> None:
    _, fits = curve(log)
    groups, train = log.plan.groups, log.plan.measured.rows
    for folds in fits.folds:
        chosen = np.isin(groups[train], groups[folds.rows])
        assert folds.rows.tolist() == train[chosen].tolist()


def test_examples_keep_their_folds_and_the_whole_is_not_fitted_again(log: Prepared) -> None:
    _, fits = curve(log)
    assert len(fits.folds) == len(fits.epochs) == len(SHARES) - 1
    whole = log.plan.measured
    for folds in fits.folds:
        kept = np.isin(whole.rows, folds.rows)
        assert folds.fold.tolist() == whole.fold[kept].tolist()
        assert folds.judged.tolist() == whole.judged[kept].tolist()
        assert not set(folds.rows.tolist()) & set(log.plan.test.tolist())


def test_every_point_is_measured_on_the_test_at_the_longest_horizon(log: Prepared) -> None:
    fits, plan = Fits(log.plan), log.plan
    whole = fits.oracle(1.0)
    points = learning_curve(asked_of(log), plan, fits, whole, on_epoch=fits.epochs.append)
    (examples,) = cast(Oracle, whole).labelled
    rows = plan.unseen[plan.labels.complete[plan.unseen, -1]]
    assert examples.customers.tolist() == plan.examples.customers[rows].tolist()
    y = plan.labels.outcomes[rows, -1].astype(np.float64)
    p = fits.oracle(1.0).score({}, None, examples)[:, -1]
    assert points[-1].metrics == measured(y, p, plan.groups[rows])


def test_windows_that_are_incomplete_are_not_measured(log: Prepared) -> None:
    plan = log.plan
    complete = plan.labels.complete.copy()
    complete[plan.unseen[:5], -1] = False
    partly = replace(plan, labels=replace(plan.labels, complete=complete))
    points, _ = curve(replace(log, plan=partly))
    assert {point.metrics["n"] for point in points} == {len(plan.unseen) - 5}


def test_positives_are_counted_as_training_knew_them(log: Prepared) -> None:
    points, _ = curve(log)
    known, train = log.plan.measured_labels, log.plan.measured.rows
    told = known.outcomes[train, -1] & known.complete[train, -1]
    assert points[-1].positives == int(told.sum())
    assert [point.positives for point in points] == sorted(point.positives for point in points)


def test_a_gain_is_the_change_of_the_loss_on_the_same_customers(log: Prepared) -> None:
    points, fits = curve(log)
    plan = log.plan
    examples = plan.examples.take(plan.unseen)
    y = plan.labels.outcomes[plan.unseen, -1].astype(np.float64)
    answers = [
        fits.oracle(point.examples / points[-1].examples).score({}, None, examples) for point in points
    ]
    assert points[0].gain is None
    for before, after, point in zip(answers[:-1], answers[1:], points[1:], strict=True):
        wanted = paired_differences(y, before[:, -1], after[:, -1], plan.groups[plan.unseen])["log_loss"]
        assert point.gain == wanted


def few_positives(prepared: Prepared, kept: Rows) -> Labels:
    """The labels, with no other positives in training than these."""
    positive = np.zeros(prepared.plan.measured_labels.outcomes.shape, dtype=bool)
    positive[kept] = True
    return replace(prepared.plan.measured_labels, events=positive, outcomes=positive)


def of_two_folds(folds: Folds, rows: Rows) -> Rows:
    """Two of the rows, in different folds."""
    fold = folds.among(rows).fold
    return rows[[0, int(np.flatnonzero(fold != fold[0])[0])]]


def test_shares_of_which_a_network_would_read_no_positive_are_skipped(table: Prepared) -> None:
    _, fits = curve(table)
    eighth, quarter, half = (folds.rows for folds in fits.folds)
    measured = table.plan.measured
    late = of_two_folds(measured, np.setdiff1d(half, quarter))
    points, _ = curve(table, few_positives(table, late))
    assert [(point.share, point.positives) for point in points] == [(0.5, 2), (1.0, 2)]
    assert points[0].gain is None
    last = of_two_folds(measured, np.setdiff1d(measured.rows, half))
    points, fits = curve(table, few_positives(table, last))
    assert [point.share for point in points] == [1.0]
    assert fits.folds == []
    assert conclusion(points) == "There are too few customers for a learning curve."
    assert len(curve(table, few_positives(table, of_two_folds(measured, eighth)))[0]) == len(SHARES)
    for_one_fold = measured.rows[measured.fold == 1]
    assert [p.share for p in curve(table, few_positives(table, for_one_fold))[0]] == [1.0]


def test_the_smallest_share_of_a_handful_is_one_customer(tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 12)
    prepared = prepare(read_study(shop.study_file(TABLE), []))
    train = prepared.plan.measured.rows
    points, _ = curve(prepared)
    assert points[-1].examples == len(train) < 12
    assert all(point.examples >= 1 for point in points)


def ending_with(gain: Difference | None) -> tuple[LearningPoint, ...]:
    return cast(tuple[LearningPoint, ...], (SimpleNamespace(gain=None), SimpleNamespace(gain=gain)))


@pytest.mark.parametrize(
    ("gain", "expected"),
    [
        (
            Difference(-0.02, -0.03, -0.01),
            "The last doubling of the customers changed the log loss by -0.0200 (95 % interval -0.0300 to "
            "-0.0100): more customers are likely to help.",
        ),
        (
            Difference(-0.001, -0.003, 0.002),
            "The last doubling of the customers changed the log loss by -0.0010 (95 % interval -0.0030 to "
            "+0.0020): no gain beyond chance.",
        ),
        (
            Difference(0.02, 0.01, 0.03),
            "The last doubling of the customers changed the log loss by +0.0200 (95 % interval +0.0100 to "
            "+0.0300): no gain beyond chance.",
        ),
        (Difference(-0.02, None, None), "There are too few customers for a learning curve."),
        (None, "There are too few customers for a learning curve."),
    ],
)
def test_the_last_doubling_tells_about_the_next(gain: Difference | None, expected: str) -> None:
    assert conclusion(ending_with(gain)) == expected


def test_no_points_are_too_few() -> None:
    assert conclusion(()) == "There are too few customers for a learning curve."
