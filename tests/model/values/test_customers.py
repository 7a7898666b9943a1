"""Customers are of one length in every part."""

from typing import Any

import numpy as np
import pytest

from model.errors import DataError
from model.values.columns import column_of
from model.values.customers import Customers, Examples
from tests.strategies import log_of


def customers(**changes: Any) -> Customers:
    plain: dict[str, Any] = {
        "ids": ["a", "b", "c"],
        "cutoffs": np.array([5, 6, 7]),
        "columns": {"plan": column_of(["x", None, "y"]), "tenure": column_of([1, 2, 3])},
        "log": log_of([], 3),
    }
    return Customers(**{**plain, **changes})


def test_each_customer_is_one_example() -> None:
    made = customers()
    assert len(made) == 3
    examples = made.examples()
    assert examples.customers.tolist() == [0, 1, 2]
    assert examples.customers.dtype == np.int64
    assert examples.cutoffs.tolist() == [5, 6, 7]


def test_there_may_be_none() -> None:
    made = customers(ids=[], cutoffs=np.array([], dtype=np.int64), columns={}, log=None)
    assert len(made) == len(made.examples()) == 0


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"columns": {"plan": column_of(["x"]), "tenure": column_of([1, 2, 3])}}, "{'plan': 1}"),
        ({"columns": {"tenure": column_of([1, 2, 3, 4])}}, "{'tenure': 4}"),
        ({"cutoffs": np.array([5])}, "other cutoffs or another log"),
        ({"log": log_of([], 4)}, "other cutoffs or another log"),
    ],
)
def test_parts_of_other_lengths_are_refused(changes: dict[str, Any], parts: str) -> None:
    with pytest.raises(DataError) as error:
        customers(**changes)
    assert str(error.value) == f"every part must have 3 customers, got {parts}"


def test_some_examples_are_taken_by_position_or_mask() -> None:
    examples = Examples(np.array([0, 0, 2]), np.array([5, 6, 7]))
    for rows in (np.array([2, 1]), np.array([False, True, True])):
        taken = examples.take(rows)
        assert sorted(zip(taken.customers.tolist(), taken.cutoffs.tolist(), strict=True)) == [(0, 6), (2, 7)]
    assert examples.take(np.array([2, 1])).cutoffs.tolist() == [7, 6]
