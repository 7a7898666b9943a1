"""The typical customer: medians, most frequent categories, and a history as long and as dense as usual."""

import numpy as np
import pytest

from model.features.scaling import scale
from model.features.sequence import AGE, GAP
from model.reasons.reference import reference_inputs
from model.schema import HistoryFeature, Schema
from tests.model.build import tiny_scaling
from tests.model.networks import LOG, SERIES, TABLE


def test_a_table_has_medians_and_most_frequent_categories() -> None:
    typical = reference_inputs(TABLE, with_steps=False)
    median = scale(np.array([5.0]), tiny_scaling())[0]
    assert typical.numeric[0, 0] == pytest.approx(median)
    assert typical.categories.tolist() == [[2, 0]]  # basic; 5.0 is no repeated number
    assert typical.numeric.shape == (1, 4)  # with the rate of basic
    assert typical.steps is None


def test_what_most_lack_the_typical_customer_lacks() -> None:
    columns = tuple(c.model_copy(update={"missing": 0.6}) for c in TABLE.columns)
    typical = reference_inputs(TABLE.model_copy(update={"columns": columns}), with_steps=False)
    assert np.isnan(typical.numeric[0, :3]).all()
    assert typical.categories.tolist() == [[0, 0]]


def test_a_repeated_median_has_its_code() -> None:
    plain = tiny_scaling(median=2.5)
    columns = (TABLE.columns[0].model_copy(update={"scaling": plain}),)
    assert reference_inputs(Schema(id=None, columns=columns), with_steps=False).categories.tolist() == [[2]]


def test_a_history_has_as_many_events_as_usual() -> None:
    assert LOG.events
    of = {"recency_days": 8.0, "count_30d": 2.0, "count_lifetime": 3.0, "mean_gap_days": 10.0}
    features = tuple(HistoryFeature(name=n, scaling=tiny_scaling(median=m)) for n, m in of.items())
    schema = LOG.model_copy(update={"events": LOG.events.model_copy(update={"features": features})})
    steps = reference_inputs(schema, with_steps=True).steps
    assert steps
    assert steps.ends.tolist() == [3]
    assert np.expm1(steps.numbers[:, AGE]) == pytest.approx([28.0, 18.0, 8.0], rel=1e-5)
    gaps = np.expm1(steps.numbers[:, GAP])
    assert np.isnan(gaps[0])
    assert gaps[1:] == pytest.approx([10.0, 10.0], rel=1e-5)
    assert steps.categories.tolist() == [[2, 2]] * 3


def test_a_series_has_its_medians() -> None:
    steps = reference_inputs(SERIES, with_steps=True).steps
    assert steps
    assert steps.numbers.shape == (3, 2)
    assert np.isnan(steps.numbers[0]).tolist() == [False, True]  # data has two columns
