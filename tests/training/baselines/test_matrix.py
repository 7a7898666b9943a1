"""Matrices of the tabular baselines: gaps, categories beyond a limit, and recency."""

import numpy as np

from model.schema import NumericColumn
from model.times import DAY
from model.values.customers import Examples
from model.values.history import EventLog
from tests.training.baselines.worlds import FOLDS, TEST, log_world, table_world
from training.baselines.matrix import (
    Features,
    Sides,
    read_features,
    recency_matrix,
)
from training.fit.boosting import MAX_CODES, tree_matrix
from training.question.labels import LabelledExamples, Labels

SIDES = Sides(FOLDS.rows, TEST)


def features(numbers: list[list[float]], codes: list[list[int]], *widths: int) -> Features:
    return Features(
        np.array(numbers, dtype=np.float32), np.array(codes, dtype=np.int64).reshape(len(numbers), -1), widths
    )


def same_on_all(side: Features, *, train: Features) -> Sides[Features]:
    return Sides(train, side)


def test_every_side_gets_its_own_examples() -> None:
    world = table_world()
    read = read_features(world.labelled, SIDES, world.schema, lookback_days=365)
    raw = world.labelled.columns["a"]
    assert isinstance(raw, np.ndarray)
    for side, rows in ((read.train, FOLDS.rows), (read.test, TEST)):
        assert np.array_equal(np.argsort(side.numbers[:, 0]), np.argsort(raw[rows]))
    assert read.test.widths == (5,)


def test_numbers_that_a_network_knows_by_themselves_are_no_categories_here() -> None:
    world = table_world()
    [*others, c] = [column for column in world.schema.columns if column.kind == "numeric"]
    assert isinstance(c, NumericColumn)
    valued = c.model_copy(update={"values": (0.0, 1.0)})
    columns = tuple(valued if column is c else column for column in world.schema.columns)
    schema = world.schema.model_copy(update={"columns": columns})
    plain, coded = (
        read_features(world.labelled, SIDES, s, lookback_days=365) for s in (world.schema, schema)
    )
    assert len(others) == 2
    assert np.array_equal(coded.test.codes, plain.test.codes)
    assert coded.test.widths == plain.test.widths


def test_a_log_gives_aggregates_and_the_last_event_s_categories() -> None:
    world = log_world(kinds=True)
    read = read_features(world.labelled, SIDES, world.schema, lookback_days=200)
    assert world.schema.events is not None
    assert read.train.numbers.shape == (350, len(world.schema.events.features))
    assert read.train.widths == (4, 6)
    assert (read.train.codes < read.train.widths).all()


def test_trees_keep_gaps_and_pool_the_least_widespread_categories() -> None:
    one = features([[1.5], [np.nan], [0.0]], [[0], [MAX_CODES - 1], [MAX_CODES]], 400)
    matrix = tree_matrix(one.numbers, one.codes)
    np.testing.assert_array_equal(matrix, [[1.5, 0], [np.nan, MAX_CODES - 1], [0, 1]])


def test_recency_is_since_the_last_event_of_the_lookback() -> None:
    times = np.array([10, 40, 20, 99], dtype=np.int64) * DAY
    log = EventLog.build(np.array([0, 0, 1, 1]), times, n_customers=3, values={}, categories={})
    about = Examples(np.array([0, 1, 2, 1]), np.array([50, 50, 50, 20], dtype=np.int64) * DAY)
    labelled = LabelledExamples({}, log, about, Labels.of_column(np.zeros(4, dtype=bool)))
    found = recency_matrix(labelled, np.arange(4), lookback_days=25)
    np.testing.assert_allclose(found, [[np.log1p(10), 0], [0, 1], [0, 1], [0, 0]])
    assert recency_matrix(labelled, np.arange(2), lookback_days=31)[1].tolist() == [np.log1p(30), 0]
