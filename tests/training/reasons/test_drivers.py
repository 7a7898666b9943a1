"""What drives a model, on models whose drivers are known."""

import numpy as np
import pytest

from model.features.inputs import Inputs
from model.reasons.explainer import Explainer
from model.store.manifest import InputGroup
from tests.model.networks import SCHEMAS, customers_of, random_scorer, some_rows
from tests.training.reasons.linear import N, columns, numbers, scorer_of
from tests.training.shops import Published
from training.reasons.drivers import importance
from training.reasons.effects import partial_effects
from training.reasons.sequence import sequence_effects


def test_the_loss_rises_without_a_driver_and_not_without_the_rest() -> None:
    values = np.random.default_rng(0).normal(size=(N, 3))
    scorer = scorer_of(columns(3), [2.0, 0.0, -0.5])
    p = scorer.probabilities(scorer.logits(numbers(values)))[:, -1]
    happened = np.random.default_rng(1).random(N) < p
    groups = Explainer.build(scorer, [InputGroup(name=f"c{i}", inputs=(f"c{i}",)) for i in range(3)]).groups
    loss, low, high = importance(scorer, groups, numbers(values), happened, np.arange(N))
    assert loss[0] > loss[2] > loss[1] == 0
    assert low[0] > 0
    assert (low <= loss).all()
    assert (loss <= high).all()


def test_an_effect_is_that_of_the_weight() -> None:
    values = np.random.default_rng(0).normal(size=(N, 3))
    values[:20, 0] = np.nan
    scorer = scorer_of(columns(3), [0.5, 0.0, -2.0])
    first, second, _ = partial_effects(Explainer.build(scorer, ()), numbers(values))
    assert (first.input, second.input) == ("c2", "c0")
    assert list(first.probability) == sorted(first.probability, reverse=True)
    assert second.values[-1] is None
    assert second.share[-1] == pytest.approx(20 / N)
    assert sum(second.share) == pytest.approx(1, abs=1e-3)


def test_types_and_ages_of_events_have_a_part_in_a_sequence() -> None:
    scorer = random_scorer("rnn", "log")
    customers = customers_of(SCHEMAS["log"], some_rows(SCHEMAS["log"], 30))
    own = scorer.inputs(customers.columns, customers.log, customers.examples())
    found = {part.events: part for part in sequence_effects(scorer, own)}
    assert {"buy", "visit", "0 to 7 days old", "90 to 365 days old"} <= found.keys()
    assert all(part.change > 0 for part in found.values())
    assert sum(part.share for name, part in found.items() if "old" in name) == pytest.approx(1, abs=1e-3)
    assert sequence_effects(scorer, Inputs(own.numeric, own.categories)) == []


def test_a_report_has_the_drivers_of_its_model(log_model: Published) -> None:
    found = log_model.trained.report["drivers"]
    names = [group["group"] for group in found["groups"]]
    assert sorted(names) == sorted(group.name for group in log_model.predictor.manifest.groups)
    losses = [group["loss"] for group in found["groups"]]
    assert losses == sorted(losses, reverse=True)
    assert 0 < len(found["effects"]) <= 8
