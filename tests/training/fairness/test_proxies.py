"""Columns that predict a group are named with their strength, others are not."""

import numpy as np

from model.values.columns import Column, column_of
from training.fairness.groups import Groups
from training.fairness.proxies import proxies
from training.schema.kinds import Kind


def test_the_columns_that_predict_a_group_are_named_with_their_strength() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 600)
    inputs: dict[str, Column] = {
        "noise": rng.normal(size=600),
        "shoe": 38.0 + 4 * (codes == 1) + rng.normal(size=600),
        "title": column_of([("Ms" if code == 2 else "Mr") if rng.random() < 0.9 else None for code in codes]),
    }
    kinds: dict[str, Kind] = {"noise": "numeric", "shoe": "numeric", "title": "categorical"}
    found = proxies(inputs, kinds, Groups(("x", "y", "z"), codes), seed=0)
    strength = {(one.column, one.group): one.auc for one in found.named}
    assert list(strength) == [("shoe", "y"), ("title", "z")]
    assert strength["shoe", "y"] > 0.99
    assert 0.9 < strength["title", "z"] < 1
    assert found.group == "y"
    assert found.together is not None
    assert found.together > 0.95


def test_of_few_customers_or_no_columns_nothing_is_said() -> None:
    few = Groups(("x", "y"), (np.arange(30) < 5).astype(np.int64))
    assert proxies({"a": np.arange(30.0)}, {"a": "numeric"}, few, seed=0).together is None
    many = Groups(("x", "y"), np.arange(60) % 2)
    assert proxies({}, {}, many, seed=0).named == ()
