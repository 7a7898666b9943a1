"""Reasons sum to the logit of the published probability, and are Shapley values of the network itself."""

from itertools import permutations

import numpy as np
import pytest

from model.features.inputs import Inputs
from model.reasons.explainer import Explainer
from model.reasons.groups import REST, InputNames
from model.scorer import Scorer
from model.store.manifest import HeadName, InputGroup
from tests.model.networks import HEADS, SCHEMAS, customers_of, random_scorer, some_rows

N = 7
EVERY_HEAD = ("linear", *HEADS)


def inputs_of(scorer: Scorer, kind: str) -> Inputs:
    customers = customers_of(SCHEMAS[kind], some_rows(SCHEMAS[kind], N))
    return scorer.inputs(customers.columns, customers.log, customers.examples())


def some_groups(scorer: Scorer) -> list[InputGroup]:
    """Three units each, and the others left to the rest."""
    units = dict.fromkeys(
        one.unit for one in InputNames.of(scorer.schema, with_steps=scorer.spec.reads_steps).inputs
    )
    return [InputGroup(name=f"of {name}", inputs=(name,)) for name in list(units)[-3:]]


@pytest.mark.parametrize("kind", SCHEMAS)
@pytest.mark.parametrize("head", EVERY_HEAD)
def test_reasons_sum_to_the_logit_and_points_to_the_probability(head: HeadName, kind: str) -> None:
    scorer = random_scorer(head, kind)
    own = inputs_of(scorer, kind)
    published = scorer.probabilities(scorer.logits(own))
    for horizon in range(published.shape[1]):
        found = Explainer.build(scorer, some_groups(scorer)).explain(own, horizon=horizon)
        p = published[:, horizon]
        total = np.array([one.base_logit + sum(r.logit for r in one.reasons) for one in found])
        np.testing.assert_allclose(total, np.log(p) - np.log1p(-p), atol=1e-6)
        points = np.array([sum(r.points for r in one.reasons) for one in found])
        base = np.array([one.base_probability for one in found])
        np.testing.assert_allclose(points, 100 * (p - base), atol=1e-6)


@pytest.mark.parametrize("kind", SCHEMAS)
@pytest.mark.parametrize("head", EVERY_HEAD)
def test_they_are_shapley_values_of_the_network(head: HeadName, kind: str) -> None:
    """Against the definition: the mean over all orders of what a group adds, with the network itself."""
    scorer = random_scorer(head, kind)
    explainer, own = Explainer.build(scorer, some_groups(scorer)), inputs_of(scorer, kind)
    G, base = len(explainer.groups), explainer.reference
    wanted = np.zeros((N, G))
    orders = list(permutations(range(G)))
    for order in orders:
        for at, group in enumerate(order):
            wanted[:, group] += _mixed_logits(scorer, explainer, own, base, order[: at + 1])
            wanted[:, group] -= _mixed_logits(scorer, explainer, own, base, order[:at])
    np.testing.assert_allclose(explainer.shares(own).groups, wanted / len(orders), atol=2e-5)


def _mixed_logits(
    scorer: Scorer, explainer: Explainer, own: Inputs, base: Inputs, kept: tuple[int, ...]
) -> np.ndarray:
    of = explainer.groups
    numeric, categories = base.numeric.repeat(N, 0), base.categories.repeat(N, 0)
    numbers, codes = np.isin(of.numbers, kept), np.isin(of.codes, kept)
    numeric[:, numbers], categories[:, codes] = own.numeric[:, numbers], own.categories[:, codes]
    steps = own.steps
    if steps is not None and of.steps not in kept:
        assert base.steps
        steps = base.steps.take(np.zeros(N, dtype=np.int64))
    return scorer.horizon_logits(scorer.logits(Inputs(numeric, categories, steps)))[:, -1]


def test_what_no_group_names_is_one_more_group() -> None:
    scorer = random_scorer("mlp", "log")
    names = Explainer.build(scorer, [InputGroup(name="mine", inputs=("plan", "count_30d"))]).groups.names
    assert names == ("mine", REST)


def test_an_earlier_date_is_a_base_like_any() -> None:
    scorer = random_scorer("rnn", "log")
    own = inputs_of(scorer, "log")
    before = own.take(np.arange(N)[::-1])
    found = Explainer.build(scorer, some_groups(scorer)).explain(own, before)
    for one, other in zip(found, reversed(found), strict=True):
        assert one.base_logit == pytest.approx(other.logit, abs=1e-5)
        assert one.base_logit + sum(r.logit for r in one.reasons) == pytest.approx(one.logit, abs=1e-6)
