"""The score of a customer is the same alone, among others, in shards and by every way."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from model.errors import SchemaError
from model.features.encode import encode
from model.features.inputs import Inputs
from model.network.batch import gather
from model.network.inference import TorchNetwork
from model.probability import Calibration, Probabilities
from model.scorer import Scorer
from model.store.manifest import HeadName
from model.task import LogTask
from model.values.columns import column_of
from tests.model.networks import (
    FOLDS,
    HEADS,
    MEMBERS,
    SCHEMAS,
    customers_of,
    random_network,
    random_scorer,
    some_rows,
)

PAIRS = [(head, kind) for head in HEADS for kind in SCHEMAS]
every_head = pytest.mark.parametrize(("head", "kind"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
each_kind = pytest.mark.parametrize("kind", SCHEMAS)


def bag_of(head: HeadName, kind: str) -> TorchNetwork:
    return TorchNetwork(random_network(head, kind), torch.device("cpu"))


def scores(scorer: Scorer, rows: list[dict[str, object]]) -> Probabilities:
    customers = customers_of(scorer.schema, rows)
    return scorer.score(customers.columns, customers.log, customers.examples())


def inputs_of(scorer: Scorer, n: int) -> Inputs:
    customers = customers_of(scorer.schema, some_rows(scorer.schema, n))
    return encode(
        scorer.schema,
        customers.columns,
        customers.log,
        customers.examples(),
        lookback_days=365,
        with_steps=scorer.spec.reads_steps,
    )


def assert_same(got: Probabilities, wanted: Probabilities) -> None:
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-6)


@every_head
def test_many_at_once_score_as_one_at_a_time(head: HeadName, kind: str) -> None:
    scorer, rows = random_scorer(head, kind), some_rows(SCHEMAS[kind], 40)
    together = scores(scorer, rows)
    assert together.std(axis=0).min() > 1e-4
    assert_same(np.concatenate([scores(scorer, [row]) for row in rows]), together)
    assert_same(scores(scorer, rows[::-1])[::-1], together)


@every_head
def test_the_size_of_a_batch_does_not_matter(
    head: HeadName, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer, rows = random_scorer(head, kind), some_rows(SCHEMAS[kind], 12)
    together = scores(scorer, rows)
    for size in (1, 4, 5):
        monkeypatch.setattr("model.network.inference.BATCH_SIZE", size)
        monkeypatch.setattr("model.quick.numpy_network._LEAST", size)
        monkeypatch.setattr("model.quick.numpy_network._BLOCK", size)
        assert_same(scores(scorer, rows), together)


@every_head
def test_no_customer_gets_no_score(head: HeadName, kind: str) -> None:
    scorer = random_scorer(head, kind)
    assert scores(scorer, []).shape == (0, scorer.task.n_outputs)


@each_kind
def test_scores_are_probabilities_in_double_precision(kind: str) -> None:
    got = scores(random_scorer("mlp", kind), some_rows(SCHEMAS[kind], 40))
    assert got.dtype == np.float64
    assert ((got > 0) & (got < 1)).all()


def test_absence_is_what_occurrence_is_not() -> None:
    absent, rows = random_scorer("cnn", "log"), some_rows(SCHEMAS["log"])
    occurs = replace(absent, task=LogTask(outcome="occurs", horizons_days=(30, 90, 180)))
    no, yes = scores(absent, rows), scores(occurs, rows)
    np.testing.assert_allclose(no + yes, 1, rtol=0, atol=1e-12)
    assert (np.diff(yes, axis=1) > 0).all()
    assert (np.diff(no, axis=1) < 0).all()


def test_each_logit_is_calibrated_by_its_own_slope_and_intercept() -> None:
    rows = some_rows(SCHEMAS["log"])
    scorer = replace(random_scorer("mlp", "log"), task=LogTask(outcome="occurs", horizons_days=(30, 90, 180)))

    def hazards(calibration: Calibration) -> Probabilities:
        """The logit of each interval, taken back from the probabilities."""
        survival = 1 - scores(replace(scorer, calibration=calibration), rows)
        before = np.concatenate([np.ones((len(rows), 1)), survival[:, :-1]], axis=1)
        hazard = 1 - survival / before
        logits: Probabilities = np.log(hazard / (1 - hazard))
        return logits

    plain = hazards(Calibration(slopes=(1.0, 1.0, 1.0), intercepts=(0.0, 0.0, 0.0)))
    got = hazards(Calibration(slopes=(2.0, 0.5, 1.0), intercepts=(0.0, 1.0, -1.0)))
    np.testing.assert_allclose(got, plain * [2.0, 0.5, 1.0] + [0.0, 1.0, -1.0], atol=1e-9)


@every_head
def test_each_fold_returns_the_mean_probability_of_its_members(head: HeadName, kind: str) -> None:
    bag, inputs = bag_of(head, kind), inputs_of(random_scorer(head, kind), 12)
    got = bag.fold_logits(inputs)
    assert got.dtype == np.float64
    with torch.no_grad():
        members = bag.network.folds(gather(inputs, torch.arange(12))).double().sigmoid()
    assert members.shape[:2] == (FOLDS, MEMBERS)
    np.testing.assert_allclose(expit(got), members.mean(dim=1), rtol=0, atol=1e-6)


@every_head
def test_the_network_returns_the_mean_probability_of_its_folds(head: HeadName, kind: str) -> None:
    scorer, rows = random_scorer(head, kind), np.array([7, 2, 3, 11])
    inputs = inputs_of(scorer, 12)
    folds = expit(bag_of(head, kind).fold_logits(inputs.take(rows)))
    assert folds.shape == (FOLDS, 4, scorer.task.n_outputs)
    assert folds.std(axis=0).min() > 1e-3
    whole = expit(scorer.logits(inputs))
    np.testing.assert_allclose(folds.mean(axis=0), whole[rows], rtol=0, atol=1e-6)


@each_kind
def test_no_row_has_no_fold_logits(kind: str) -> None:
    scorer = random_scorer("rnn", kind)
    got = bag_of("rnn", kind).fold_logits(inputs_of(scorer, 2).take(np.arange(0)))
    assert got.shape == (FOLDS, 0, scorer.task.n_outputs)


def expit(x: NDArray[np.float64]) -> Probabilities:
    probabilities: Probabilities = 1 / (1 + np.exp(-x))
    return probabilities


def test_a_column_that_is_absent_is_refused() -> None:
    scorer = random_scorer("mlp", "table")
    customers = customers_of(scorer.schema, some_rows(scorer.schema, 2))
    with pytest.raises(
        SchemaError, match=r"the data must have the columns \['Total Charges', .*\] of the model"
    ):
        scorer.score({"age": column_of([1, 2])}, None, customers.examples())
