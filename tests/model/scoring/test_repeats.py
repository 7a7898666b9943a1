"""What comes again in a file is told in the words of an audit."""

import numpy as np

from model.schema import NumericColumn, Schema
from model.scoring.repeats import Repeats
from model.task import ColumnTask, LogTask
from model.times import DAY
from model.values.columns import column_of
from tests.app.toys import scaling
from tests.strategies import Event, log_of
from training.audit.rows import probe_duplicates

SCHEMA = Schema(id="id", columns=(NumericColumn(name="age", scaling=scaling()),))
LABEL = ColumnTask(column="left", positive="yes")


def test_rows_and_customers_that_come_again_are_counted_over_the_batches() -> None:
    repeats, ages = Repeats(LABEL, SCHEMA), np.array([*range(30), 3.0, 4.0])
    ids = [*map(str, range(31)), "7"]
    for part in (slice(0, 20), slice(20, 32)):
        repeats.add({"age": ages[part]}, len(ages[part]), column_of(ids[part]), None)
    customers, rows = repeats.notes()
    assert customers == "32 rows of 31 customers; each row is an example."
    assert rows == "2 of 32 rows (6.2%) repeat an earlier row in every column."
    (finding,) = probe_duplicates({"age": ages}, ages > 3)
    assert finding.evidence.startswith(rows.removesuffix("."))


def test_rows_of_coarse_columns_are_no_duplicates_and_those_of_contracts_are_not_counted() -> None:
    ages = np.array([1.0] * 30 + [2.0, 3.0, 3.0])
    for task, found in ((LABEL, 1), (LogTask(outcome="absent", horizons_days=(10,)), 0)):
        repeats = Repeats(task, SCHEMA)
        repeats.add({"age": ages}, len(ages), None, None)
        assert len(repeats.notes()) == found
    repeats = Repeats(LABEL, SCHEMA)
    repeats.add({"age": ages}, len(ages), None, None)
    assert repeats.notes()[0].startswith(
        "1 of 33 rows (3.0%) repeats an earlier row in every column. 30 rows"
    )


def test_events_that_come_again_are_counted() -> None:
    repeats = Repeats(LogTask(outcome="absent", horizons_days=(10,)), SCHEMA)
    repeats.add(
        {}, 0, None, log_of([Event(0, DAY, "buy", 1.0), Event(0, DAY, "buy", 1.0), Event(0, DAY, "buy", 2.0)])
    )
    assert repeats.notes() == ("3 events, with 1 exact duplicate.",)
