"""Groups of inputs: the study's, then units alone while there is room, then related ones together."""

from typing import Any

import numpy as np
import pytest

from model.errors import DataError
from model.features.inputs import Inputs
from model.reasons.groups import MAX_GROUPS
from model.scorer import Scorer
from tests.model.networks import LOG
from tests.strategies import log_of
from tests.training.reasons.linear import N, columns, numbers, scorer_of
from training.reasons.grouping import group_inputs, unread_names
from training.schema.fit_schema import ModelFields
from training.schema.reason_names import check_reasons
from training.study.sections import EventsSource, ReasonOptions


def groups_of(scorer: Scorer, inputs: Inputs, **named: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {group.name: group.inputs for group in group_inputs(scorer, named, inputs)}


def test_the_units_of_a_log_are_these() -> None:
    scorer = scorer_of(LOG)
    inputs = Inputs(np.zeros((N, 7), np.float32), np.zeros((N, 5), np.int64))
    found = groups_of(scorer, inputs, mine=("tenure", "count_30d"))
    assert found["mine"] == ("tenure", "count_30d")
    assert set(found) == {"mine", "plan", "recency", "buy", "rhythm", "shop"}


def test_columns_that_are_alike_share_a_group() -> None:
    values = np.random.default_rng(0).normal(size=(N, 12))
    values[:, 7] = -values[:, 2] + 0.01 * values[:, 7]
    values[:, 9] = values[:, 4] + 0.01 * values[:, 9]
    found = groups_of(scorer_of(columns(12), [1.0] * 12), numbers(values))
    assert len(found) == MAX_GROUPS
    assert {"c2, c7", "c4, c9"} <= set(found)


def test_columns_that_matter_least_are_joined_first() -> None:
    values = np.random.default_rng(0).normal(size=(N, 13))
    weights = [1.0] * 13
    weights[3:7] = [0.0] * 4
    found = groups_of(scorer_of(columns(13), weights), numbers(values))
    assert found["c3, c4 and 2 more"] == ("c3", "c4", "c5", "c6")
    assert len(found) == MAX_GROUPS


def test_named_groups_leave_the_room_that_is_left() -> None:
    values = np.random.default_rng(0).normal(size=(N, 13))
    named = {f"g{i}": (f"c{i}",) for i in range(9)}
    found = groups_of(scorer_of(columns(13), [1.0] * 13), numbers(values), **named)
    assert list(found) == [*named, "c9, c10 and 2 more"]


def test_a_name_that_training_left_out_is_noted() -> None:
    scorer = scorer_of(columns(2))
    assert unread_names(scorer, {"mine": ("c1", "count_7d")}) == [
        "reasons.groups names 'count_7d', which the model does not read: constant or rare in training."
    ]
    assert unread_names(scorer, {"mine": ("c0",)}) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"groups": {"a": ["pln"]}}, "reasons.groups.a must name what the model reads, got 'pln'.*'plan'"),
        ({"groups": {"a": ["count[buy]_31d"]}}, "did you mean 'count.buy._30d'"),
        ({"changeable": ["plam"]}, "reasons.changeable .* did you mean 'plan'"),
        ({"changeable": ["since"]}, "must not name dates"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(options: dict[str, Any], said: str) -> None:
    source = EventsSource(path="e.csv", id="id", time="t", type="type", values=("amount",))
    fields = ModelFields(id=None, kinds={"plan": "categorical", "since": "date"}, events=source)
    with pytest.raises(DataError, match=said):
        check_reasons(ReasonOptions.model_validate(options), fields, log_of([]), None)
    good = {"groups": {"a": ["plan", "recency", "largest(amount)"]}, "changeable": ["plan"]}
    check_reasons(ReasonOptions.model_validate(good), fields, log_of([]), None)
